//! What is good once and was used, or is good no more.

use crate::secret::TokenHash;
use bongsu_base::LogTime;
use rusqlite::{Connection, Result};

/// Whether it was spent.
pub fn is_spent(db: &Connection, hash: &TokenHash) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM oauth_spent WHERE hash = ?1")?
        .exists([hash.as_bytes()])
}

/// Writes that it was, which is remembered until `until`. Whether it is the first time.
pub fn spend(db: &Connection, hash: &TokenHash, until: LogTime) -> Result<bool> {
    let rows = db
        .prepare_cached("INSERT OR IGNORE INTO oauth_spent (hash, until) VALUES (?1, ?2)")?
        .execute((hash.as_bytes(), until.0))?;
    Ok(rows == 1)
}

/// Removes up to `most` that are worth nothing since before `before`.
pub fn purge(db: &Connection, before: LogTime, most: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM oauth_spent WHERE hash IN
           (SELECT hash FROM oauth_spent WHERE until < ?1 ORDER BY until, hash LIMIT ?2)",
    )?
    .execute((before.0, most))?;
    Ok(())
}
