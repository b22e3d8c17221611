//! Setting a piece of a room's state.

use super::emit::{Draft, emit, text};
use super::{Ruled, actor, bad_content, need_joined, need_power, object, room};
use crate::command::SetState;
use crate::outcome::{Accepted, Rejected};
use crate::state::events::Event;
use crate::state::power::{Levels, PowerLevels, user_level};
use crate::state::rooms::Room;
use crate::state::version;
use crate::{Applied, Cx};
use bongsu_base::EventId;
use bongsu_lane::Refusal;
use rusqlite::Connection;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Whether `user` may set the state `kind` and `key` of `room` to `content`.
///
/// # Errors
/// When not, or the view fails.
pub fn may_set_state(
    db: &Connection,
    room: &Room,
    user: &str,
    kind: &str,
    key: &str,
    content: &str,
) -> Ruled<()> {
    need_joined(db, room, user)?;
    if matches!(kind, "m.room.create" | "m.room.member" | "m.room.redaction") {
        return Err(Refusal::Rejected(Rejected::Reserved(kind.to_owned())));
    }
    if kind == "m.room.aliases" && version::aliases_rule(&room.version) {
        return own_aliases(user, key);
    }
    let has = need_power(db, room, user, room.levels.event(kind, true))?;
    may_use_key(user, key)?;
    match (kind, key) {
        ("m.room.power_levels", "") => may_set_power(db, room, user, has, content),
        ("m.room.canonical_alias", "") => aliases_exist(db, room, content),
        ("m.room.tombstone", "") => replaced_by_another(room, content),
        _ => Ok(()),
    }
}

/// Whether `user` may set state with this key: one that is a user id is that user's alone (Matrix v1.19, room
/// version 11, authorization rule 8).
///
/// # Errors
/// When not.
pub fn may_use_key(user: &str, key: &str) -> Ruled<()> {
    if key.starts_with('@') && key != user {
        let why = "a state key that is a user id can be set by that user alone";
        return Err(Refusal::Rejected(Rejected::PowerNotAbove(why.to_owned())));
    }
    Ok(())
}

/// Up to room version 5, the aliases of a server are told by the people of that server (Matrix v1.19, room
/// version 1, authorization rule 4).
fn own_aliases(user: &str, key: &str) -> Ruled<()> {
    if user
        .split_once(':')
        .is_some_and(|(_, server)| server == key)
    {
        return Ok(());
    }
    let why = "`m.room.aliases` has your server's name as its state key";
    Err(Refusal::Rejected(Rejected::PowerNotAbove(why.to_owned())))
}

/// Nobody gives or takes more power than they have (Matrix v1.19, room version 11, authorization rule
/// 9 for `m.room.power_levels`).
fn may_set_power(db: &Connection, room: &Room, user: &str, has: i64, content: &str) -> Ruled<()> {
    let new = PowerLevels::parse(&object(content)?).map_err(bad_content)?;
    no_creators(db, room, &new)?;
    let Some((_, old)) = room.state(db, "m.room.power_levels", "")? else {
        return Ok(());
    };
    let old = PowerLevels::parse(&object(&old)?).map_err(bad_content)?;
    let (a, b) = (&old.levels, &new.levels);
    let single = [
        ("users_default", a.users_default, b.users_default),
        ("events_default", a.events_default, b.events_default),
        ("state_default", a.state_default, b.state_default),
        ("invite", a.invite, b.invite),
        ("kick", a.kick, b.kick),
        ("ban", a.ban, b.ban),
        ("redact", a.redact, b.redact),
    ];
    for (name, before, after) in single {
        within(has, name, Some(before), Some(after))?;
    }
    for kind in a
        .events
        .keys()
        .chain(b.events.keys())
        .collect::<BTreeSet<_>>()
    {
        let level = |levels: &Levels| levels.events.get(kind).copied();
        within(has, kind, level(a), level(b))?;
    }
    for other in old
        .users
        .keys()
        .chain(new.users.keys())
        .collect::<BTreeSet<_>>()
    {
        let (before, after) = (old.users.get(other), new.users.get(other));
        if before == after {
            continue;
        }
        // Somebody of the same power can be demoted by themselves alone.
        let out_of_reach =
            before.is_some_and(|&level| level > has || (level == has && other != user));
        if out_of_reach || after.is_some_and(|&level| level > has) {
            return Err(too_high(has, other));
        }
    }
    Ok(())
}

/// Whether somebody of the level `has` may set what `name` needs from `before` to `after`.
fn within(has: i64, name: &str, before: Option<i64>, after: Option<i64>) -> Ruled<()> {
    if before != after && before.into_iter().chain(after).any(|level| level > has) {
        return Err(too_high(has, name));
    }
    Ok(())
}

fn too_high(has: i64, name: &str) -> Refusal<Rejected> {
    let why = format!("you have {has} and cannot set `{name}` from or to more than that");
    Refusal::Rejected(Rejected::PowerNotAbove(why))
}

