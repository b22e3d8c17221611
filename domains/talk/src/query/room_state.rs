//! A room's state, now and earlier, and who is in it.

use crate::state::events::{COLUMNS, Event};
use crate::state::rooms::Room;
use rusqlite::Connection;

/// The rooms that `user` is in.
///
/// # Errors
/// When the view cannot be read.
pub fn joined_rooms(db: &Connection, user: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "SELECT room.id FROM member JOIN room ON room.n = member.room
         WHERE member.user = ?1 AND member.membership = 'join' ORDER BY room.n",
    )?
    .query_map([user], |row| row.get(0))?
    .collect()
}

/// The state of `room` as it was after the event at `at`, in the order of its events. `wanted` is asked
/// by type and state key before an event is read.
///
/// # Errors
/// When the view cannot be read.
pub fn state_at(
    db: &Connection,
    room: &Room,
    at: i64,
    wanted: impl Fn(&str, &str) -> bool,
) -> rusqlite::Result<Vec<Event>> {
    let mut statement = db.prepare_cached(
        "SELECT type, state_key, position FROM state WHERE room = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([room.n])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        if wanted(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?)
            && let Some(event) = as_of(db, row.get(2)?, at)?
        {
            events.push(event);
        }
    }
    events.sort_by_key(|event| event.position);
    Ok(events)
}

/// The event of the same key as the one at `position` that was in force after `at`.
fn as_of(db: &Connection, position: i64, at: i64) -> rusqlite::Result<Option<Event>> {
    let mut event = Event::at(db, position)?;
    while event.position.as_i64() > at {
        let Some(before) = event.replaces else {
            return Ok(None);
        };
        // What stood there before was purged: nobody asks for a time so long ago any more.
        let Some(before) = Event::find(db, before)? else {
            return Ok(None);
        };
        event = before;
    }
    Ok(Some(event))
}

/// The membership events of `room` as they were after the event at `at`.
///
/// # Errors
/// When the view cannot be read.
pub fn members_at(db: &Connection, room: &Room, at: i64) -> rusqlite::Result<Vec<Event>> {
    state_at(db, room, at, |kind, _| kind == "m.room.member")
}

/// What a client shows of a room it has not loaded the members of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Some of the others in it, for a room without a name.
    pub heroes: Vec<String>,
    /// How many are in it.
    pub joined: i64,
    /// How many are invited.
    pub invited: i64,
}

/// The summary of `room` for `user` (Matrix v1.19, `GET /sync`, room summary).
///
/// # Errors
/// When the view cannot be read.
pub fn summary(db: &Connection, room: &Room, user: &str) -> rusqlite::Result<Summary> {
    let named = |kind: &str| -> rusqlite::Result<bool> { Ok(room.state(db, kind, "")?.is_some()) };
    let heroes = if named("m.room.name")? || named("m.room.canonical_alias")? {
        Vec::new()
    } else {
        heroes(db, room.n, user)?
    };
    Ok(Summary {
        heroes,
        joined: room.joined,
        invited: room.invited,
    })
}

/// The first five others of the room numbered `room`; those who left, if nobody else is there.
///
/// # Errors
/// When the view cannot be read.
fn heroes(db: &Connection, room: i64, user: &str) -> rusqlite::Result<Vec<String>> {
    let present = ["join", "invite"];
    let gone = ["leave", "ban"];
    for [one, other] in [present, gone] {
        let mut statement = db.prepare_cached(
            "SELECT user FROM member WHERE room = ?1 AND user <> ?2 AND membership IN (?3, ?4)
             ORDER BY position LIMIT 5",
        )?;
        let users: Vec<String> = statement
            .query_map((room, user, one, other), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if !users.is_empty() {
            return Ok(users);
        }
    }
    Ok(Vec::new())
}

/// The events that selecting [`COLUMNS`] with `rest` gives.
pub(super) fn select(
    db: &Connection,
    rest: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Event>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM {rest}"))?
        .query_map(params, Event::from_row)?
        .collect()
}
