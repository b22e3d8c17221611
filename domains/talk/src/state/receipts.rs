//! How far people have read.

use rusqlite::{Connection, OptionalExtension};

/// Everybody sees it.
pub const READ: &str = "m.read";
/// Only the reader's own devices see it.
pub const READ_PRIVATE: &str = "m.read.private";

/// Moves a receipt forward; one that is not before `event` stays. Says whether it moved.
///
/// # Errors
/// When the view cannot be written.
pub fn advance(
    db: &Connection,
    (room, user, kind, thread): (i64, &str, &str, &str),
    event: i64,
    time: i64,
    changed: i64,
) -> rusqlite::Result<bool> {
    let found: Option<i64> = db
        .prepare_cached(
            "SELECT event FROM receipt WHERE room = ?1 AND user = ?2 AND kind = ?3 AND thread = ?4",
        )?
        .query_row((room, user, kind, thread), |row| row.get(0))
        .optional()?;
    if found.is_some_and(|found| found >= event) {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT INTO receipt (room, user, kind, thread, event, time, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET event = excluded.event, time = excluded.time, changed = excluded.changed",
    )?
    .execute((room, user, kind, thread, event, time, changed))?;
    db.prepare_cached("UPDATE room SET receipts_changed = ?2 WHERE n = ?1")?
        .execute((room, changed))?;
    Ok(true)
}

/// What is unread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Events of others that make one unread.
    pub notifications: i64,
    /// Those of them that mention the reader.
    pub highlights: i64,
}
