//! A room's state, now and earlier, and who is in it.

use crate::state::events::{COLUMNS, Event};
use crate::state::rooms::Room;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The rooms that `user` is in: their numbers and ids.
///
/// # Errors
/// When the view cannot be read.
pub fn joined_rooms(db: &Connection, user: &str) -> rusqlite::Result<Vec<(i64, String)>> {
    db.prepare_cached(
        "SELECT room.n, room.id FROM member JOIN room ON room.n = member.room
         WHERE member.user = ?1 AND member.membership = 'join' ORDER BY room.n",
    )?
    .query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// A part of a room's state.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// All of it.
    All,
    /// All of it but memberships, and the memberships of these people.
    Around(&'a BTreeSet<&'a str>),
    /// The memberships of everybody.
    Members,
    /// The memberships of these people.
    MembersOf(&'a BTreeSet<&'a str>),
    /// What has this type and this state key.
    One(&'a str, &'a str),
}

const MEMBER: &str = "m.room.member";
/// What has the type bound second and the state key bound third.
const ONE: &str = "AND state.type = ?2 AND state.state_key = ?3";

/// A part of the state of `room` as it was after the event at `at`, in the order of its events. It costs
/// what the part holds, whatever else the room's state is.
///
/// # Errors
/// When the view cannot be read.
pub fn state_at(
    db: &Connection,
    room: &Room,
    at: i64,
    part: Part<'_>,
) -> rusqlite::Result<Vec<Event>> {
    let mut now = match part {
        Part::All => current(db, "", [room.n])?,
        Part::Members => current(db, "AND state.type = ?2", (room.n, MEMBER))?,
        Part::One(kind, key) => current(db, ONE, (room.n, kind, key))?,
        Part::Around(_) => {
            let mut now = current(db, "AND state.type < ?2", (room.n, MEMBER))?;
            now.append(&mut current(db, "AND state.type > ?2", (room.n, MEMBER))?);
            now
        }
        Part::MembersOf(_) => Vec::new(),
    };
    if let Part::Around(users) | Part::MembersOf(users) = part {
        for user in users {
            now.append(&mut current(db, ONE, (room.n, MEMBER, user))?);
        }
    }
    let mut events = Vec::with_capacity(now.len());
    for event in now {
        events.extend(as_of(db, event, at)?);
    }
    events.sort_by_key(|event| event.position);
    Ok(events)
}

/// The word of the membership that `user` had in the room numbered `room` after the event at `at`; `None` where they
/// had nothing to do with it.
///
/// # Errors
/// When the view cannot be read.
pub(super) fn membership_at(
    db: &Connection,
    room: i64,
    user: &str,
    at: i64,
) -> rusqlite::Result<Option<String>> {
    let now = current(db, ONE, (room, MEMBER, user))?;
    let Some(event) = now.into_iter().next() else {
        return Ok(None);
    };
    let then = as_of(db, event, at)?;
    Ok(then.and_then(|event| membership_in(&event.content)))
}

/// The word of the membership in the content of a membership event.
fn membership_in(content: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Content {
        membership: String,
    }
    let content: Content = serde_json::from_str(content).ok()?;
    Some(content.membership)
}

fn current(
    db: &Connection,
    part: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Event>> {
    let rest = format!(
        "state CROSS JOIN event ON event.position = state.position WHERE state.room = ?1 {part}"
    );
    select(db, &rest, params)
}

/// The event of the same key as `event` that was in force after `at`.
fn as_of(db: &Connection, mut event: Event, at: i64) -> rusqlite::Result<Option<Event>> {
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

/// What a client shows of a room it has not loaded the members of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Some of the others in it, for a room without a name, which may have none.
    pub heroes: Option<Vec<String>>,
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
    let named = |kind: &str, field: &str| -> rusqlite::Result<bool> {
        let Some((_, content)) = room.state(db, kind, "")? else {
            return Ok(false);
        };
        let content: Value = serde_json::from_str(&content).unwrap_or_default();
        Ok(content[field].as_str().is_some_and(|name| !name.is_empty()))
    };
    let heroes = if named("m.room.name", "name")? || named("m.room.canonical_alias", "alias")? {
        None
    } else {
        Some(heroes(db, room.n, user)?)
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
