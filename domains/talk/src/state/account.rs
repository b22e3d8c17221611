//! What people's clients keep here: account data, filters.

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