/// Whether `user` may set these power levels as far as they say who may call everybody (Matrix v1.19, room version 6 and
/// later, authorization rules for `m.room.power_levels` on entries of `notifications`). Whoever applies them asks this since
/// behaviour 3: releases before did not, and all replicas have to agree.
///
/// # Errors
/// When not, or the view fails.
pub fn may_set_notifications(db: &Connection, room: &Room, user: &str, content: &str) -> Ruled<()> {
    if version::number(&room.version) < 6 {
        return Ok(());
    }
    let Some((_, old)) = room.state(db, "m.room.power_levels", "")? else {
        return Ok(());
    };
    let has = user_level(db, room.n, &room.levels, user)?;
    let (old, new) = (object(&old)?, object(content)?);
    let level = |content: &Map<String, Value>, name: &str| {
        content
            .get("notifications")?
            .get(name)
            .and_then(Value::as_i64)
    };
    let named = [&old, &new].map(|content| content.get("notifications").and_then(Value::as_object));
    for name in named.into_iter().flatten().flat_map(Map::keys) {
        let named = format!("notifications.{name}");
        within(has, &named, level(&old, name), level(&new, name))?;
    }
    Ok(())
}

/// From room version 12 on, power levels do not name creators, who stand above all of them.
fn no_creators(db: &Connection, room: &Room, power: &PowerLevels) -> Ruled<()> {
    if !version::creators_rule(&room.version) {
        return Ok(());
    }
    for user in power.users.keys() {
        if user_level(db, room.n, &room.levels, user)? == version::CREATOR {
            let why = format!("{user} is a creator, and creators are not in `users`");
            return Err(bad_content(why));
        }
    }
    Ok(())
}

fn replaced_by_another(room: &Room, content: &str) -> Ruled<()> {
    let content = object(content)?;
    if text(&content, "replacement_room") == Some(room.id.as_str()) {
        let why = "a room cannot be replaced by itself".to_owned();
        return Err(Refusal::Rejected(Rejected::BadReference(why)));
    }
    Ok(())
}

/// The aliases that a room begins to call its own have to point at it.
fn aliases_exist(db: &Connection, room: &Room, content: &str) -> Ruled<()> {
    let standing = match room.state(db, "m.room.canonical_alias", "")? {
        Some((_, standing)) => object(&standing)?,
        None => Map::new(),
    };
    let standing = named_aliases(&standing);
    let content = object(content)?;
    may_be_aliases(&content)?;
    for alias in named_aliases(&content) {
        let known = standing.contains(&alias);
        if !known && Room::by_alias(db, alias)?.is_none_or(|found| found.n != room.n) {
            return Err(Refusal::Rejected(Rejected::NoSuchAlias));
        }
    }
    Ok(())
}

/// Whether what a room calls itself has the form of aliases, whether they exist or not.
///
/// # Errors
/// When not.
pub fn may_be_aliases(content: &Map<String, Value>) -> Ruled<()> {
    let is_alias = |value: &Value| {
        let alias = value.as_str();
        alias.is_some_and(|alias| alias.starts_with('#') && alias.contains(':'))
    };
    let main = match content.get("alias") {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str() == Some("") || is_alias(value),
    };
    let others = match content.get("alt_aliases") {
        None | Some(Value::Null) => true,
        Some(Value::Array(others)) => others.iter().all(is_alias),
        Some(_) => false,
    };
    if main && others {
        return Ok(());
    }
    let why = "`alias` is an alias, `#name:server`, and `alt_aliases` a list of them".to_owned();
    Err(Refusal::Rejected(Rejected::BadReference(why)))
}

/// The aliases in a content of `m.room.canonical_alias`.
fn named_aliases(content: &Map<String, Value>) -> Vec<&str> {
    let main = content
        .get("alias")
        .and_then(|value| value.as_str())
        .filter(|alias| !alias.is_empty());
    let others = content
        .get("alt_aliases")
        .and_then(|value| value.as_array());
    let others = others
        .into_iter()
        .flatten()
        .filter_map(|value| value.as_str());
    main.into_iter().chain(others).collect()
}

pub fn apply(cx: &mut Cx<'_>, command: SetState) -> Applied {
    let user = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    let SetState {
        kind,
        state_key,
        content,
        ..
    } = &command;
    may_set_state(cx.db(), &room, user.as_str(), kind, state_key, content)?;
    let levels = kind == "m.room.power_levels" && state_key.is_empty();
    if levels && cx.version() >= 3 {
        may_set_notifications(cx.db(), &room, user.as_str(), content)?;
    }
    let state = (&**kind, &**state_key, &**content);
    put(cx, &mut room, user.as_str(), state).map(Accepted::Event)
}

/// Writes a piece of state, its type, key and content, that the rules have allowed.
pub fn put(
    cx: &mut Cx<'_>,
    room: &mut Room,
    sender: &str,
    (kind, key, content): (&str, &str, &str),
) -> Ruled<EventId> {
    if let Some((position, found)) = room.state(cx.db(), kind, key)?
        && found == content
    {
        // Nothing would change; the event that stands is the answer.
        return Ok(Event::at(cx.db(), position)?.id());
    }
    let draft = Draft {
        sender,
        kind,
        state_key: Some(key),
        content,
        redacts: None,
        txn: None,
    };
    emit(cx, room, &draft)
}
