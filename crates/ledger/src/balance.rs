//! Balances, now and at any time.

use crate::AccountId;
use crate::account::{Account, Balance};
use crate::bytes::damaged;
use crate::row::Transfer;
use bongsu_base::LogTime;
use rusqlite::Connection;

/// What an account has received and given by now; `None` when there is no such account.
///
/// # Errors
/// When the view cannot be read.
pub fn balance(db: &Connection, account: AccountId) -> rusqlite::Result<Option<Balance>> {
    Ok(Account::by_id(db, account)?.map(|account| account.balance))
}

/// What an account had received and given by `time`, what was done at `time` itself included; `None` when there
/// is no such account, and nothing before its first transfer. Reads about two rows for each doubling of the number
/// of the account's later transfers.
///
/// # Errors
/// When the view cannot be read.
pub fn balance_at(
    db: &Connection,
    account: AccountId,
    time: LogTime,
) -> rusqlite::Result<Option<Balance>> {
    let Some(found) = Account::by_id(db, account)? else {
        return Ok(None);
    };
    let last = last_at(db, &found, time)?;
    let balance = last.map(|row| {
        let side = row.side(account).ok_or_else(|| damaged("trail"))?;
        Ok(*row.after(side))
    });
    balance.unwrap_or_else(|| Ok(Balance::default())).map(Some)
}

/// The last transfer of `account` at `time` or before.
pub(crate) fn last_at(
    db: &Connection,
    account: &Account,
    time: LogTime,
) -> rusqlite::Result<Option<Transfer>> {
    let read = |n| match n {
        0 => Ok(None),
        n => Transfer::by_number(db, n),
    };
    let mut at = read(account.trail.newest())?;
    while let Some(row) = at {
        if row.time <= time {
            return Ok(Some(row));
        }
        let side = row.side(account.opened.id);
        let back = row.back(side.ok_or_else(|| damaged("trail"))?);
        let jump = read(back.jump)?.filter(|row| row.time > time);
        at = match jump {
            Some(row) => Some(row),
            None => read(back.before)?,
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BANK, MINA, bench, id, won};
    use crate::{Between, Instruction, apply_one};

    #[test]
    fn a_past_balance_is_that_of_its_time() {
        let db = bench();
        for n in 2..200 {
            let between = Between {
                debit: BANK,
                credit: MINA,
                money: won(1),
            };
            let time = LogTime(i64::from(n) / 3 * 10);
            apply_one(&db, time, Instruction::transfer(id(n), between))
                .expect("applied")
                .expect("done");
        }
        for time in -1..700 {
            let done = (2..200).filter(|n| n / 3 * 10 <= time).count() as i64;
            let first = if time >= 0 { 1_000 } else { 0 };
            let balance = balance_at(&db, MINA, LogTime(time)).expect("readable");
            let expect = Balance {
                credits_posted: first + done,
                ..Balance::default()
            };
            assert_eq!(balance, Some(expect), "{time}");
        }
        assert_eq!(balance_at(&db, AccountId(77), LogTime(1)), Ok(None));
    }
}
