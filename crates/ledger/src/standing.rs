//! Freezing and closing accounts.

use crate::account::{Account, Standing};
use crate::{AccountId, Refused};
use rusqlite::Connection;

/// Freezes an account, or with `false` lets it take part again. A frozen one takes part in no transfer, no
/// settlement and no reversal; what is held may be given free.
///
/// # Errors
/// When the view cannot be read or written.
pub fn freeze(
    db: &Connection,
    id: AccountId,
    frozen: bool,
) -> rusqlite::Result<Result<(), Refused>> {
    change(db, id, |account| match account.standing {
        Standing::Closed => Err(Refused::AccountClosed),
        _ if frozen => Ok(Standing::Frozen),
        _ => Ok(Standing::Open),
    })
}

/// Closes an account for ever. It must have no balance and no holds; that it is closed already is no refusal.
///
/// # Errors
/// When the view cannot be read or written.
pub fn close(db: &Connection, id: AccountId) -> rusqlite::Result<Result<(), Refused>> {
    change(db, id, |account| {
        let balance = account.balance;
        if balance.debits_pending != 0 || balance.credits_pending != 0 {
            return Err(Refused::AccountHasHolds);
        }
        if balance.debits_posted != balance.credits_posted {
            return Err(Refused::AccountHasBalance);
        }
        Ok(Standing::Closed)
    })
}

fn change(
    db: &Connection,
    id: AccountId,
    to: impl FnOnce(&Account) -> Result<Standing, Refused>,
) -> rusqlite::Result<Result<(), Refused>> {
    let Some(mut account) = Account::by_id(db, id)? else {
        return Ok(Err(Refused::NoSuchAccount));
    };
    match to(&account) {
        Err(refused) => Ok(Err(refused)),
        Ok(standing) if standing == account.standing => Ok(Ok(())),
        Ok(standing) => {
            account.standing = standing;
            account.put(db).map(Ok)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BANK, JUN, MINA, bench, id, won};
    use crate::{Between, Instruction, apply_one};
    use bongsu_base::LogTime;

    #[test]
    fn an_account_takes_part_only_while_it_is_open() {
        let db = bench();
        let ask = |instruction| {
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            answer.map(drop)
        };
        let move_all = |n, debit, credit| {
            let money = won(1_000);
            let between = Between {
                debit,
                credit,
                money,
            };
            ask(Instruction::transfer(id(n), between))
        };
        assert_eq!(freeze(&db, MINA, true), Ok(Ok(())));
        assert_eq!(move_all(2, MINA, JUN), Err(Refused::AccountFrozen));
        assert_eq!(move_all(3, BANK, MINA), Err(Refused::AccountFrozen));
        assert_eq!(freeze(&db, MINA, false), Ok(Ok(())));
        assert_eq!(close(&db, MINA), Ok(Err(Refused::AccountHasBalance)));
        let between = Between {
            debit: MINA,
            credit: JUN,
            money: won(1_000),
        };
        assert_eq!(ask(Instruction::hold(id(4), between, None)), Ok(()));
        assert_eq!(close(&db, JUN), Ok(Err(Refused::AccountHasHolds)));
        assert_eq!(ask(Instruction::settle(id(5), id(4), None)), Ok(()));
        for _ in 0..2 {
            assert_eq!(close(&db, MINA), Ok(Ok(())));
        }
        assert_eq!(freeze(&db, MINA, false), Ok(Err(Refused::AccountClosed)));
        assert_eq!(move_all(6, JUN, MINA), Err(Refused::AccountClosed));
        let back = Instruction::reverse(id(7), id(5), None);
        assert_eq!(ask(back), Err(Refused::AccountClosed));
        assert_eq!(close(&db, AccountId(77)), Ok(Err(Refused::NoSuchAccount)));
    }
}
