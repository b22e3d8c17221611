//! What people's clients keep here: account data, filters, media.

use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension};

/// Account data of one type.
///
/// # Errors
/// When the view cannot be read.
pub fn data(
    db: &Connection,
    user: &str,
    room: i64,
    kind: &str,
) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT content FROM account_data WHERE user = ?1 AND room = ?2 AND type = ?3",
    )?
    .query_row((user, room, kind), |row| row.get(0))
    .optional()
}

/// Keeps account data; room 0 is the account as a whole.
///
/// # Errors
/// When the view cannot be written.
pub fn set_data(
    db: &Connection,
    (user, room, kind): (&str, i64, &str),
    content: &str,
    changed: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO account_data (user, room, type, content, changed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET content = excluded.content, changed = excluded.changed",
    )?
    .execute((user, room, kind, content, changed))?;
    Ok(())
}

/// A filter that one of the user's clients keeps here.
///
/// # Errors
/// When the view cannot be read.
pub fn filter(db: &Connection, user: &str, id: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT json FROM filter WHERE user = ?1 AND id = ?2")?
        .query_row((user, id), |row| row.get(0))
        .optional()
}

/// What is known of an uploaded blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaItem {
    /// The blob's hash, in hexadecimal.
    pub blob: String,
    /// Its length.
    pub bytes: u64,
    /// What the uploader said it is.
    pub content_type: Option<String>,
    /// What the uploader called it.
    pub filename: Option<String>,
    /// Who uploaded it.
    pub uploader: String,
    /// When.
    pub time: LogTime,
}

/// The media `id`.
///
/// # Errors
/// When the view cannot be read.
pub fn media(db: &Connection, id: &str) -> rusqlite::Result<Option<MediaItem>> {
    db.prepare_cached(
        "SELECT blob, bytes, content_type, filename, uploader, time FROM media WHERE id = ?1",
    )?
    .query_row([id], |row| {
        Ok(MediaItem {
            blob: row.get(0)?,
            bytes: row.get::<_, i64>(1)? as u64,
            content_type: row.get(2)?,
            filename: row.get(3)?,
            uploader: row.get(4)?,
            time: LogTime(row.get(5)?),
        })
    })
    .optional()
}
