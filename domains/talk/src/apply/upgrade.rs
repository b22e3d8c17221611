//! Replacing a room by a new one of another version (Matrix v1.19, room upgrades).

use super::create_room::{self, Birth, state};
use super::emit::{Draft, emit, text};
use super::{Ruled, actor, bad_content, membership, need_joined, need_power, object, room};
use super::{may_set_state, user_topic};
use crate::command::{Action, Membership, Upgrade};
use crate::outcome::{Accepted, Rejected};
use crate::state::account;
use crate::state::events::Event;
use crate::state::rooms::Room;
use crate::state::version::{self, VERSIONS};
use crate::{Applied, Cx};
use bongsu_base::{EventId, RoomId, UserId};
use bongsu_lane::Refusal;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

/// State that the new room takes over as it is.
const COPIED: [&str; 8] = [
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.encryption",
    "m.room.server_acl",
];
/// What speaking in a room that was replaced needs, at least.
const QUIET: i64 = 50;
/// What somebody has in the new room who was a creator above all levels in the old one.
const FORMER_CREATOR: i64 = 100;

/// Whether `user` may replace `room`.
///
/// # Errors
/// When not, or the view fails.
pub fn may_upgrade(db: &Connection, room: &Room, user: &str) -> Ruled<()> {
    need_joined(db, room, user)?;
    need_power(db, room, user, room.levels.event("m.room.tombstone", true)).map(drop)
}

pub fn apply(cx: &mut Cx<'_>, command: &Upgrade) -> Applied {
    let user = actor(cx)?;
    if !VERSIONS.contains(&command.version.as_str()) {
        let why = format!("room version {} cannot be made here", command.version);
        return Err(bad_content(why));
    }
    let mut old = room(cx.db(), &command.room)?;
    may_upgrade(cx.db(), &old, user.as_str())?;
    if Room::by_id(cx.db(), &command.replacement)?.is_some() {
        return Err(Refusal::Rejected(Rejected::RoomExists));
    }
    let birth = Birth::of(cx, &command.version, &command.replacement);
    let tombstone = tombstone(cx, &mut old, &user, &birth.id)?;
    if old.listed {
        cx.db()
            .prepare_cached("UPDATE room SET listed = 0 WHERE n = ?1")?
            .execute([old.n])?;
    }
    let mut new = begin(cx, &old, birth, &user, command, &tombstone)?;
    copy_state(cx, &old, &mut new, &user)?;
    copy_bans(cx, &old, &mut new, &user)?;
    move_aliases(cx, &mut old, &mut new, &user)?;
    take_along(cx, &old, &new, user.as_str())?;
    quieten(cx, &mut old, &user)?;
    Ok(Accepted::Room(new.id))
}

fn content_of(db: &Connection, room: &Room, kind: &str) -> Ruled<Option<Map<String, Value>>> {
    let found = room.state(db, kind, "")?;
    found.map(|(_, content)| object(&content)).transpose()
}

fn put(cx: &mut Cx<'_>, room: &mut Room, user: &UserId, kind: &str, content: Value) -> Ruled<()> {
    state(cx, room, user, kind, "", &content.to_string())
}

fn tombstone(cx: &mut Cx<'_>, old: &mut Room, user: &UserId, new: &RoomId) -> Ruled<EventId> {
    let content = json!({
        "body": "This room has been replaced",
        "replacement_room": new.as_str(),
    });
    let draft = Draft {
        sender: user.as_str(),
        kind: "m.room.tombstone",
        state_key: Some(""),
        content: &content.to_string(),
        redacts: None,
        txn: None,
    };
    emit(cx, old, &draft)
}

