//! What operators see of rooms and media.

use super::describe::describe;
use crate::state::closing;
use crate::state::retention;
use crate::state::rooms::{self, Room};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

/// A room as an operator sees it.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The room.
    pub room: Room,
    /// Its name.
    pub name: Option<String>,
    /// What it calls itself.
    pub alias: Option<String>,
    /// When something last happened in it.
    pub last: Option<LogTime>,
    /// Whether nobody may enter.
    pub blocked: bool,
    /// Whether people are being moved out.
    pub closing: bool,
    /// Whether it is being deleted.
    pub doomed: bool,
    /// How long its events are kept, in milliseconds.
    pub lifetime: Option<i64>,
}

/// Looks at the room numbered `n`.
///
/// # Errors
/// When the view cannot be read.
pub fn inspect(db: &Connection, n: i64) -> rusqlite::Result<Inspected> {
    let described = describe(db, Room::by_number(db, n)?)?;
    let last = db
        .prepare_cached("SELECT time FROM event WHERE room = ?1 ORDER BY position DESC LIMIT 1")?
        .query_row([n], |row| row.get(0).map(LogTime))
        .optional()?;
    let id = described.room.id.as_str();
    Ok(Inspected {
        last,
        blocked: closing::blocked(db, id)?.is_some(),
        closing: closing::closing(db, n)?.is_some(),
        doomed: closing::doomed(db, n)?,
        lifetime: retention::lifetime(db, n)?,
        name: described.name,
        alias: described.alias,
        room: described.room,
    })
}

/// Up to `limit` rooms after the one numbered `after`, in the order of their making.
///
/// # Errors
/// When the view cannot be read.
pub fn rooms(db: &Connection, after: i64, limit: usize) -> rusqlite::Result<Vec<Inspected>> {
    let numbers: Vec<i64> = db
        .prepare_cached("SELECT n FROM room WHERE n > ?1 ORDER BY n LIMIT ?2")?
        .query_map((after, limit as i64), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    numbers.into_iter().map(|n| inspect(db, n)).collect()
}

/// What is to be known of one room beyond that.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Its aliases.
    pub aliases: Vec<String>,
    /// How many events are kept of it.
    pub events: i64,
    /// Who is in it: up to a hundred.
    pub members: Vec<String>,
}

/// Counts what is in the room numbered `n`. It costs what there is.
///
/// # Errors
/// When the view cannot be read.
pub fn contents(db: &Connection, n: i64) -> rusqlite::Result<Contents> {
    let events = db
        .prepare_cached("SELECT count(*) FROM event WHERE room = ?1")?
        .query_row([n], |row| row.get(0))?;
    let members = db
        .prepare_cached(
            "SELECT user FROM member WHERE room = ?1 AND membership = 'join' ORDER BY user LIMIT 100",
        )?
        .query_map([n], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Contents {
        aliases: rooms::aliases(db, n)?,
        events,
        members,
    })
}

/// The ids of the media of `server` that events of the room numbered `n` name, without repeats. It costs
/// what there is.
///
/// # Errors
/// When the view cannot be read.
pub fn media_of_room(db: &Connection, n: i64, server: &str) -> rusqlite::Result<Vec<String>> {
    let prefix = format!("mxc://{server}/");
    let mut statement = db.prepare_cached(
        "SELECT content FROM event WHERE room = ?1 AND instr(content, 'mxc://') > 0 ORDER BY position",
    )?;
    let mut rows = statement.query([n])?;
    let mut ids = std::collections::BTreeSet::new();
    while let Some(row) = rows.next()? {
        let content = row.get_ref(0)?.as_str()?;
        for (start, _) in content.match_indices(&prefix) {
            let rest = &content[start + prefix.len()..];
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let id: String = rest.chars().take_while(|c| allowed(*c)).collect();
            if !id.is_empty() {
                ids.insert(id);
            }
        }
    }
    Ok(ids.into_iter().collect())
}

/// Media as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedMedia {
    /// Its id.
    pub id: String,
    /// Who uploaded it.
    pub uploader: String,
    /// Its length.
    pub bytes: i64,
    /// What the uploader said it is.
    pub content_type: Option<String>,
    /// What the uploader called it.
    pub filename: Option<String>,
    /// When.
    pub time: LogTime,
    /// Whether it is withheld.
    pub quarantined: bool,
    /// Whether it is protected.
    pub protected: bool,
}

const MEDIA: &str = "SELECT id, uploader, bytes, content_type, filename, time,
       EXISTS (SELECT 1 FROM media_quarantine AS q WHERE q.id = media.id),
       EXISTS (SELECT 1 FROM media_protected AS p WHERE p.id = media.id)
     FROM media";

impl InspectedMedia {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            uploader: row.get(1)?,
            bytes: row.get(2)?,
            content_type: row.get(3)?,
            filename: row.get(4)?,
            time: LogTime(row.get(5)?),
            quarantined: row.get(6)?,
            protected: row.get(7)?,
        })
    }
}

/// Up to `limit` media after the id `after`, by id; of one uploader, or of all.
///
/// # Errors
/// When the view cannot be read.
pub fn media(
    db: &Connection,
    after: &str,
    uploader: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<InspectedMedia>> {
    let of = match uploader {
        Some(_) => "uploader = ?2",
        None => "?2 IS NULL",
    };
    db.prepare_cached(&format!(
        "{MEDIA} WHERE id > ?1 AND {of} ORDER BY id LIMIT ?3"
    ))?
    .query_map((after, uploader, limit as i64), InspectedMedia::from_row)?
    .collect()
}

/// The media `id`.
///
/// # Errors
/// When the view cannot be read.
pub fn one_media(db: &Connection, id: &str) -> rusqlite::Result<Option<InspectedMedia>> {
    db.prepare_cached(&format!("{MEDIA} WHERE id = ?1"))?
        .query_row([id], InspectedMedia::from_row)
        .optional()
}
