//! Codes that people show to be charged.

use crate::id::Hash;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension};

/// Whose code it is, and until when it is good.
pub fn find(db: &Connection, code: Hash) -> rusqlite::Result<Option<(String, LogTime)>> {
    db.prepare_cached("SELECT owner, until FROM code WHERE hash = ?1")?
        .query_row([code.0], |row| Ok((row.get(0)?, LogTime(row.get(1)?))))
        .optional()
}

/// Keeps a code.
pub fn insert(db: &Connection, code: Hash, owner: &str, until: LogTime) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO code (hash, owner, until) VALUES (?1, ?2, ?3)")?
        .execute((code.0, owner, until.0))
        .map(drop)
}

/// Removes a code.
pub fn remove(db: &Connection, code: Hash) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM code WHERE hash = ?1")?
        .execute([code.0])
        .map(drop)
}

/// Up to `most` codes that are over at `time`.
pub fn due(db: &Connection, time: LogTime, most: u32) -> rusqlite::Result<Vec<Hash>> {
    db.prepare_cached("SELECT hash FROM code WHERE until <= ?1 ORDER BY until, hash LIMIT ?2")?
        .query_map((time.0, most), |row| row.get(0).map(Hash))?
        .collect()
}
