//! Aliases and the directory.

use super::create_room::take_alias;
use super::{actor, need_joined, need_power, room};
use crate::command::SetAlias;
use crate::outcome::{Accepted, Rejected};
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::RoomId;
use bongsu_lane::Refusal;

pub fn set(cx: &mut Cx<'_>, command: &SetAlias) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), &command.room)?;
    need_joined(cx.db(), &room, user.as_str())?;
    take_alias(cx, &room, &user, &command.alias)?;
    Ok(Accepted::Done)
}

/// Whoever made the alias may take it away, and whoever may name the room.
pub fn delete(cx: &mut Cx<'_>, alias: &str) -> Applied {
    let user = actor(cx)?;
    let Some(room) = Room::by_alias(cx.db(), alias)? else {
        return Err(Refusal::Rejected(Rejected::NoSuchAlias));
    };
    let creator: String = cx
        .db()
        .prepare_cached("SELECT creator FROM alias WHERE alias = ?1")?
        .query_row([alias], |row| row.get(0))?;
    if creator != user.as_str() {
        need_joined(cx.db(), &room, user.as_str())?;
        need_power(
            cx.db(),
            &room,
            user.as_str(),
            room.levels.event("m.room.canonical_alias", true),
        )?;
    }
    cx.db()
        .prepare_cached("DELETE FROM alias WHERE alias = ?1")?
        .execute([alias])?;
    Ok(Accepted::Done)
}

pub fn set_listed(cx: &mut Cx<'_>, room_id: &RoomId, listed: bool) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), room_id)?;
    need_joined(cx.db(), &room, user.as_str())?;
    need_power(
        cx.db(),
        &room,
        user.as_str(),
        room.levels.event("m.room.canonical_alias", true),
    )?;
    cx.db()
        .prepare_cached("UPDATE room SET listed = ?2 WHERE n = ?1")?
        .execute((room.n, listed))?;
    Ok(Accepted::Done)
}
