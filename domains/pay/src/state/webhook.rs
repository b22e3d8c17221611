//! Where merchants are told what happened.

use crate::id::Salt;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

/// Where a merchant is told, and with which secrets that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// Of which the secret is made.
    pub salt: Salt,
    /// The same of the secret before it, and until when that signs too.
    pub old: Option<(Salt, LogTime)>,
}

/// Reads one whose columns begin at `from`.
pub(super) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Webhook> {
    let old: (Option<[u8; 24]>, Option<i64>) = (row.get(from + 2)?, row.get(from + 3)?);
    Ok(Webhook {
        url: row.get(from)?,
        salt: Salt(row.get(from + 1)?),
        old: match old {
            (Some(salt), Some(until)) => Some((Salt(salt), LogTime(until))),
            _ => None,
        },
    })
}

/// That of a merchant.
pub fn find(db: &Connection, merchant: &str) -> rusqlite::Result<Option<Webhook>> {
    db.prepare_cached("SELECT url, salt, old, old_until FROM webhook WHERE merchant = ?1")?
        .query_row([merchant], |row| read(row, 0))
        .optional()
}

/// Writes that of a merchant.
pub fn write(db: &Connection, merchant: &str, webhook: &Webhook) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO webhook (merchant, url, salt, old, old_until) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET url = ?2, salt = ?3, old = ?4, old_until = ?5",
    )?
    .execute((
        merchant,
        &webhook.url,
        webhook.salt.0,
        webhook.old.map(|(salt, _)| salt.0),
        webhook.old.map(|(_, until)| until.0),
    ))
    .map(drop)
}

/// Removes that of a merchant.
pub fn remove(db: &Connection, merchant: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM webhook WHERE merchant = ?1")?
        .execute([merchant])
        .map(drop)
}
