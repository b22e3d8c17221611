//! What may come from the bank, and what it is still to bring.

use crate::command::TopUpLimits;
use crate::id::PaymentId;
use crate::limits;
use bongsu_ledger::Currency;
use rusqlite::{Connection, OptionalExtension};

/// Under this owner stands what is to come in a currency for everybody.
pub const ALL: &str = "";

/// What may come to wallets in `currency` of people of `level`.
pub fn limits_of(db: &Connection, currency: Currency, level: u8) -> rusqlite::Result<TopUpLimits> {
    let found = db
        .prepare_cached(
            "SELECT top_up, balance FROM top_up_limits WHERE currency = ?1 AND level = ?2",
        )?
        .query_row((currency.code(), level), |row| {
            Ok(TopUpLimits {
                top_up: row.get(0)?,
                balance: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or(limits::usual_top_up(level)))
}

/// Sets that.
pub fn set_limits(
    db: &Connection,
    (currency, level): (Currency, u8),
    limits: &TopUpLimits,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO top_up_limits VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
         SET top_up = excluded.top_up, balance = excluded.balance",
    )?
    .execute((currency.code(), level, limits.top_up, limits.balance))
    .map(drop)
}

/// What the bank is still to bring to `owner`.
pub fn coming(db: &Connection, owner: &str, currency: Currency) -> rusqlite::Result<i64> {
    let found = db
        .prepare_cached("SELECT amount FROM coming WHERE owner = ?1 AND currency = ?2")?
        .query_row((owner, currency.code()), |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Counts a top-up that the bank is asked for.
pub fn await_it(
    db: &Connection,
    id: PaymentId,
    (owner, currency): (&str, Currency),
    amount: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO awaited VALUES (?1)")?
        .execute([id.0])?;
    count(db, (owner, currency), amount)
}

/// Counts a top-up no longer of which the bank has spoken, if it was counted.
pub fn arrived(
    db: &Connection,
    id: PaymentId,
    (owner, currency): (&str, Currency),
    amount: i64,
) -> rusqlite::Result<()> {
    let counted = db
        .prepare_cached("DELETE FROM awaited WHERE payment = ?1")?
        .execute([id.0])?;
    if counted == 0 {
        return Ok(());
    }
    count(db, (owner, currency), -amount)
}

fn count(
    db: &Connection,
    (owner, currency): (&str, Currency),
    amount: i64,
) -> rusqlite::Result<()> {
    for owner in [owner, ALL] {
        db.prepare_cached(
            "INSERT INTO coming VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
             SET amount = amount + excluded.amount",
        )?
        .execute((owner, currency.code(), amount))?;
    }
    Ok(())
}
