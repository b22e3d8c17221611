//! Making a room: its first events, in the order that the specification gives (Matrix v1.19,
//! `POST /createRoom`).

use super::emit::{Draft, emit, emit_at};
use super::membership;
use super::{Ruled, actor, bad_content, object};
use crate::command::{Action, CreateRoom, Membership};
use crate::outcome::{Accepted, Rejected};
use crate::state::events::{event_id, tag};
use crate::state::power::PowerLevels;
use crate::state::rooms::Room;
use crate::state::version::{self, VERSIONS};
use crate::{Applied, Cx};
use bongsu_base::{Position, RoomId, UserId};
use bongsu_lane::Refusal;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

/// Whether `creator` may make this room: its version is known, its id and alias are free, and its first
/// power levels allow its first state.
///
/// # Errors
/// When not, or the view fails.
pub fn may_create(db: &Connection, creator: &UserId, command: &CreateRoom) -> Ruled<()> {
    if !VERSIONS.contains(&command.version.as_str()) {
        return Err(bad_content(format!(
            "room version {} cannot be made here",
            command.version
        )));
    }
    if Room::by_id(db, &command.room)?.is_some() {
        return Err(Refusal::Rejected(Rejected::RoomExists));
    }
    if let Some(alias) = &command.alias
        && Room::by_alias(db, alias)?.is_some()
    {
        return Err(Refusal::Rejected(Rejected::AliasTaken));
    }
    let yourself = command.invite.iter().any(|(user, _)| user == creator);
    if yourself {
        let why = "you are in the room that you make; you cannot invite yourself".to_owned();
        return Err(Refusal::Rejected(Rejected::WrongMembership(why)));
    }
    let reserved = |kind: &str| matches!(kind, "m.room.member" | "m.room.create");
    if let Some((kind, _, _)) = command.state.iter().find(|(kind, _, _)| reserved(kind)) {
        return Err(Refusal::Rejected(Rejected::Reserved(kind.clone())));
    }
    let create = object(&command.create)?;
    let power = PowerLevels::parse(&object(&command.power_levels)?).map_err(bad_content)?;
    if version::creators_rule(&command.version) {
        let mut creators = version::additional_creators(&create);
        creators.push(creator.as_str());
        if let Some(user) = creators
            .iter()
            .find(|user| power.users.contains_key(**user))
        {
            let why = format!("{user} is a creator, and creators are not in `users`");
            return Err(bad_content(why));
        }
        return Ok(());
    }
    let has = power.user(creator.as_str());
    let enough = |what: &str, needed: i64| {
        if has >= needed {
            return Ok(());
        }
        let why = format!("{what} needs power level {needed}, of which you would have {has}");
        Err(Refusal::Rejected(Rejected::BadRoomState(why)))
    };
    for (kind, _, _) in &command.state {
        enough(kind, power.levels.event(kind, true))?;
    }
    if !command.invite.is_empty() {
        enough("inviting", power.levels.invite)?;
    }
    Ok(())
}

pub fn apply(cx: &mut Cx<'_>, command: CreateRoom) -> Applied {
    let creator = actor(cx)?;
    may_create(cx.db(), &creator, &command)?;
    let birth = Birth::of(cx, &command.version, &command.room);
    let mut room = first_events(cx, birth, &creator, &command)?;
    if let Some(alias) = &command.alias {
        take_alias(cx, &room, &creator, alias)?;
    }
    for (kind, key, content) in &command.state {
        state(cx, &mut room, &creator, kind, key, content)?;
    }
    for (user, profile) in &command.invite {
        let invitation = Membership {
            room: room.id.clone(),
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
    Ok(Accepted::Room(room.id))
}

/// What a new room is called, and where its creation stands.
pub struct Birth {
    /// The room's id.
    pub id: RoomId,
    created: Option<Position>,
}

impl Birth {
    /// That of a room which the gateway calls `given`. From version 12 on a room has the id of its creation (Matrix v1.19,
    /// room version 12, room IDs), which is known here alone, and is taken since behaviour 3.
    pub fn of(cx: &mut Cx<'_>, version: &str, given: &RoomId) -> Self {
        if !version::creators_rule(version) || cx.version() < 3 {
            return Self {
                id: given.clone(),
                created: None,
            };
        }
        let created = cx.position();
        let event = event_id(created, tag(cx.seed(), created));
        let id = event.as_str().replacen('$', "!", 1);
        Self {
            id: id.parse().expect("a sigil and 22 characters are a room id"),
            created: Some(created),
        }
    }
}

/// Makes a room of this version with its first event, of which `create` is what the version does not add.
pub fn begin(
    cx: &mut Cx<'_>,
    birth: Birth,
    (version, listed): (&str, bool),
    creator: &UserId,
    mut create: Map<String, Value>,
) -> Ruled<Room> {
    let at = cx.position();
    let mut room = Room::insert(cx.db(), at, &birth.id, version, creator.as_str(), listed)?;
    create.insert("room_version".to_owned(), version.into());
    if version::number(version) < 11 {
        create.insert("creator".to_owned(), creator.to_string().into());
    }
    let content = Value::Object(create).to_string();
    let draft = Draft {
        sender: creator.as_str(),
        kind: "m.room.create",
        state_key: Some(""),
        content: &content,
        redacts: None,
        txn: None,
    };
    let created = birth.created.unwrap_or_else(|| cx.position());
    emit_at(cx, &mut room, &draft, created)?;
    Ok(room)
}

/// The room with its creation, the creator's joining, and who may do what.
fn first_events(
    cx: &mut Cx<'_>,
    birth: Birth,
    creator: &UserId,
    command: &CreateRoom,
) -> Ruled<Room> {
    let create = object(&command.create)?;
    let version = (command.version.as_str(), command.listed);
    let mut room = begin(cx, birth, version, creator, create)?;
    let join = Membership {
        room: room.id.clone(),
        user: creator.clone(),
        action: Action::Join,
        reason: None,
        profile: command.profile.clone(),
        is_direct: false,
    };
    membership::change(cx, &mut room, creator, &join)?;
    let levels = &command.power_levels;
    state(cx, &mut room, creator, "m.room.power_levels", "", levels)?;
    Ok(room)
}

/// Writes a piece of first state.
pub fn state(
    cx: &mut Cx<'_>,
    room: &mut Room,
    creator: &UserId,
    kind: &str,
    key: &str,
    content: &str,
) -> Ruled<()> {
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