/// The new room's creation, its first member, and its power levels.
fn begin(
    cx: &mut Cx<'_>,
    old: &Room,
    birth: Birth,
    user: &UserId,
    command: &Upgrade,
    tombstone: &EventId,
) -> Ruled<Room> {
    let before = content_of(cx.db(), old, "m.room.create")?.unwrap_or_default();
    let mut create = Map::new();
    for kept in ["type", "m.federate"] {
        if let Some(value) = before.get(kept) {
            create.insert(kept.to_owned(), value.clone());
        }
    }
    let mut predecessor = json!({ "room_id": command.room.as_str() });
    let mut creators = vec![user.as_str()];
    if version::creators_rule(&command.version) {
        let others = command.additional_creators.iter().map(UserId::as_str);
        creators.extend(others);
        if creators.len() > 1 {
            create.insert("additional_creators".to_owned(), json!(creators[1..]));
        }
    } else {
        predecessor["event_id"] = Value::from(tombstone.as_str());
    }
    create.insert("predecessor".to_owned(), predecessor);
    let version = (command.version.as_str(), old.listed);
    let mut new = create_room::begin(cx, birth, version, user, create)?;
    let join = Membership {
        room: new.id.clone(),
        user: user.clone(),
        action: Action::Join,
        reason: None,
        profile: command.profile.clone(),
        is_direct: false,
    };
    membership::change(cx, &mut new, user, &join)?;
    let power = power_levels(cx.db(), old, &new, &before, &creators)?;
    put(cx, &mut new, user, "m.room.power_levels", power)?;
    Ok(new)
}

/// The old room's power levels, with those above all levels where the versions have them.
fn power_levels(
    db: &Connection,
    old: &Room,
    new: &Room,
    before: &Map<String, Value>,
    creators: &[&str],
) -> Ruled<Value> {
    let mut power = content_of(db, old, "m.room.power_levels")?.unwrap_or_default();
    let users = power.entry("users").or_insert_with(|| json!({}));
    let Some(users) = users.as_object_mut() else {
        return Err(bad_content("`users` is not an object"));
    };
    if version::creators_rule(&new.version) {
        users.retain(|user, _| !creators.contains(&user.as_str()));
    } else if version::creators_rule(&old.version) {
        let mut former = version::additional_creators(before);
        former.push(&old.creator);
        for user in former {
            users.insert(user.to_owned(), FORMER_CREATOR.into());
        }
    }
    Ok(Value::Object(power))
}

fn copy_state(cx: &mut Cx<'_>, old: &Room, new: &mut Room, user: &UserId) -> Ruled<()> {
    for kind in COPIED {
        if let Some((_, content)) = old.state(cx.db(), kind, "")? {
            state(cx, new, user, kind, "", &content)?;
        }
    }
    let create = content_of(cx.db(), new, "m.room.create")?.unwrap_or_default();
    if text(&create, "type") != Some("m.space") {
        return Ok(());
    }
    for (child, content) in of_kind(cx.db(), old, "m.space.child")? {
        if object(&content)?.contains_key("via") {
            state(cx, new, user, "m.space.child", &child, &content)?;
        }
    }
    Ok(())
}

