//! Moving money: what every verb comes down to.

use super::{Ruled, Work};
use crate::account::{Account, Balance, Delta, Side, Standing};
use crate::row::{Kind, Transfer};
use crate::{AccountId, Amount, Refused, TransferId};
use bongsu_base::LogTime;

/// What a verb wants written, and by how much both sides change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Movement {
    pub id: TransferId,
    pub kind: Kind,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Amount,
    pub delta: Delta,
    pub code: u16,
    pub user_data: [u8; 16],
    pub refers: Option<i64>,
    pub expires: Option<LogTime>,
    pub fingerprint: [u8; 16],
}

impl Work<'_> {
    /// Moves money, and says the number of the transfer.
    pub fn post(&mut self, movement: &Movement) -> Ruled<i64> {
        if movement.debit == movement.credit {
            return Err(Refused::SameAccount.into());
        }
        let n = self.last + self.rows.len() as i64 + 1;
        let mut debit = self.account(movement.debit)?.clone();
        let mut credit = self.account(movement.credit)?.clone();
        for account in [&debit, &credit] {
            takes_part(account, movement.kind)?;
        }
        let before = (debit.balance, credit.balance);
        debit.balance = changed(&debit, Side::Debit, movement.delta)?;
        credit.balance = changed(&credit, Side::Credit, movement.delta)?;
        let ledger = debit.opened.ledger;
        let mut book = self.book(ledger)?.clone();
        book.proof.change(&before.0, &debit.balance);
        book.proof.change(&before.1, &credit.balance);
        let mut row = Transfer {
            n,
            id: movement.id,
            time: self.time,
            kind: movement.kind,
            ledger,
            debit: movement.debit,
            credit: movement.credit,
            amount: movement.amount,
            code: movement.code,
            user_data: movement.user_data,
            refers: movement.refers,
            expires: movement.expires,
            debit_after: debit.balance,
            credit_after: credit.balance,
            link: [0; 32],
            fingerprint: movement.fingerprint,
            debit_back: debit.trail.push(n),
            credit_back: credit.trail.push(n),
        };
        row.link = row.link_after(&book.link);
        book.link = row.link;
        book.transfers += 1;
        self.books.set(ledger, book);
        self.accounts.set(movement.debit, debit);
        self.accounts.set(movement.credit, credit);
        if movement.kind != Kind::Expire {
            self.ids.set(movement.id, n);
        }
        self.rows.push(row);
        Ok(n)
    }
}

/// Whether `account` takes part in a transfer of this kind.
fn takes_part(account: &Account, kind: Kind) -> Result<(), Refused> {
    match (account.standing, kind) {
        (Standing::Open, _) | (_, Kind::Void | Kind::Expire) => Ok(()),
        (Standing::Frozen, _) => Err(Refused::AccountFrozen),
        (Standing::Closed, _) => Err(Refused::AccountClosed),
    }
}

/// The balance of `account` when `side` has changed by `delta`, if it may.
fn changed(account: &Account, side: Side, delta: Delta) -> Result<Balance, Refused> {
    let after = account.balance.after(side, delta);
    let after = after.ok_or(Refused::BalanceOverflows)?;
    // What ends a hold moves at most what was held.
    if delta.posted + delta.pending > 0 {
        after.within(account.opened.limit)?;
    }
    Ok(after)
}
