//! Whether the books are in order, from the rows alone.

use crate::account::{Account, Balance, Delta, Side};
use crate::book::{Ledger, Proof};
use crate::row::{Kind, Transfer};
use crate::trail::Trail;
use crate::{AccountId, LedgerId, known};
use rusqlite::Connection;
use std::collections::BTreeMap;
use thiserror::Error;

/// The first thing that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Broken {
    /// The transfer of this number is missing, or does not follow from those before it.
    #[error("transfer {0} does not follow from those before it")]
    Transfer(i64),
    /// The ledger is not the sum of its history, or its debits do not equal its credits.
    #[error("ledger {} is not the sum of its history", .0.0)]
    Ledger(LedgerId),
    /// The account is not the sum of its history, or is beyond its limit.
    #[error("account {} is not the sum of its history", .0.0)]
    Account(AccountId),
    /// The open hold of this number is in one place and not in the other.
    #[error("hold {0} is not as the history says")]
    Hold(i64),
    /// What was reversed of the transfer of this number is not the sum of its reversals.
    #[error("the reversals of transfer {0} are not as the history says")]
    Reversed(i64),
}

#[derive(Debug)]
struct Books {
    ledgers: BTreeMap<LedgerId, Ledger>,
    accounts: BTreeMap<AccountId, (Balance, Trail)>,
    holds: BTreeMap<i64, i64>,
    reversed: BTreeMap<i64, i64>,
    last: i64,
}

/// Reads the whole history and compares with it all that is kept beside it: says how many transfers there are,
/// or what is the first that is broken. In every ledger debits equal credits then, each balance in the history is
/// the sum of what came before it, no limit is passed, and nobody has changed a line.
///
/// # Errors
/// When the view cannot be read.
pub fn check(db: &Connection) -> rusqlite::Result<Result<i64, Broken>> {
    let mut books = Books {
        ledgers: BTreeMap::new(),
        accounts: BTreeMap::new(),
        holds: BTreeMap::new(),
        reversed: BTreeMap::new(),
        last: 0,
    };
    for ledger in Ledger::all(db)? {
        let fresh = Ledger {
            transfers: 0,
            link: [0; 32],
            proof: Proof::default(),
            ..ledger
        };
        books.ledgers.insert(fresh.id, fresh);
    }
    let mut statement = db.prepare("SELECT n, body FROM ledger_transfer ORDER BY n")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let next = books.last + 1;
        let Ok(row) = Transfer::from_row(row) else {
            return Ok(Err(Broken::Transfer(next)));
        };
        let known = row.kind == Kind::Expire || known::find(db, row.id)? == Some(next);
        if row.n != next || !known || books.take(&row).is_none() {
            return Ok(Err(Broken::Transfer(next)));
        }
    }
    books.compare(db)
}

impl Books {
    /// The next line of the history; `None` when it does not follow.
    fn take(&mut self, row: &Transfer) -> Option<()> {
        let amount = row.amount.minor();
        let (posted, pending) = match row.kind {
            Kind::Transfer => (amount, 0),
            Kind::Reverse => {
                *self.reversed.entry(row.refers?).or_default() += amount;
                (amount, 0)
            }
            Kind::Hold => {
                self.holds.insert(row.n, amount);
                (0, amount)
            }
            Kind::Settle => (amount, -self.holds.remove(&row.refers?)?),
            Kind::Void | Kind::Expire => (0, -self.holds.remove(&row.refers?)?),
        };
        let ledger = self.ledgers.get_mut(&row.ledger)?;
        let delta = Delta { posted, pending };
        for (id, side) in [(row.debit, Side::Debit), (row.credit, Side::Credit)] {
            let (balance, trail) = self.accounts.entry(id).or_default();
            let after = balance.after(side, delta)?;
            if after != *row.after(side) || trail.push(row.n) != row.back(side) {
                return None;
            }
            ledger.proof.change(balance, &after);
            *balance = after;
        }
        if row.link != row.link_after(&ledger.link) {
            return None;
        }
        ledger.link = row.link;
        ledger.transfers += 1;
        self.last = row.n;
        Some(())
    }

