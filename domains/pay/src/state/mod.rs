//! The view's tables and typed access to them.

pub mod bill;
pub mod book;
pub mod code;
pub mod delivery;
pub mod dispute;
pub mod key;
pub mod merchant;
pub mod payment;
pub mod review;
pub mod set_aside;
pub mod subscription;
pub mod top_up;
pub mod wallet;
pub mod webhook;

use crate::command::Ordered;
use rusqlite::Connection;

/// The next number of a kind, from 1.
pub fn next_number(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO pay_number VALUES (?1, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
    )?
    .query_row([name], |row| row.get(0))
}

/// Whether it is not known yet what the bank did with an order.
pub fn waits(db: &Connection, order: &Ordered) -> rusqlite::Result<bool> {
    Ok(match order {
        Ordered::Payment(id) => {
            payment::find(db, *id)?.is_some_and(|found| found.state == crate::State::AtBank)
        }
        Ordered::Settlement(n) => {
            merchant::settlement(db, *n)?.is_some_and(|found| found.state == 1)
        }
    })
}

/// What a column holds that cannot be read.
pub fn damaged(what: &'static str) -> rusqlite::Error {
    let error = std::io::Error::other(format!("the column {what} holds what was never written"));
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
}
