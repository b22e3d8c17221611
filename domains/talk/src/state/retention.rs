//! For how long what is kept, and what was purged.

use super::events::{COLUMNS, Event};
use super::relations;
use super::rooms::parsed;
use bongsu_base::{LogTime, RoomId};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

/// The state event by which a room says how long its events are kept (MSC1763).
pub const KIND: &str = "m.room.retention";

/// What the operator decided, in milliseconds; `None` is for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// How long events are kept, at most.
    pub events: Option<i64>,
    /// How long media is kept, at most.
    pub media: Option<i64>,
}

/// The policy in force.
///
/// # Errors
/// When the view cannot be read.
pub fn policy(db: &Connection) -> rusqlite::Result<Policy> {
    let found = db
        .prepare_cached("SELECT events, media FROM retention")?
        .query_row((), |row| {
            Ok(Policy {
                events: row.get(0)?,
                media: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Puts a policy into force.
///
/// # Errors
/// When the view cannot be written.
pub fn set_policy(db: &Connection, policy: &Policy) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO retention (id, events, media) VALUES (1, ?1, ?2)
         ON CONFLICT DO UPDATE SET events = excluded.events, media = excluded.media",
    )?
    .execute((policy.events, policy.media))
    .map(drop)
}

/// How long the events of the room numbered `room` are kept: the shorter of what the room and the
/// operator say.
///
/// # Errors
/// When the view cannot be read.
pub fn lifetime(db: &Connection, room: i64) -> rusqlite::Result<Option<i64>> {
    let content: Option<String> = db
        .prepare_cached(
            "SELECT event.content FROM state JOIN event USING (position)
             WHERE state.room = ?1 AND state.type = ?2 AND state.state_key = ''",
        )?
        .query_row((room, KIND), |row| row.get(0))
        .optional()?;
    let own = content.as_deref().and_then(max_lifetime);
    let operators = policy(db)?.events;
    Ok(own.into_iter().chain(operators).min())
}

/// What a room's policy says. What is not understood says nothing.
fn max_lifetime(content: &str) -> Option<i64> {
    let content: Map<String, Value> = serde_json::from_str(content).ok()?;
    content.get("max_lifetime")?.as_i64().filter(|ms| *ms > 0)
}

/// Up to where a room's events were purged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// No event up to this position is left, but for state: what is kept is looked at once, too.
    pub upto: i64,
    /// The room's count of notable events there.
    pub notable: i64,
}

/// Up to where the events of the room numbered `room` were purged.
///
/// # Errors
/// When the view cannot be read.
pub fn mark(db: &Connection, room: i64) -> rusqlite::Result<Mark> {
    let found = db
        .prepare_cached("SELECT upto, notable FROM purged WHERE room = ?1")?
        .query_row([room], |row| {
            Ok(Mark {
                upto: row.get(0)?,
                notable: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Moves the mark of the room numbered `room`.
///
/// # Errors
/// When the view cannot be written.
pub fn set_mark(db: &Connection, room: i64, mark: Mark) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO purged (room, upto, notable) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET upto = excluded.upto, notable = excluded.notable",
    )?
    .execute((room, mark.upto, mark.notable))
    .map(drop)
}

/// The oldest events of a room after its mark that are not later than `before`, each with the room's
/// count of notable events there: at most `most`.
///
/// # Errors
/// When the view cannot be read.
pub fn due(
    db: &Connection,
    room: i64,
    before: i64,
    most: u32,
) -> rusqlite::Result<Vec<(Event, i64)>> {
    let from = mark(db, room)?.upto;
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, event.notable FROM event
         WHERE room = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
    ))?;
    let mut rows = statement.query((room, from, most))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let event = Event::from_row(row)?;
        // Positions and times grow together.
        if event.time.0 > before {
            break;
        }
        found.push((event, row.get(14)?));
    }
    Ok(found)
}

/// State that was replaced not later than `before`: what replaced it and where it stands itself, at
/// most `most`. Who was in a room, and who may do what, is kept.
///
/// # Errors
/// When the view cannot be read.
pub fn replaced(
    db: &Connection,
    room: i64,
    before: i64,
    most: u32,
) -> rusqlite::Result<Vec<(i64, i64)>> {
    db.prepare_cached(
        "SELECT position, replaces FROM event WHERE room = ?1 AND replaces IS NOT NULL
           AND type NOT IN ('m.room.create', 'm.room.member', 'm.room.power_levels')
           AND time <= ?2 ORDER BY position LIMIT ?3",
    )?
    .query_map((room, before, most), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// Rooms in which something is due, of some that were looked at.
#[derive(Debug, Clone, Default)]
pub struct DueRooms {
    /// They.
    pub due: Vec<RoomId>,
    /// After which room to look on; `None` at the end.
    pub next: Option<i64>,
    /// The shortest span for which any of those that were looked at keeps its events.
    pub shortest: Option<i64>,
}

/// Looks at up to `look` rooms after the one numbered `after` for events that are due at `now`.
///
/// # Errors
/// When the view cannot be read.
pub fn due_rooms(
    db: &Connection,
    now: LogTime,
    after: i64,
    look: u32,
) -> rusqlite::Result<DueRooms> {
    let rooms: Vec<(i64, String)> = db
        .prepare_cached("SELECT n, id FROM room WHERE n > ?1 ORDER BY n LIMIT ?2")?
        .query_map((after, look), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let last = rooms.last().filter(|_| rooms.len() == look as usize);
    let mut found = DueRooms {
        next: last.map(|(n, _)| *n),
        ..DueRooms::default()
    };
    for (n, id) in rooms {
        let Some(lifetime) = lifetime(db, n)? else {
            continue;
        };
        found.shortest = found.shortest.into_iter().chain([lifetime]).min();
        let before = now.0.saturating_sub(lifetime);
        if !due(db, n, before, 1)?.is_empty() || !replaced(db, n, before, 1)?.is_empty() {
            found.due.push(parsed(1, id)?);
        }
    }
    Ok(found)
}

/// Takes an event out of the view, with all that is there because of it alone. Whoever adds a table
/// that holds something of an event has it removed here.
///
/// # Errors
/// When the view cannot be written.
pub fn remove(db: &Connection, event: &Event) -> rusqlite::Result<()> {
    let at = event.position.as_i64();
    relations::purge(db, event)?;
    db.prepare_cached("DELETE FROM mention WHERE event = ?1")?
        .execute([at])?;
    db.prepare_cached("DELETE FROM event WHERE position = ?1")?
        .execute([at])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_is_not_understood_says_nothing() {
        for (content, expect) in [
            (r#"{"max_lifetime":86400000}"#, Some(86_400_000)),
            (r#"{"max_lifetime":0}"#, None),
            (r#"{"max_lifetime":-5}"#, None),
            (r#"{"max_lifetime":"1d"}"#, None),
            (r#"{"min_lifetime":5}"#, None),
            ("[]", None),
        ] {
            assert_eq!(max_lifetime(content), expect, "{content}");
        }
    }
}
