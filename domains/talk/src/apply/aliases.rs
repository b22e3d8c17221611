//! Aliases and the directory.

use super::create_room::take_alias;
use super::emit::{Draft, emit, text};
use super::{Ruled, actor, may_set_state, need_joined, need_power, object, room};
use crate::command::SetAlias;
use crate::outcome::{Accepted, Rejected};
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::RoomId;
use bongsu_lane::Refusal;
use rusqlite::Connection;
use serde_json::Value;

/// Whether `user` may point `alias` at `room`.
///
/// # Errors
/// When not, or the view fails.
pub fn may_set_alias(db: &Connection, room: &Room, user: &str, alias: &str) -> Ruled<()> {
    need_joined(db, room, user)?;
    match Room::by_alias(db, alias)? {
        Some(_) => Err(Refusal::Rejected(Rejected::AliasTaken)),
        None => Ok(()),
    }
}

pub fn set(cx: &mut Cx<'_>, command: &SetAlias) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), &command.room)?;
    need_joined(cx.db(), &room, user.as_str())?;
    take_alias(cx, &room, &user, &command.alias)?;
    Ok(Accepted::Done)
}

/// Whether `user` may take `alias` away: whoever made it may, and whoever may name the room. Says at
/// which room it points.
///
/// # Errors
/// When not, or the view fails.
pub fn may_delete_alias(db: &Connection, user: &str, alias: &str) -> Ruled<Room> {
    let Some(room) = Room::by_alias(db, alias)? else {
        return Err(Refusal::Rejected(Rejected::NoSuchAlias));
    };
    let creator: String = db
        .prepare_cached("SELECT creator FROM alias WHERE alias = ?1")?
        .query_row([alias], |row| row.get(0))?;
    if creator != user {
        may_list(db, &room, user)?;
    }
    Ok(room)
}

pub fn delete(cx: &mut Cx<'_>, alias: &str) -> Applied {
    let user = actor(cx)?;
    let mut room = may_delete_alias(cx.db(), user.as_str(), alias)?;
    cx.db()
        .prepare_cached("DELETE FROM alias WHERE alias = ?1")?
        .execute([alias])?;
    unname(cx, &mut room, user.as_str(), alias)?;
    Ok(Accepted::Done)
}

/// A room does not go on calling itself by an alias that was taken away, if whoever took it away may
/// say so.
fn unname(cx: &mut Cx<'_>, room: &mut Room, user: &str, alias: &str) -> Ruled<()> {
    let kind = "m.room.canonical_alias";
    let Some((_, standing)) = room.state(cx.db(), kind, "")? else {
        return Ok(());
    };
    let mut content = object(&standing)?;
    if text(&content, "alias") == Some(alias) {
        content.remove("alias");
    }
    if let Some(Value::Array(others)) = content.get_mut("alt_aliases") {
        others.retain(|other| other.as_str() != Some(alias));
        if others.is_empty() {
            content.remove("alt_aliases");
        }
    }
    let content = Value::Object(content).to_string();
    if content == standing {
        return Ok(());
    }
    match may_set_state(cx.db(), room, user, kind, "", &content) {
        Ok(()) => {}
        Err(Refusal::Rejected(_)) => return Ok(()),
        Err(local) => return Err(local),
    }
    let draft = Draft {
        sender: user,
        kind,
        state_key: Some(""),
        content: &content,
        redacts: None,
        txn: None,
    };
    emit(cx, room, &draft).map(drop)
}

/// Whether `user` may list `room` in the directory: whoever may name it.
///
/// # Errors
/// When not, or the view fails.
pub fn may_list(db: &Connection, room: &Room, user: &str) -> Ruled<()> {
    need_joined(db, room, user)?;
    let needed = room.levels.event("m.room.canonical_alias", true);
    need_power(db, room, user, needed).map(drop)
}

pub fn set_listed(cx: &mut Cx<'_>, room_id: &RoomId, listed: bool) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), room_id)?;
    may_list(cx.db(), &room, user.as_str())?;
    cx.db()
        .prepare_cached("UPDATE room SET listed = ?2 WHERE n = ?1")?
        .execute((room.n, listed))?;
    Ok(Accepted::Done)
}
