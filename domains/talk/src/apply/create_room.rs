//! Making a room: its first events, in the order that the specification gives (Matrix v1.19,
//! `POST /createRoom`).

use super::emit::{Draft, emit};
use super::membership;
use super::{Ruled, actor, bad_content, object};
use crate::command::{Action, CreateRoom, Membership};
use crate::outcome::{Accepted, Rejected};
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::UserId;
use bongsu_lane::Refusal;
use rusqlite::OptionalExtension;
use serde_json::Value;

/// Room versions that this code makes.
pub const VERSIONS: [&str; 2] = ["10", "11"];

pub fn apply(cx: &mut Cx<'_>, command: CreateRoom) -> Applied {
    let creator = actor(cx)?;
    if !VERSIONS.contains(&command.version.as_str()) {
        return Err(bad_content(format!(
            "room version {} cannot be made here",
            command.version
        )));
    }
    if Room::by_id(cx.db(), &command.room)?.is_some() {
        return Err(Refusal::Rejected(Rejected::RoomExists));
    }
    let at = cx.position();
    let CreateRoom {
        version, listed, ..
    } = &command;
    let mut room = Room::insert(
        cx.db(),
        at,
        &command.room,
        version,
        creator.as_str(),
        *listed,
    )?;
    first_events(cx, &mut room, &creator, &command)?;
    if let Some(alias) = &command.alias {
        take_alias(cx, &room, &creator, alias)?;
    }
    for (kind, key, content) in &command.state {
        state(cx, &mut room, &creator, kind, key, content)?;
    }
    for (user, profile) in &command.invite {
        if *user == creator {
            return Err(bad_content("you cannot invite yourself"));
        }
        let invitation = Membership {
            room: command.room.clone(),
            user: user.clone(),
            action: Action::Invite,
            reason: None,
            profile: profile.clone(),
            is_direct: command.is_direct,
        };
        if membership::may_change(
            cx.db(),
            &room,
            creator.as_str(),
            user.as_str(),
            Action::Invite,
        )? {
            membership::change(cx, &mut room, &creator, &invitation)?;
        }
    }
    Ok(Accepted::Room(command.room))
}

/// The creation, the creator's joining, and who may do what.
fn first_events(
    cx: &mut Cx<'_>,
    room: &mut Room,
    creator: &UserId,
    command: &CreateRoom,
) -> Ruled<()> {
    let mut create = object(&command.create)?;
    create.insert("room_version".to_owned(), command.version.clone().into());
    if command.version == "10" {
        create.insert("creator".to_owned(), creator.to_string().into());
    }
    let create = Value::Object(create).to_string();
    state(cx, room, creator, "m.room.create", "", &create)?;
    let join = Membership {
        room: command.room.clone(),
        user: creator.clone(),
        action: Action::Join,
        reason: None,
        profile: command.profile.clone(),
        is_direct: false,
    };
    membership::change(cx, room, creator, &join)?;
    state(
        cx,
        room,
        creator,
        "m.room.power_levels",
        "",
        &command.power_levels,
    )
}

fn state(
    cx: &mut Cx<'_>,
    room: &mut Room,
    creator: &UserId,
    kind: &str,
    key: &str,
    content: &str,
) -> Ruled<()> {
    if kind == "m.room.member" {
        return Err(Refusal::Rejected(Rejected::Reserved(kind.to_owned())));
    }
    let draft = Draft {
        sender: creator.as_str(),
        kind,
        state_key: Some(key),
        content,
        redacts: None,
        txn: None,
    };
    emit(cx, room, &draft).map(drop)
}

/// Points `alias` at `room`, if it points nowhere yet.
pub fn take_alias(cx: &Cx<'_>, room: &Room, creator: &UserId, alias: &str) -> Ruled<()> {
    let taken = cx
        .db()
        .prepare_cached("SELECT 1 FROM alias WHERE alias = ?1")?
        .query_row([alias], |_| Ok(()))
        .optional()?;
    if taken.is_some() {
        return Err(Refusal::Rejected(Rejected::AliasTaken));
    }
    cx.db()
        .prepare_cached("INSERT INTO alias (alias, room, creator) VALUES (?1, ?2, ?3)")?
        .execute((alias, room.n, creator.as_str()))?;
    Ok(())
}
