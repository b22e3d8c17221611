//! Rooms that nobody may enter, that are being shut down, or that are being deleted.

use rusqlite::{Connection, OptionalExtension};

/// How a room is shut down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// In whose name people are moved out.
    pub speaker: String,
    /// Why, for people to read.
    pub notice: String,
    /// The number of the room to which they are invited.
    pub replacement: Option<i64>,
}

/// Since which position nobody may enter the room `id`.
///
/// # Errors
/// When the view cannot be read.
pub fn blocked(db: &Connection, id: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT since FROM blocked_room WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Keeps everybody from entering the room `id`.
///
/// # Errors
/// When the view cannot be written.
pub fn block(db: &Connection, id: &str, since: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO blocked_room (id, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute((id, since))
    .map(drop)
}

/// Lets people enter the room `id` again.
///
/// # Errors
/// When the view cannot be written.
pub fn unblock(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM blocked_room WHERE id = ?1")?
        .execute([id])
        .map(drop)
}

/// How the room numbered `room` is being shut down.
///
/// # Errors
/// When the view cannot be read.
pub fn closing(db: &Connection, room: i64) -> rusqlite::Result<Option<Closing>> {
    db.prepare_cached("SELECT speaker, notice, replacement FROM closing_room WHERE room = ?1")?
        .query_row([room], |row| {
            Ok(Closing {
                speaker: row.get(0)?,
                notice: row.get(1)?,
                replacement: row.get(2)?,
            })
        })
        .optional()
}

/// Begins to shut the room numbered `room` down.
///
/// # Errors
/// When the view cannot be written.
pub fn begin_closing(db: &Connection, room: i64, closing: &Closing) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO closing_room (room, speaker, notice, replacement) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET speaker = excluded.speaker, notice = excluded.notice,
           replacement = excluded.replacement",
    )?
    .execute((room, &closing.speaker, &closing.notice, closing.replacement))
    .map(drop)
}

/// Nobody is left in the room numbered `room`.
///
/// # Errors
/// When the view cannot be written.
pub fn end_closing(db: &Connection, room: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM closing_room WHERE room = ?1")?
        .execute([room])
        .map(drop)
}

/// Whether the room numbered `room` is being deleted.
///
/// # Errors
/// When the view cannot be read.
pub fn doomed(db: &Connection, room: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM doomed_room WHERE room = ?1")?
        .exists([room])
}

/// Begins to delete the room numbered `room`.
///
/// # Errors
/// When the view cannot be written.
pub fn doom(db: &Connection, room: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO doomed_room (room) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([room])
        .map(drop)
}

/// The rooms that are being shut down or deleted, by number: at most `most`.
///
/// # Errors
/// When the view cannot be read.
pub fn unfinished(db: &Connection, most: u32) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT room FROM closing_room UNION SELECT room FROM doomed_room ORDER BY 1 LIMIT ?1",
    )?
    .query_map([most], |row| row.get(0))?
    .collect()
}
