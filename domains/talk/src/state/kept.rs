//! Media that is the platform's own and goes by itself: pictures of pages that people linked to.

use super::media;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension};

/// Media that is kept for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The media id.
    pub id: String,
    /// Until when it is kept at least.
    pub expires: LogTime,
    /// Whether it is withheld from everybody.
    pub quarantined: bool,
}

/// What is kept of the blob with this hash, the longest.
///
/// # Errors
/// When the view cannot be read.
pub fn of_blob(db: &Connection, blob: &str) -> rusqlite::Result<Option<Kept>> {
    db.prepare_cached(
        "SELECT kept.id, kept.expires,
                EXISTS (SELECT 1 FROM media_quarantine AS q WHERE q.id = kept.id) AS withheld
         FROM media JOIN media_kept AS kept ON kept.id = media.id WHERE media.blob = ?1
         ORDER BY withheld DESC, kept.expires DESC, kept.id LIMIT 1",
    )?
    .query_row([blob], |row| {
        Ok(Kept {
            id: row.get(0)?,
            expires: LogTime(row.get(1)?),
            quarantined: row.get(2)?,
        })
    })
    .optional()
}

/// Keeps the media `id` until `expires`.
///
/// # Errors
/// When the view cannot be written.
pub fn keep(db: &Connection, id: &str, expires: LogTime) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO media_kept (id, expires) VALUES (?1, ?2)")?
        .execute((id, expires.0))?;
    Ok(())
}

/// The media that need not be kept any longer at `now`: id and blob, the oldest, at most `most`. What the
/// operator withholds stays, so that it does not come back.
///
/// # Errors
/// When the view cannot be read.
pub fn expired(
    db: &Connection,
    now: LogTime,
    most: u32,
) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    db.prepare_cached(
        "SELECT kept.id, media.blob FROM media_kept AS kept LEFT JOIN media ON media.id = kept.id
         WHERE kept.expires <= ?1
           AND NOT EXISTS (SELECT 1 FROM media_quarantine AS q WHERE q.id = kept.id)
         ORDER BY kept.expires, kept.id LIMIT ?2",
    )?
    .query_map((now.0, most), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Removes the media `id`, which was kept.
///
/// # Errors
/// When the view cannot be written.
pub fn forget(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM media_kept WHERE id = ?1")?
        .execute([id])?;
    if let Some(item) = media::item(db, id)? {
        media::remove(db, id, &item)?;
    }
    Ok(())
}
