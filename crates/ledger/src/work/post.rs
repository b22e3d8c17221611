//! Moving money: what every verb comes down to.

use super::{Ruled, Work};
use crate::account::{Account, Balance, Delta, Limit, Side, Standing};
use crate::block::BlockId;
use crate::row::{Kind, Transfer};
use crate::trail::Back;
use crate::{AccountId, Amount, LedgerId, Refused, TransferId};
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
        let debit = Party::of(self.account(movement.debit)?, Side::Debit);
        let credit = Party::of(self.account(movement.credit)?, Side::Credit);
        let (ledger, parties) = (debit.ledger, [debit, credit]);
        for party in &parties {
            party.takes_part(movement.kind)?;
        }
        let after = [
            parties[0].changed(movement.delta)?,
            parties[1].changed(movement.delta)?,
        ];
        self.book(ledger)?;
        // From here on nothing refuses.
        let mut backs = [Back::default(); 2];
        for (party, (after, back)) in parties.iter().zip(after.iter().zip(&mut backs)) {
            self.blocks.change(BlockId::of(party.id), |block| {
                if let Some(account) = block.get_mut(party.id) {
                    account.balance = *after;
                    *back = account.trail.push(n);
                }
            });
        }
        let row = Transfer {
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
            debit_after: after[0],
            credit_after: after[1],
            // Known when the batch is: `Work::write`.
            link: [0; 32],
            fingerprint: movement.fingerprint,
            debit_back: backs[0],
            credit_back: backs[1],
        };
        self.books.change(ledger, |book| {
            for (before, after) in parties.iter().zip(&after) {
                book.proof.change(&before.balance, after);
            }
            book.transfers += 1;
        });
        if movement.kind != Kind::Expire {
            self.set_place(movement.id, n);
        }
        self.rows.push(row);
        Ok(n)
    }
}

/// What a movement has to know of an account on one of its sides.
struct Party {
    id: AccountId,
    ledger: LedgerId,
    side: Side,
    standing: Standing,
    limit: Limit,
    balance: Balance,
}

impl Party {
    fn of(account: &Account, side: Side) -> Self {
        Self {
            id: account.opened.id,
            ledger: account.opened.ledger,
            side,
            standing: account.standing,
            limit: account.opened.limit,
            balance: account.balance,
        }
    }

    /// Whether it takes part in a transfer of this kind.
    fn takes_part(&self, kind: Kind) -> Result<(), Refused> {
        match (self.standing, kind) {
            (Standing::Open, _) | (_, Kind::Void | Kind::Expire) => Ok(()),
            (Standing::Frozen, _) => Err(Refused::AccountFrozen),
            (Standing::Closed, _) => Err(Refused::AccountClosed),
        }
    }

    /// Its balance when its side has changed by `delta`, if it may.
    fn changed(&self, delta: Delta) -> Result<Balance, Refused> {
        let after = self.balance.after(self.side, delta);
        let after = after.ok_or(Refused::BalanceOverflows)?;
        // What ends a hold moves at most what was held.
        if delta.posted + delta.pending > 0 {
            after.within(self.limit)?;
        }
        Ok(after)
    }
}