    /// Whether what is kept beside the history follows from it.
    fn compare(mut self, db: &Connection) -> rusqlite::Result<Result<i64, Broken>> {
        let last: i64 = db.query_row("SELECT last FROM ledger_state", (), |row| row.get(0))?;
        if last != self.last {
            return Ok(Err(Broken::Transfer(self.last + 1)));
        }
        for kept in Ledger::all(db)? {
            if self.ledgers.get(&kept.id) != Some(&kept) || !kept.proof.balances() {
                return Ok(Err(Broken::Ledger(kept.id)));
            }
        }
        let mut after = AccountId(i64::MIN);
        loop {
            let page = Account::page(db, after, 1_000)?;
            let Some(end) = page.last() else { break };
            after = end.opened.id;
            for kept in page {
                let id = kept.opened.id;
                let (balance, trail) = self.accounts.remove(&id).unwrap_or_default();
                let same = kept.balance == balance && kept.trail == trail;
                if !same || balance.within(kept.opened.limit).is_err() {
                    return Ok(Err(Broken::Account(id)));
                }
            }
        }
        if let Some(id) = self.accounts.keys().next() {
            return Ok(Err(Broken::Account(*id)));
        }
        let holds = self.holds.into_keys().map(|n| (n, 0)).collect();
        if let Some(n) = differs(db, "SELECT n, 0 FROM ledger_hold ORDER BY n", holds)? {
            return Ok(Err(Broken::Hold(n)));
        }
        let query = "SELECT n, amount FROM ledger_reversed ORDER BY n";
        if let Some(n) = differs(db, query, self.reversed)? {
            return Ok(Err(Broken::Reversed(n)));
        }
        Ok(Ok(self.last))
    }
}

/// The first number for which `query` has something else than `expect`.
fn differs(
    db: &Connection,
    query: &str,
    mut expect: BTreeMap<i64, i64>,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (n, value): (i64, i64) = (row.get(0)?, row.get(1)?);
        if expect.remove(&n) != Some(value) {
            return Ok(Some(n));
        }
    }
    Ok(expect.keys().next().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{JUN, MINA, bench, id, won};
    use crate::{Between, Instruction, apply};
    use bongsu_base::LogTime;

    /// Transfers 1 to 4: money comes, moves, is held, and a part of it goes back.
    fn books() -> Connection {
        let db = bench();
        let between = Between {
            debit: MINA,
            credit: JUN,
            money: won(100),
        };
        let batch = [
            Instruction::transfer(id(2), between),
            Instruction::hold(id(3), between, None),
            Instruction::reverse(id(4), id(2), Some(won(10))),
        ];
        let answers = apply(&db, LogTime(2), &batch).expect("applied");
        assert!(answers.iter().all(Result::is_ok));
        db
    }

    #[test]
    fn whatever_is_changed_afterwards_is_found() {
        assert_eq!(check(&books()), Ok(Ok(4)));
        let flip = |n, at| {
            format!(
                "UPDATE ledger_transfer SET body = CAST(substr(body, 1, {at}) ||
                 CASE hex(substr(body, {at} + 1, 1)) WHEN '07' THEN x'08' ELSE x'07' END ||
                 substr(body, {at} + 2) AS BLOB) WHERE n = {n}"
            )
        };
        // Id, amount, code, data, balance, link.
        for at in [3, 45, 53, 60, 140, 199, 230] {
            for n in 1..=4 {
                let db = books();
                db.execute_batch(&flip(n, at)).expect("harms");
                assert_eq!(check(&db), Ok(Err(Broken::Transfer(n))), "byte {at} of {n}");
            }
        }
        let ledger = Broken::Ledger(LedgerId(1));
        for (harm, first) in [
            (
                "DELETE FROM ledger_transfer WHERE n = 2",
                Broken::Transfer(2),
            ),
            (
                "DELETE FROM ledger_transfer WHERE n = 4",
                Broken::Transfer(4),
            ),
            (
                "DELETE FROM ledger_id_0 WHERE place = 3",
                Broken::Transfer(3),
            ),
            (
                "INSERT INTO ledger_transfer SELECT 5, body FROM ledger_transfer WHERE n = 2",
                Broken::Transfer(5),
            ),
            ("UPDATE ledger_book SET transfers = 3", ledger),
            ("UPDATE ledger_book SET proof = zeroblob(64)", ledger),
            (
                "UPDATE ledger_account SET body = zeroblob(40) WHERE id = 2",
                Broken::Account(MINA),
            ),
            (
                "DELETE FROM ledger_account WHERE id = 3",
                Broken::Account(JUN),
            ),
            ("DELETE FROM ledger_hold", Broken::Hold(3)),
            ("INSERT INTO ledger_hold VALUES (2, NULL)", Broken::Hold(2)),
            ("UPDATE ledger_reversed SET amount = 9", Broken::Reversed(2)),
            ("DELETE FROM ledger_reversed", Broken::Reversed(2)),
        ] {
            let db = books();
            db.execute_batch(harm).expect("harms");
            assert_eq!(check(&db), Ok(Err(first)), "{harm}");
        }
    }
}
