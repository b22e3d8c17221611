//! Deleting a room with everything in it, a bounded part of it at a time: first whoever had to do with
//! it, so that nobody looks at what is half gone, then its state, then its events.

use super::Ruled;
use crate::Cx;
use crate::outcome::Rejected;
use crate::state::closing;
use crate::state::events::{COLUMNS, Event};
use crate::state::retention;
use crate::state::rooms::Room;
use bongsu_lane::Refusal;
use rusqlite::Connection;

/// Begins to delete `room`, which nobody is in.
pub fn begin(cx: &mut Cx<'_>, room: &Room) -> Ruled<()> {
    if room.joined > 0 || closing::closing(cx.db(), room.n)?.is_some() {
        return Err(Refusal::Rejected(Rejected::RoomNotEmpty));
    }
    let since = cx.position().as_i64();
    let db = cx.db();
    closing::block(db, room.id.as_str(), since)?;
    closing::doom(db, room.n)?;
    db.prepare_cached("UPDATE room SET listed = 0 WHERE n = ?1")?
        .execute([room.n])?;
    db.prepare_cached("DELETE FROM alias WHERE room = ?1")?
        .execute([room.n])?;
    Ok(())
}

/// Deletes up to `most` rows of `room`, and the room itself when nothing else is left of it.
pub fn step(cx: &Cx<'_>, room: &Room, most: u32) -> rusqlite::Result<()> {
    let db = cx.db();
    let mut left = most as usize;
    left -= members(db, room.n, left)?;
    for (table, key) in [
        ("receipt", "user, kind, thread"),
        ("stay", "user, started"),
        ("forgotten", "user"),
        ("power_user", "user"),
        ("state", "type, state_key"),
    ] {
        if left > 0 {
            left -= some(db, room.n, (table, key), left)?;
        }
    }
    if left > 0 {
        left -= events(db, room.n, left)?;
    }
    if left > 0 {
        for sql in [
            "DELETE FROM thread WHERE room = ?1",
            "DELETE FROM purged WHERE room = ?1",
            "DELETE FROM room_avatar WHERE room = ?1",
            "DELETE FROM doomed_room WHERE room = ?1",
            "DELETE FROM room WHERE n = ?1",
        ] {
            db.prepare_cached(sql)?.execute([room.n])?;
        }
    }
    Ok(())
}

/// Deletes up to `most` members with what their clients kept of the room.
fn members(db: &Connection, room: i64, most: usize) -> rusqlite::Result<usize> {
    let users: Vec<String> = db
        .prepare_cached("SELECT user FROM member WHERE room = ?1 ORDER BY user LIMIT ?2")?
        .query_map((room, most as i64), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for user in &users {
        for sql in [
            "DELETE FROM account_data WHERE user = ?1 AND room = ?2",
            "DELETE FROM member WHERE user = ?1 AND room = ?2",
        ] {
            db.prepare_cached(sql)?.execute((user, room))?;
        }
    }
    Ok(users.len())
}

/// Deletes up to `most` rows of a table by the rest of its key.
fn some(
    db: &Connection,
    room: i64,
    (table, key): (&str, &str),
    most: usize,
) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!(
        "DELETE FROM {table} WHERE room = ?1 AND ({key}) IN
           (SELECT {key} FROM {table} WHERE room = ?1 ORDER BY {key} LIMIT ?2)"
    ))?
    .execute((room, most as i64))
}

/// Deletes up to `most` events, oldest first.
fn events(db: &Connection, room: i64, most: usize) -> rusqlite::Result<usize> {
    let events: Vec<Event> = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM event WHERE room = ?1 ORDER BY position LIMIT ?2"
        ))?
        .query_map((room, most as i64), Event::from_row)?
        .collect::<Result<_, _>>()?;
    for event in &events {
        retention::remove(db, event)?;
    }
    Ok(events.len())
}
