//! Uploaded media: what there is, what is still to come, what people's uploads come to.

use crate::command::AddMedia;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension};

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
    /// Whether it is withheld from everybody.
    pub quarantined: bool,
}

/// A media id whose content is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Who may upload it.
    pub user: String,
    /// Until when.
    pub expires: LogTime,
}

/// What somebody's uploads come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many there are.
    pub files: u64,
    /// Their lengths together.
    pub bytes: u64,
}

/// The media `id`.
///
/// # Errors
/// When the view cannot be read.
pub fn item(db: &Connection, id: &str) -> rusqlite::Result<Option<MediaItem>> {
    db.prepare_cached(
        "SELECT blob, bytes, content_type, filename, uploader, time,
                EXISTS (SELECT 1 FROM media_quarantine AS q WHERE q.id = media.id)
         FROM media WHERE id = ?1",
    )?
    .query_row([id], |row| {
        Ok(MediaItem {
            blob: row.get(0)?,
            bytes: row.get::<_, i64>(1)? as u64,
            content_type: row.get(2)?,
            filename: row.get(3)?,
            uploader: row.get(4)?,
            time: LogTime(row.get(5)?),
            quarantined: row.get(6)?,
        })
    })
    .optional()
}

/// Adds media of `user`, and counts it.
///
/// # Errors
/// When the view cannot be written.
pub fn add(db: &Connection, user: &str, media: &AddMedia, time: LogTime) -> rusqlite::Result<()> {
    let bytes = media.bytes as i64;
    db.prepare_cached(
        "INSERT INTO media (id, blob, bytes, content_type, filename, uploader, time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        &media.id,
        &media.blob,
        bytes,
        &media.content_type,
        &media.filename,
        user,
        time.0,
    ))?;
    count(db, user, 1, bytes)
}

/// Removes the media `id`, of which `item` is known.
///
/// # Errors
/// When the view cannot be written.
pub fn remove(db: &Connection, id: &str, item: &MediaItem) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM media WHERE id = ?1")?
        .execute([id])?;
    set_quarantined(db, id, false)?;
    set_protected(db, id, false)?;
    count(db, &item.uploader, -1, -(item.bytes as i64))
}

fn count(db: &Connection, user: &str, files: i64, bytes: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO media_usage (user, files, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET files = files + excluded.files, bytes = bytes + excluded.bytes",
    )?
    .execute((user, files, bytes))?;
    Ok(())
}

/// What the uploads of `user` come to.
///
/// # Errors
/// When the view cannot be read.
pub fn usage(db: &Connection, user: &str) -> rusqlite::Result<Usage> {
    let found = db
        .prepare_cached("SELECT files, bytes FROM media_usage WHERE user = ?1")?
        .query_row([user], |row| {
            Ok(Usage {
                files: row.get::<_, i64>(0)? as u64,
                bytes: row.get::<_, i64>(1)? as u64,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Whether any media is the blob with this hash.
///
/// # Errors
/// When the view cannot be read.
pub fn is_named(db: &Connection, blob: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM media WHERE blob = ?1)")?
        .query_row([blob], |row| row.get(0))
}

/// The hashes of the blobs that are media, in their order after `after`, each once, at most `most`.
///
/// # Errors
/// When the view cannot be read.
pub fn blobs_after(db: &Connection, after: &str, most: usize) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT DISTINCT blob FROM media WHERE blob > ?1 ORDER BY blob LIMIT ?2")?
        .query_map((after, most as i64), |row| row.get(0))?
        .collect()
}

/// Withholds the media `id` from everybody, or gives it back.
///
/// # Errors
/// When the view cannot be written.
pub fn set_quarantined(db: &Connection, id: &str, quarantined: bool) -> rusqlite::Result<()> {
    let sql = if quarantined {
        "INSERT INTO media_quarantine (id) VALUES (?1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM media_quarantine WHERE id = ?1"
    };
    db.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// The media id `id`, if it was given out and its content is still to come.
///
/// # Errors
/// When the view cannot be read.
pub fn reserved(db: &Connection, id: &str) -> rusqlite::Result<Option<Reserved>> {
    db.prepare_cached("SELECT user, expires FROM media_reserved WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(Reserved {
                user: row.get(0)?,
                expires: LogTime(row.get(1)?),
            })
        })
        .optional()
}

/// How many ids `user` has that may still be used at `now`, and when the first of them goes.
///
/// # Errors
/// When the view cannot be read.
pub fn reservations(
    db: &Connection,
    user: &str,
    now: LogTime,
) -> rusqlite::Result<(u32, Option<LogTime>)> {
    db.prepare_cached(
        "SELECT count(*), min(expires) FROM media_reserved WHERE user = ?1 AND expires > ?2",
    )?
    .query_row((user, now.0), |row| {
        Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(LogTime)))
    })
}

