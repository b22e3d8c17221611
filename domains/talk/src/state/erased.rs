//! People whose messages are shown to nobody any more.

use super::events::Event;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

/// How far the taking away of what somebody wrote has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The room in which to go on.
    pub room: i64,
    /// The event there after which to go on.
    pub event: i64,
}

/// Whether what `user` wrote is shown to nobody.
///
/// # Errors
/// When the view cannot be read.
pub fn is_erased(db: &Connection, user: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM erased WHERE user = ?1")?
        .exists([user])
}

/// Has what `user` wrote shown to nobody from `since` on.
///
/// # Errors
/// When the view cannot be written.
pub fn begin(db: &Connection, user: &str, since: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO erased (user, since, room, event, done) VALUES (?1, ?2, 0, 0, 0)
         ON CONFLICT DO NOTHING",
    )?
    .execute((user, since))
    .map(drop)
}

/// Somebody of whom not everything was taken away.
///
/// # Errors
/// When the view cannot be read.
pub fn unfinished(db: &Connection) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT user FROM erased WHERE done = 0 ORDER BY user LIMIT 1")?
        .query_row((), |row| row.get(0))
        .optional()
}

/// Where to go on with `user`, unless all is done.
///
/// # Errors
/// When the view cannot be read.
pub fn place(db: &Connection, user: &str) -> rusqlite::Result<Option<Place>> {
    db.prepare_cached("SELECT room, event FROM erased WHERE user = ?1 AND done = 0")?
        .query_row([user], |row| {
            Ok(Place {
                room: row.get(0)?,
                event: row.get(1)?,
            })
        })
        .optional()
}

/// Notes how far it has come with `user`; `None` is to the end.
///
/// # Errors
/// When the view cannot be written.
pub fn advance(db: &Connection, user: &str, place: Option<Place>) -> rusqlite::Result<()> {
    match place {
        Some(place) => db
            .prepare_cached("UPDATE erased SET room = ?2, event = ?3 WHERE user = ?1")?
            .execute((user, place.room, place.event))?,
        None => db
            .prepare_cached("UPDATE erased SET done = 1 WHERE user = ?1")?
            .execute([user])?,
    };
    Ok(())
}

/// Whether an event is its sender's own to be taken away: a message, or their own coming and going. What else
/// they did belongs to the room.
#[must_use]
pub fn is_their_own(event: &Event) -> bool {
    match event.state_key.as_deref() {
        None => event.kind != "m.room.redaction",
        Some(key) => event.kind == "m.room.member" && key == event.sender,
    }
}

/// What is left of the content of an event whose sender was erased: nothing of a message, the bare
/// membership of their own coming and going. `None` where the event belongs to the room rather than to
/// them.
#[must_use]
pub fn left_of(event: &Event) -> Option<String> {
    if !is_their_own(event) {
        return None;
    }
    if event.state_key.is_none() {
        return Some("{}".to_owned());
    }
    let content: Map<String, Value> = serde_json::from_str(&event.content).ok()?;
    let kept = content
        .into_iter()
        .filter(|(name, _)| name == "membership" || name == "join_authorised_via_users_server");
    Some(Value::Object(kept.collect()).to_string())
}
