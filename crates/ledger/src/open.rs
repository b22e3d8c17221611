//! Opening ledgers and accounts.

use crate::account::{Account, Balance, NewAccount, Standing};
use crate::book::{Ledger, Proof};
use crate::trail::Trail;
use crate::{Currency, LedgerId, Refused};
use bongsu_base::LogTime;
use rusqlite::Connection;

/// Opens a ledger; again, it is the one that exists: [`Refused::LedgerDiffers`] when that has another currency.
///
/// # Errors
/// When the view cannot be read or written.
pub fn open_ledger(
    db: &Connection,
    id: LedgerId,
    currency: Currency,
) -> rusqlite::Result<Result<(), Refused>> {
    if let Some(ledger) = Ledger::by_id(db, id)? {
        let same = ledger.currency == currency;
        return Ok(same.then_some(()).ok_or(Refused::LedgerDiffers));
    }
    let ledger = Ledger {
        id,
        currency,
        transfers: 0,
        link: [0; 32],
        proof: Proof::default(),
    };
    ledger.write(db).map(Ok)
}

/// Opens an account; again, it is the one that exists: [`Refused::AccountDiffers`] when that was opened with
/// something else.
///
/// # Errors
/// When the view cannot be read or written.
pub fn open_account(
    db: &Connection,
    time: LogTime,
    account: NewAccount,
) -> rusqlite::Result<Result<(), Refused>> {
    if account.id.0 < 1 {
        return Ok(Err(Refused::AccountIdOutOfRange));
    }
    if let Some(found) = Account::by_id(db, account.id)? {
        let same = found.opened == account;
        return Ok(same.then_some(()).ok_or(Refused::AccountDiffers));
    }
    if Ledger::by_id(db, account.ledger)?.is_none() {
        return Ok(Err(Refused::NoSuchLedger));
    }
    let account = Account {
        opened: account,
        since: time,
        standing: Standing::Open,
        balance: Balance::default(),
        trail: Trail::default(),
    };
    account.put(db).map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MINA, bench};
    use crate::{AccountId, Limit};

    #[test]
    fn what_is_opened_again_must_be_the_same() {
        let db = bench();
        let eur = "EUR".parse().expect("a currency");
        assert_eq!(open_ledger(&db, LedgerId(1), Currency::KRW), Ok(Ok(())));
        let other = open_ledger(&db, LedgerId(1), eur);
        assert_eq!(other, Ok(Err(Refused::LedgerDiffers)));
        let mina = NewAccount {
            id: MINA,
            ledger: LedgerId(1),
            code: 1,
            limit: Limit::DebitsWithinCredits,
        };
        for (account, expect) in [
            (mina, Ok(())),
            (NewAccount { code: 2, ..mina }, Err(Refused::AccountDiffers)),
            (
                NewAccount {
                    id: AccountId(0),
                    ..mina
                },
                Err(Refused::AccountIdOutOfRange),
            ),
            (
                NewAccount {
                    id: AccountId(50),
                    ledger: LedgerId(9),
                    ..mina
                },
                Err(Refused::NoSuchLedger),
            ),
        ] {
            assert_eq!(
                open_account(&db, LogTime(5), account),
                Ok(expect),
                "{account:?}"
            );
        }
        let found = Account::by_id(&db, MINA).expect("readable").expect("there");
        assert_eq!(found.since, LogTime(0));
        assert_eq!(found.balance.credits_posted, 1_000);
    }
}
