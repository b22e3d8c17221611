//! Disputes.

use super::{damaged, next_number};
use crate::dispute::{Dispute, DisputeState};
use crate::id::PaymentId;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str =
    "payment, merchant, payer, amount, currency, state, reason, answer, made, changed, n";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Dispute)> {
    let currency = row.get_ref(4)?.as_str()?.parse();
    let dispute = Dispute {
        payment: PaymentId(row.get(0)?),
        merchant: row.get(1)?,
        payer: row.get(2)?,
        amount: row.get(3)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        state: match row.get(5)? {
            1_i64 => DisputeState::Open,
            2 => DisputeState::Answered,
            3 => DisputeState::Refunded,
            4 => DisputeState::Rejected,
            _ => return Err(damaged("state")),
        },
        reason: row.get(6)?,
        answer: row.get(7)?,
        made: LogTime(row.get(8)?),
        changed: LogTime(row.get(9)?),
    };
    Ok((row.get(10)?, dispute))
}

/// That of a purchase.
pub fn find(db: &Connection, payment: PaymentId) -> rusqlite::Result<Option<Dispute>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM dispute WHERE payment = ?1"))?
        .query_row([payment.0], |row| read(row).map(|(_, found)| found))
        .optional()
}

/// Whose disputes.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those of a payer.
    Payer(&'a str),
    /// Those of a merchant.
    Merchant(&'a str),
    /// All.
    All,
}

/// Up to `limit` of `whose` before number `before`, newest first, with their numbers.
pub fn list(
    db: &Connection,
    whose: Whose<'_>,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Dispute)>> {
    let (wanted, who) = match whose {
        Whose::Payer(who) => ("payer = ?1 AND", who),
        Whose::Merchant(who) => ("merchant = ?1 AND", who),
        Whose::All => ("?1 = '' AND", ""),
    };
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM dispute WHERE {wanted} n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?
    .query_map((who, before, limit as i64), read)?
    .collect()
}

/// How much of what a merchant earned is in dispute: what it would have to give back.
pub fn withheld(db: &Connection, merchant: &str) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT coalesce(sum(p.amount - p.refunded - p.fee + p.fee_back), 0)
         FROM dispute d JOIN payment p ON p.id = d.payment WHERE d.merchant = ?1 AND d.state < 3",
    )?
    .query_row([merchant], |row| row.get(0))
}

/// Writes a new one.
pub fn insert(db: &Connection, new: &Dispute) -> rusqlite::Result<()> {
    let n = next_number(db, "dispute")?;
    db.prepare_cached(&format!(
        "INSERT INTO dispute ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    ))?
    .execute((
        new.payment.0,
        &new.merchant,
        &new.payer,
        new.amount,
        new.currency.code(),
        new.state as i64,
        &new.reason,
        &new.answer,
        new.made.0,
        new.changed.0,
        n,
    ))
    .map(drop)
}

/// Writes what changes of one.
pub fn update(db: &Connection, changed: &Dispute) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE dispute SET state = ?2, answer = ?3, changed = ?4 WHERE payment = ?1",
    )?
    .execute((
        changed.payment.0,
        changed.state as i64,
        &changed.answer,
        changed.changed.0,
    ))
    .map(drop)
}
