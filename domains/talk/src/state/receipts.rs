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

/// What is unread for `user`, who is in the room numbered `room` since `joined`. Sending is reading: what
/// came before the reader's own last event is read. The count costs the same however much is unread,
/// since each event carries the room's count of notable events.
///
/// # Errors
/// When the view cannot be read.
pub fn unread(db: &Connection, room: i64, user: &str, joined: i64) -> rusqlite::Result<Unread> {
    let from = read_up_to(db, room, user, joined)?;
    let notifications = db
        .prepare_cached(
            "SELECT room.notable - coalesce((SELECT notable FROM event WHERE event.room = ?1 AND position <= ?2
                                              ORDER BY position DESC LIMIT 1), 0)
             FROM room WHERE n = ?1",
        )?
        .query_row((room, from), |row| row.get(0))?;
    let highlights = db
        .prepare_cached(
            "SELECT count(*) FROM mention WHERE room = ?1 AND user IN (?2, '') AND event > ?3",
        )?
        .query_row((room, user, from), |row| row.get(0))?;
    Ok(Unread {
        notifications,
        highlights,
    })
}

/// Up to where `user`, who is in the room numbered `room` since `joined`, has read. Sending is reading.
///
/// # Errors
/// When the view cannot be read.
pub fn read_up_to(db: &Connection, room: i64, user: &str, joined: i64) -> rusqlite::Result<i64> {
    let read: Option<i64> = db
        .prepare_cached("SELECT max(event) FROM receipt WHERE room = ?1 AND user = ?2")?
        .query_row((room, user), |row| row.get(0))?;
    let own: Option<i64> = db
        .prepare_cached("SELECT last_sent FROM member WHERE room = ?1 AND user = ?2")?
        .query_row((room, user), |row| row.get(0))
        .optional()?;
    Ok(read.unwrap_or(0).max(joined).max(own.unwrap_or(0)))
}
