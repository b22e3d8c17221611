//! Whether the books are in order, a stretch at a time: for books too long to be read whole every hour.

use crate::account::{Account, Balance, Side};
use crate::book::{Ledger, Proof};
use crate::check::Broken;
use crate::known::Expected;
use crate::row::{Kind, Transfer};
use crate::{AccountId, LedgerId};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// How far a walk over the books has come: first along the history, then along the accounts, and again.
///
/// Each line is compared with those it refers to: the one before it in its ledger, the ones before it in its
/// accounts, the hold it ends. What it keeps does not grow with the books, but for a little for each ledger.
/// [`check`](crate::check) finds more (holds and reversals that are not as the history says), and needs memory for
/// each account.
#[derive(Debug, Clone, Default)]
pub struct Patrol {
    at: Place,
    ledgers: BTreeMap<LedgerId, Reached>,
}

/// What a ledger was as far as the walk has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    transfers: i64,
    link: [u8; 32],
    proof: Proof,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    History { last: i64 },
    Accounts { last: AccountId },
}

impl Default for Place {
    fn default() -> Self {
        Self::History { last: 0 }
    }
}

/// What a stretch showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was in order, and there is more.
    Good,
    /// It was in order, and with it the books have been walked along once.
    Round,
    /// This was not. The walk begins again.
    Broken(Broken),
}

impl Patrol {
    /// Goes on for up to `lines` lines of the history, or as many accounts. Each stretch is in order by itself,
    /// whatever is written between two of them.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn walk(&mut self, db: &Connection, lines: u32) -> rusqlite::Result<Seen> {
        let seen = match self.at {
            Place::History { last } => self.along_history(db, last, lines),
            Place::Accounts { last } => self.along_accounts(db, last, lines),
        };
        if !matches!(seen, Ok(Seen::Good)) {
            *self = Self::default();
        }
        seen
    }

    fn along_history(
        &mut self,
        db: &Connection,
        mut last: i64,
        lines: u32,
    ) -> rusqlite::Result<Seen> {
        let end = last.saturating_add(i64::from(lines));
        let mut statement = db.prepare_cached(
            "SELECT n, body FROM ledger_transfer WHERE n > ?1 AND n <= ?2 ORDER BY n",
        )?;
        let mut rows = statement.query((last, end))?;
        let (mut expected, mut broken) = (Expected::default(), None);
        while broken.is_none()
            && let Some(row) = rows.next()?
        {
            last += 1;
            let row = Transfer::from_row(row).ok().filter(|row| row.n == last);
            broken = match row {
                None => Some(Broken::Transfer(last)),
                Some(row) => {
                    expected.push(&row);
                    self.broken(db, &row)?
                }
            };
        }
        // An id that is missing belongs to a line before what is broken, or to that one.
        let missing = expected.missing(db)?.map(Broken::Transfer);
        if let Some(broken) = missing.or(broken) {
            return Ok(Seen::Broken(broken));
        }
        if last == end {
            self.at = Place::History { last };
            return Ok(Seen::Good);
        }
        let kept: i64 = db.query_row("SELECT last FROM ledger_state", (), |row| row.get(0))?;
        if kept != last {
            return Ok(Seen::Broken(Broken::Transfer(last + 1)));
        }
        for ledger in Ledger::all(db)? {
            let reached = self.ledgers.get(&ledger.id).copied().unwrap_or_default();
            let kept = Reached {
                transfers: ledger.transfers,
                link: ledger.link,
                proof: ledger.proof,
            };
            if reached != kept || !kept.proof.balances() {
                return Ok(Seen::Broken(Broken::Ledger(ledger.id)));
            }
        }
        let last = AccountId(i64::MIN);
        self.at = Place::Accounts { last };
        Ok(Seen::Good)
    }

    /// What is broken if `row` does not follow from the lines that it refers to, or its accounts are not there.
    fn broken(&mut self, db: &Connection, row: &Transfer) -> rusqlite::Result<Option<Broken>> {
        let broken = Ok(Some(Broken::Transfer(row.n)));
        let reached = self.ledgers.entry(row.ledger).or_default();
        if row.link != row.link_after(&reached.link) {
            return broken;
        }
        reached.transfers += 1;
        reached.link = row.link;
        let Some(held) = held(db, row)? else {
            return broken;
        };
        let delta = row.delta(held);
        for (account, side) in [(row.debit, Side::Debit), (row.credit, Side::Credit)] {
            let before = row.back(side).before;
            let Some(before) = balance_after(db, before, account)?.filter(|_| before < row.n)
            else {
                return broken;
            };
            if before.after(side, delta) != Some(*row.after(side)) {
                return broken;
            }
            reached.proof.change(&before, row.after(side));
            let kept = Account::by_id(db, account)?;
            if kept.is_none_or(|kept| kept.trail.newest() < row.n) {
                return Ok(Some(Broken::Account(account)));
            }
        }
        Ok(None)
    }

    fn along_accounts(
        &mut self,
        db: &Connection,
        last: AccountId,
        lines: u32,
    ) -> rusqlite::Result<Seen> {
        let page = Account::page(db, last, lines)?;
        for account in &page {
            let id = account.opened.id;
            let newest = balance_after(db, account.trail.newest(), id)?;
            if newest != Some(account.balance) {
                return Ok(Seen::Broken(Broken::Account(id)));
            }
            if account.balance.within(account.opened.limit).is_err() {
                return Ok(Seen::Broken(Broken::Limit(id)));
            }
        }
        let Some(end) = page.last() else {
            return Ok(Seen::Round);
        };
        let last = end.opened.id;
        self.at = Place::Accounts { last };
        Ok(Seen::Good)
    }
}

