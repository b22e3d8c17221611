//! Statements of account.

use crate::account::{Account, Balance, Side};
use crate::balance::last_at;
use crate::bytes::damaged;
use crate::row::Transfer;
use crate::{AccountId, Refused};
use bongsu_base::LogTime;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// Where the next page of a statement begins. Stays good for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub i64);

/// Where a page of a statement begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the newest line.
    Newest,
    /// With the last line at this time or before.
    At(LogTime),
    /// Where the page before ended.
    Cursor(Cursor),
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was done.
    pub transfer: Transfer,
    /// On which side of it the account is.
    pub side: Side,
    /// The account's balance after it.
    pub balance: Balance,
}

/// A page of a statement, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

/// Up to `limit` lines of what happened to `account`, holds and their ends included, newest first. It is
/// [`Refused::NoSuchAccount`] when there is none, and [`Refused::NoSuchTransfer`] when the cursor is of
/// another account.
///
/// # Errors
/// When the view cannot be read.
pub fn statement(
    db: &Connection,
    account: AccountId,
    start: Start,
    limit: usize,
) -> rusqlite::Result<Result<Page, Refused>> {
    let Some(found) = Account::by_id(db, account)? else {
        return Ok(Err(Refused::NoSuchAccount));
    };
    let mut next = match start {
        Start::Newest => found.trail.newest(),
        Start::At(time) => last_at(db, &found, time)?.map_or(0, |row| row.n),
        Start::Cursor(Cursor(n)) => {
            let row = Transfer::by_number(db, n)?;
            if row.is_none_or(|row| row.side(account).is_none()) {
                return Ok(Err(Refused::NoSuchTransfer));
            }
            n
        }
    };
    let mut lines = Vec::new();
    while next != 0 && lines.len() < limit {
        let transfer = Transfer::by_number(db, next)?.ok_or_else(|| damaged("trail"))?;
        let side = transfer.side(account).ok_or_else(|| damaged("trail"))?;
        next = transfer.back(side).before;
        lines.push(Line {
            balance: *transfer.after(side),
            side,
            transfer,
        });
    }
    let next = Some(Cursor(next)).filter(|next| next.0 != 0);
    Ok(Ok(Page { lines, next }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BANK, JUN, MINA, SECOND, bench, id, won};
    use crate::{Between, Instruction, apply_one};

    #[test]
    fn a_statement_is_read_a_page_at_a_time() {
        let db = bench();
        for n in 2..12 {
            let credit = if n % 2 == 0 { MINA } else { JUN };
            let between = Between {
                debit: BANK,
                credit,
                money: won(n.into()),
            };
            let time = LogTime(i64::from(n));
            apply_one(&db, time, Instruction::transfer(id(n), between))
                .expect("applied")
                .expect("done");
        }
        let page = |start, limit| {
            let page = statement(&db, MINA, start, limit).expect("readable");
            let page = page.expect("a page");
            let amounts = page.lines.iter().map(|line| line.transfer.amount.minor());
            (amounts.collect::<Vec<_>>(), page.next)
        };
        let (amounts, next) = page(Start::Newest, 4);
        assert_eq!(amounts, [10, 8, 6, 4]);
        let next = Start::Cursor(next.expect("there is more"));
        assert_eq!(page(next, 4), (vec![2, 1_000], None));
        assert_eq!(page(Start::At(LogTime(7)), 2).0, [6, 4]);
        assert_eq!(page(Start::At(LogTime(-1)), 2), (vec![], None));
        for (account, start, refused) in [
            (AccountId(77), Start::Newest, Refused::NoSuchAccount),
            (SECOND, next, Refused::NoSuchTransfer),
            (MINA, Start::Cursor(Cursor(-5)), Refused::NoSuchTransfer),
        ] {
            assert_eq!(statement(&db, account, start, 4), Ok(Err(refused)));
        }
        let bank = statement(&db, BANK, Start::Newest, 1).expect("readable");
        let bank = bank.expect("a page");
        assert_eq!(bank.lines[0].side, Side::Debit);
        assert_eq!(
            bank.lines[0].balance.debits_posted,
            1_000 + (2..12).sum::<i64>()
        );
    }
}
