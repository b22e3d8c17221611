//! What people let merchants charge.

use super::{damaged, next_number};
use crate::id::{PaymentId, SubscriptionId};
use crate::subscription::{Period, Subscription, SubscriptionState};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str = "id, merchant, payer, payment, max, currency, period, until, state, note, made, changed, \
                       begun, charged, charges, last, n";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Subscription)> {
    let currency = row.get_ref(5)?.as_str()?.parse();
    let subscription = Subscription {
        id: SubscriptionId(row.get(0)?),
        merchant: row.get(1)?,
        payer: row.get(2)?,
        payment: PaymentId(row.get(3)?),
        max: row.get(4)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        period: match row.get(6)? {
            1_i64 => Period::Day,
            2 => Period::Week,
            3 => Period::Month,
            _ => return Err(damaged("period")),
        },
        until: LogTime(row.get(7)?),
        state: match row.get(8)? {
            1_i64 => SubscriptionState::Ready,
            2 => SubscriptionState::Active,
            3 => SubscriptionState::Revoked,
            4 => SubscriptionState::Ended,
            _ => return Err(damaged("state")),
        },
        note: row.get(9)?,
        made: LogTime(row.get(10)?),
        changed: LogTime(row.get(11)?),
        begun: LogTime(row.get(12)?),
        charged: row.get(13)?,
        charges: row.get(14)?,
        last: row.get::<_, Option<[u8; 16]>>(15)?.map(PaymentId),
    };
    Ok((row.get(16)?, subscription))
}

/// The subscription `id`.
pub fn find(db: &Connection, id: SubscriptionId) -> rusqlite::Result<Option<Subscription>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM subscription WHERE id = ?1"))?
        .query_row([id.0], |row| read(row).map(|(_, found)| found))
        .optional()
}

/// That to which a payer consents with `payment`.
pub fn with(db: &Connection, payment: PaymentId) -> rusqlite::Result<Option<Subscription>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE payment = ?1"
    ))?
    .query_row([payment.0], |row| read(row).map(|(_, found)| found))
    .optional()
}

/// Up to `limit` of a merchant's before number `before`, newest first, with their numbers.
pub fn of_merchant(
    db: &Connection,
    merchant: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Subscription)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE merchant = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?
    .query_map((merchant, before, limit as i64), read)?
    .collect()
}

/// The same of those to which `payer` has consented.
pub fn of_payer(
    db: &Connection,
    payer: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Subscription)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE payer = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?
    .query_map((payer, before, limit as i64), read)?
    .collect()
}

/// Writes a new one.
pub fn insert(db: &Connection, new: &Subscription) -> rusqlite::Result<()> {
    let n = next_number(db, "subscription")?;
    db.prepare_cached(
        "INSERT INTO subscription (n, id, merchant, payer, payment, max, currency, period, until, state, note, made,
             changed, begun, charged, charges)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12, 0, 0)",
    )?
    .execute((
        n,
        new.id.0,
        &new.merchant,
        &new.payer,
        new.payment.0,
        new.max,
        new.currency.code(),
        new.period as i64,
        new.until.0,
        new.state as i64,
        &new.note,
        new.made.0,
    ))
    .map(drop)
}

/// Writes what changes of one.
pub fn update(db: &Connection, changed: &Subscription) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE subscription SET payer = ?2, state = ?3, changed = ?4, begun = ?5, charged = ?6, charges = ?7,
             last = ?8 WHERE id = ?1",
    )?
    .execute((
        changed.id.0,
        &changed.payer,
        changed.state as i64,
        changed.changed.0,
        changed.begun.0,
        changed.charged,
        changed.charges,
        changed.last.map(|id| id.0),
    ))
    .map(drop)
}