/// The state of one type: state keys and contents.
fn of_kind(db: &Connection, room: &Room, kind: &str) -> Ruled<Vec<(String, String)>> {
    let mut statement = db.prepare_cached(
        "SELECT state.state_key, event.content FROM state JOIN event USING (position)
         WHERE state.room = ?1 AND state.type = ?2 ORDER BY state.state_key",
    )?;
    let rows = statement.query_map((room.n, kind), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn copy_bans(cx: &mut Cx<'_>, old: &Room, new: &mut Room, user: &UserId) -> Ruled<()> {
    let banned: Vec<(String, i64)> = cx
        .db()
        .prepare_cached(
            "SELECT user, position FROM member WHERE room = ?1 AND membership = 'ban' ORDER BY user",
        )?
        .query_map([old.n], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (who, position) in banned {
        let content = object(&Event::at(cx.db(), position)?.content)?;
        membership::put(cx, new, user.as_str(), &who, content)?;
    }
    Ok(())
}

fn move_aliases(cx: &mut Cx<'_>, old: &mut Room, new: &mut Room, user: &UserId) -> Ruled<()> {
    cx.db()
        .prepare_cached("UPDATE alias SET room = ?2 WHERE room = ?1")?
        .execute((old.n, new.n))?;
    let kind = "m.room.canonical_alias";
    let Some(content) = content_of(cx.db(), old, kind)? else {
        return Ok(());
    };
    if !content.is_empty() {
        put(cx, old, user, kind, json!({}))?;
        put(cx, new, user, kind, Value::Object(content))?;
    }
    Ok(())
}

/// Nobody goes on speaking in the old room, if whoever replaced it may see to that.
fn quieten(cx: &mut Cx<'_>, old: &mut Room, user: &UserId) -> Ruled<()> {
    let kind = "m.room.power_levels";
    let mut power = content_of(cx.db(), old, kind)?.unwrap_or_default();
    let needed = QUIET.max(old.levels.users_default + 1);
    let (now, invite) = (old.levels.events_default, old.levels.invite);
    for (name, level) in [("events_default", now), ("invite", invite)] {
        if level < needed {
            power.insert(name.to_owned(), needed.into());
        }
    }
    let content = Value::Object(power).to_string();
    match may_set_state(cx.db(), old, user.as_str(), kind, "", &content) {
        Ok(()) => state(cx, old, user, kind, "", &content),
        Err(Refusal::Rejected(_)) => Ok(()),
        Err(local) => Err(local),
    }
}

/// Somebody who comes into a room that replaced another keeps how they had sorted that one.
pub fn move_in(cx: &mut Cx<'_>, new: &Room, user: &str) -> Ruled<()> {
    let create = content_of(cx.db(), new, "m.room.create")?.unwrap_or_default();
    let before = create.get("predecessor").and_then(Value::as_object);
    let id = before
        .and_then(|before| text(before, "room_id"))
        .and_then(|id| id.parse().ok());
    let Some(id) = id else { return Ok(()) };
    let Some(old) = Room::by_id(cx.db(), &id)? else {
        return Ok(());
    };
    let tombstone = content_of(cx.db(), &old, "m.room.tombstone")?.unwrap_or_default();
    if text(&tombstone, "replacement_room") == Some(new.id.as_str()) {
        take_along(cx, &old, new, user)?;
    }
    Ok(())
}

/// Tags, and whether the room is a direct conversation, go from the old room to the new one.
fn take_along(cx: &mut Cx<'_>, old: &Room, new: &Room, user: &str) -> Ruled<()> {
    let mut moved = false;
    if let Some(tags) = account::data(cx.db(), user, old.n, "m.tag")?
        && account::data(cx.db(), user, new.n, "m.tag")?.is_none()
    {
        let at = cx.position().as_i64();
        account::set_data(cx.db(), (user, new.n, "m.tag"), &tags, at)?;
        moved = true;
    }
    if let Some(direct) = account::data(cx.db(), user, 0, "m.direct")?
        && let Some(direct) = with_replacement(&direct, old, new)?
    {
        let at = cx.position().as_i64();
        account::set_data(cx.db(), (user, 0, "m.direct"), &direct, at)?;
        moved = true;
    }
    if moved {
        cx.wake(user_topic(user));
    }
    Ok(())
}

/// `m.direct` with the new room wherever the old one is; `None` if nothing changes.
fn with_replacement(direct: &str, old: &Room, new: &Room) -> Ruled<Option<String>> {
    let mut direct = object(direct)?;
    let mut changed = false;
    for rooms in direct.values_mut().filter_map(Value::as_array_mut) {
        let has = |id: &str| rooms.iter().any(|room| room.as_str() == Some(id));
        if has(old.id.as_str()) && !has(new.id.as_str()) {
            rooms.push(new.id.as_str().into());
            changed = true;
        }
    }
    Ok(changed.then(|| Value::Object(direct).to_string()))
}