/// What the hold has that `row` ends, and nothing where it ends none; `None` when the hold is not there.
fn held(db: &Connection, row: &Transfer) -> rusqlite::Result<Option<i64>> {
    if !row.kind.ends_hold() {
        return Ok(Some(0));
    }
    let hold = Transfer::by_number(db, row.refers.unwrap_or_default())?;
    let hold = hold.filter(|hold| hold.kind == Kind::Hold && hold.n < row.n);
    Ok(hold.map(|hold| hold.amount.minor()))
}

/// The balance of `account` after line `n`, which is nothing before the first; `None` when it is not in that line.
fn balance_after(db: &Connection, n: i64, account: AccountId) -> rusqlite::Result<Option<Balance>> {
    if n == 0 {
        return Ok(Some(Balance::default()));
    }
    let row = Transfer::by_number(db, n)?;
    Ok(row.and_then(|row| Some(*row.after(row.side(account)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{HARM, books, id, mina_to_jun, won};
    use crate::{Between, Instruction, apply_one};
    use bongsu_base::LogTime;

    /// Walks once around, and says in how many stretches and what was seen last.
    fn around(db: &Connection, lines: u32) -> (usize, Seen) {
        let mut patrol = Patrol::default();
        for stretch in 1..100 {
            match patrol.walk(db, lines).expect("read") {
                Seen::Good => {}
                end => return (stretch, end),
            }
        }
        panic!("it never comes round");
    }

    #[test]
    fn books_in_order_are_walked_along_in_stretches_of_any_length() {
        // Four lines and five accounts: as many stretches as they fill, and one in which each ends.
        assert_eq!(around(&books(), 100), (1 + 2, Seen::Round));
        assert_eq!(around(&books(), 2), (3 + 4, Seen::Round));
        assert_eq!(around(&books(), 1), (5 + 6, Seen::Round));
    }

    #[test]
    fn whatever_is_changed_in_a_line_or_an_account_is_found() {
        for (harm, first) in HARM {
            if matches!(first, Broken::Hold(_) | Broken::Reversed(_)) {
                continue;
            }
            let db = books();
            db.execute_batch(harm).expect("harms");
            for lines in [1, 3, 100] {
                let (_, seen) = around(&db, lines);
                assert_eq!(seen, Seen::Broken(first), "{harm}");
            }
        }
    }

    #[test]
    fn what_is_written_between_two_stretches_breaks_nothing() {
        let db = books();
        let mut patrol = Patrol::default();
        for n in 0..20 {
            let little = Between {
                money: won(1),
                ..mina_to_jun()
            };
            let paid = Instruction::transfer(id(10 + n), little);
            apply_one(&db, LogTime(3), paid)
                .expect("applied")
                .expect("done");
            let seen = patrol.walk(&db, 2).expect("read");
            assert!(!matches!(seen, Seen::Broken(_)), "{seen:?}");
        }
    }
}
