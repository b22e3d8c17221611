//! What merchants are told, and how far each telling is.

use super::webhook::{self, Webhook};
use super::{damaged, next_number};
use crate::answer::{About, Telling};
use crate::id::EventId;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str = "d.n, d.id, d.merchant, d.about, d.made, d.state, d.attempts, d.begun, d.earlier, d.next, d.status";

/// One thing that a merchant is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub n: i64,
    /// What it is called, each time it is told.
    pub id: EventId,
    /// Who is told.
    pub merchant: String,
    /// What.
    pub about: About,
    /// When it happened.
    pub made: LogTime,
    /// How far it is.
    pub state: Telling,
    /// How often it was tried.
    pub attempts: u32,
    /// When this round of attempts began.
    pub begun: LogTime,
    /// How many attempts there were before this round.
    pub earlier: u32,
    /// When it is tried next.
    pub next: Option<LogTime>,
    /// What the last attempt was answered; nothing, where there was no answer.
    pub status: Option<u16>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let about = postcard::from_bytes(row.get_ref(3)?.as_blob()?);
    Ok(Delivery {
        n: row.get(0)?,
        id: EventId(row.get(1)?),
        merchant: row.get(2)?,
        about: about.map_err(|_| damaged("about"))?,
        made: LogTime(row.get(4)?),
        state: match row.get(5)? {
            1_i64 => Telling::Waiting,
            2 => Telling::Delivered,
            3 => Telling::GivenUp,
            4 => Telling::Stopped,
            _ => return Err(damaged("state")),
        },
        attempts: row.get(6)?,
        begun: LogTime(row.get(7)?),
        earlier: row.get(8)?,
        next: row.get::<_, Option<i64>>(9)?.map(LogTime),
        status: row.get(10)?,
    })
}

/// Has a merchant be told of what happened now. What it is told already is not told under another number.
pub fn insert(
    db: &Connection,
    now: LogTime,
    (merchant, about): (&str, &About),
) -> rusqlite::Result<()> {
    let n = next_number(db, "delivery")?;
    let bytes = postcard::to_stdvec(about).expect("what happened is plain data");
    db.prepare_cached(
        "INSERT INTO delivery (n, id, merchant, about, made, state, attempts, begun, earlier, next)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?5, 0, ?5) ON CONFLICT (id) DO NOTHING",
    )?
    .execute((
        n,
        about.id().0,
        merchant,
        bytes,
        now.0,
        Telling::Waiting as i64,
    ))
    .map(drop)
}

/// Writes how far one is.
pub fn update(db: &Connection, one: &Delivery) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, attempts = ?3, begun = ?4, earlier = ?5, next = ?6, status = ?7
         WHERE n = ?1",
    )?
    .execute((
        one.n,
        one.state as i64,
        one.attempts,
        one.begun.0,
        one.earlier,
        one.next.map(|at| at.0),
        one.status,
    ))
    .map(drop)
}

/// The one of this number.
pub fn numbered(db: &Connection, n: i64) -> rusqlite::Result<Option<Delivery>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM delivery d WHERE n = ?1"))?
        .query_row([n], read)
        .optional()
}

/// The one that is called `id`.
pub fn find(db: &Connection, id: EventId) -> rusqlite::Result<Option<Delivery>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM delivery d WHERE id = ?1"))?
        .query_row([id.0], read)
        .optional()
}

/// Up to `limit` of those of a merchant before number `before`, newest first.
pub fn of(
    db: &Connection,
    merchant: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Delivery>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery d WHERE merchant = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?
    .query_map((merchant, before, limit as i64), read)?
    .collect()
}

/// Up to `limit` of those that are due at `now`, with where they go: of each merchant `each` at the most, those that were
/// tried least first.
pub fn due(
    db: &Connection,
    now: LogTime,
    (each, limit): (usize, usize),
) -> rusqlite::Result<Vec<(Delivery, Webhook)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, w.url, w.salt, w.old, w.old_until FROM webhook w JOIN delivery d ON d.n IN
             (SELECT n FROM delivery WHERE merchant = w.merchant AND next <= ?1 ORDER BY next, n LIMIT ?2)
         ORDER BY d.attempts, d.next, d.n LIMIT ?3"
    ))?
    .query_map((now.0, each as i64, limit as i64), |row| {
        Ok((read(row)?, webhook::read(row, 11)?))
    })?
    .collect()
}

/// Has nothing be tried any more that waits for a merchant.
pub fn stop(db: &Connection, merchant: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, next = NULL WHERE merchant = ?1 AND next IS NOT NULL",
    )?
    .execute((merchant, Telling::Stopped as i64))
    .map(drop)
}

/// When the oldest that waits happened.
pub fn oldest(db: &Connection) -> rusqlite::Result<Option<LogTime>> {
    db.prepare_cached("SELECT made FROM delivery WHERE next IS NOT NULL ORDER BY made, n LIMIT 1")?
        .query_row((), |row| row.get(0).map(LogTime))
        .optional()
}

/// Numbers of up to `most` that are over and happened before `until`, the oldest first.
pub fn past(db: &Connection, until: LogTime, most: u32) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT n FROM delivery WHERE next IS NULL AND made < ?1 ORDER BY made, n LIMIT ?2",
    )?
    .query_map((until.0, most), |row| row.get(0))?
    .collect()
}

/// Forgets the one of this number.
pub fn forget(db: &Connection, n: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM delivery WHERE n = ?1")?
        .execute([n])
        .map(drop)
}
