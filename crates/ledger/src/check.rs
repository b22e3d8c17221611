//! Whether the books are in order, from the rows alone.

use crate::account::{Account, Balance, Side};
use crate::book::{Ledger, Proof};
use crate::known::Expected;
use crate::row::{Kind, Transfer};
use crate::trail::Trail;
use crate::{AccountId, LedgerId};
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
    /// The account is not the sum of its history.
    #[error("account {} is not the sum of its history", .0.0)]
    Account(AccountId),
    /// The account is beyond its limit.
    #[error("account {} is beyond its limit", .0.0)]
    Limit(AccountId),
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
    let mut expected = Expected::default();
    let broken = loop {
        let Some(row) = rows.next()? else { break None };
        let next = books.last + 1;
        let row = Transfer::from_row(row).ok().filter(|row| row.n == next);
        let Some(row) = row.filter(|row| books.take(row).is_some()) else {
            break Some(next);
        };
        expected.push(&row);
        if expected.is_long()
            && let Some(missing) = expected.missing(db)?
        {
            break Some(missing);
        }
    };
    // What was not looked for yet stands before what was found broken.
    if let Some(first) = expected.missing(db)?.or(broken) {
        return Ok(Err(Broken::Transfer(first)));
    }
    books.compare(db)
}

impl Books {
    /// The next line of the history; `None` when it does not follow.
    fn take(&mut self, row: &Transfer) -> Option<()> {
        let amount = row.amount.minor();
        let mut held = 0;
        match row.kind {
            Kind::Transfer => {}
            Kind::Reverse => *self.reversed.entry(row.refers?).or_default() += amount,
            Kind::Hold => drop(self.holds.insert(row.n, amount)),
            Kind::Settle | Kind::Void | Kind::Expire => held = self.holds.remove(&row.refers?)?,
        }
        let ledger = self.ledgers.get_mut(&row.ledger)?;
        let delta = row.delta(held);
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
                if kept.balance != balance || kept.trail != trail {
                    return Ok(Err(Broken::Account(id)));
                }
                if balance.within(kept.opened.limit).is_err() {
                    return Ok(Err(Broken::Limit(id)));
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
    use crate::testing::{HARM, books};

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
        for (harm, first) in HARM {
            let db = books();
            db.execute_batch(harm).expect("harms");
            assert_eq!(check(&db), Ok(Err(first)), "{harm}");
        }
    }
}