/// Gives the id `id` to `user`.
///
/// # Errors
/// When the view cannot be written.
pub fn reserve(db: &Connection, id: &str, user: &str, expires: LogTime) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO media_reserved (id, user, expires) VALUES (?1, ?2, ?3)")?
        .execute((id, user, expires.0))?;
    Ok(())
}

/// Forgets that `id` was given out: its content came.
///
/// # Errors
/// When the view cannot be written.
pub fn unreserve(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM media_reserved WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Forgets ids whose time has passed at `now`: the oldest, at most `most`.
///
/// # Errors
/// When the view cannot be written.
pub fn forget_expired(db: &Connection, now: LogTime, most: u32) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM media_reserved WHERE id IN (SELECT id FROM media_reserved
         WHERE expires <= ?1 ORDER BY expires, id LIMIT ?2)",
    )?
    .execute((now.0, most))?;
    Ok(())
}

/// Whether the media at `url` is a picture that somebody or some room shows now.
///
/// # Errors
/// When the view cannot be read.
pub fn is_shown(db: &Connection, url: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM user_avatar WHERE url = ?1)
             OR EXISTS (SELECT 1 FROM room_avatar WHERE url = ?1)
             OR EXISTS (SELECT 1 FROM member WHERE avatar_url = ?1 AND membership IN ('join', 'invite'))",
    )?
    .query_row([url], |row| row.get(0))
}

/// Notes which picture somebody shows everywhere.
///
/// # Errors
/// When the view cannot be written.
pub fn set_avatar(db: &Connection, user: &str, url: Option<&str>) -> rusqlite::Result<()> {
    match url {
        Some(url) => db
            .prepare_cached(
                "INSERT INTO user_avatar (user, url) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET url = excluded.url",
            )?
            .execute((user, url))?,
        None => db
            .prepare_cached("DELETE FROM user_avatar WHERE user = ?1")?
            .execute([user])?,
    };
    Ok(())
}

/// Notes which picture the room numbered `room` shows.
///
/// # Errors
/// When the view cannot be written.
pub fn set_room_avatar(db: &Connection, room: i64, url: Option<&str>) -> rusqlite::Result<()> {
    match url {
        Some(url) => db
            .prepare_cached(
                "INSERT INTO room_avatar (room, url) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET url = excluded.url",
            )?
            .execute((room, url))?,
        None => db
            .prepare_cached("DELETE FROM room_avatar WHERE room = ?1")?
            .execute([room])?,
    };
    Ok(())
}

/// Whether the media `id` goes neither by age nor with a room's.
///
/// # Errors
/// When the view cannot be read.
pub fn is_protected(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM media_protected WHERE id = ?1")?
        .exists([id])
}

/// Protects the media `id`, or no longer.
///
/// # Errors
/// When the view cannot be written.
pub fn set_protected(db: &Connection, id: &str, protected: bool) -> rusqlite::Result<()> {
    let sql = if protected {
        "INSERT INTO media_protected (id) VALUES (?1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM media_protected WHERE id = ?1"
    };
    db.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// Media that is not later than `before` and comes after the place `after`, a time and an id: the oldest,
/// at most `most`.
///
/// # Errors
/// When the view cannot be read.
pub fn older(
    db: &Connection,
    before: i64,
    after: (i64, &str),
    most: u32,
) -> rusqlite::Result<Vec<(i64, String)>> {
    db.prepare_cached(
        "SELECT time, id FROM media WHERE time <= ?1 AND (time, id) > (?2, ?3)
         ORDER BY time, id LIMIT ?4",
    )?
    .query_map((before, after.0, after.1, most), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?
    .collect()
}

/// The ids of what `user` uploaded that come after `after`, at most `most`.
///
/// # Errors
/// When the view cannot be read.
pub fn uploads(
    db: &Connection,
    user: &str,
    after: &str,
    most: u32,
) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT id FROM media WHERE uploader = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?
        .query_map((user, after, most), |row| row.get(0))?
        .collect()
}
