//! Coming and going: invitations, joins, knocks, leaves, kicks and bans (Matrix v1.19, room version 11,
//! authorization rules for `m.room.member`, without federation).

use super::emit::{Draft, emit, text, user_topic};
use super::{Ruled, actor, knock, need_joined, need_open, need_power, object, room, upgrade};
use crate::command::{Action, Membership, Profile, SetMembership};
use crate::outcome::{Accepted, Rejected};
use crate::state::entrance;
use crate::state::events::Event;
use crate::state::members::{self, member};
use crate::state::power::user_level;
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::{RoomId, UserId};
use bongsu_lane::Refusal;
use rusqlite::Connection;
use serde_json::{Map, Value};

/// Where a membership says who let the person in (Matrix v1.19, restricted rooms).
pub const LET_IN_BY: &str = "join_authorised_via_users_server";

fn rejected<T>(why: Rejected) -> Ruled<T> {
    Err(Refusal::Rejected(why))
}

fn wrong<T>(why: impl Into<String>) -> Ruled<T> {
    rejected(Rejected::WrongMembership(why.into()))
}

/// Whether `actor` may do `action` to `user`'s membership in `room`. Says whether anything would
/// change.
///
/// # Errors
/// When not, or the view fails.
pub fn may_change(
    db: &Connection,
    room: &Room,
    actor: &str,
    user: &str,
    action: Action,
) -> Ruled<bool> {
    let current = members::membership(db, room.n, user)?;
    if matches!(action, Action::Join | Action::Invite | Action::Knock) {
        need_open(db, &room.id)?;
    }
    match action {
        Action::Join => may_join(db, room, user, &current),
        Action::Leave => may_leave(&current),
        Action::Invite => may_invite(db, room, actor, user, &current),
        Action::Kick => may_put_out(db, room, actor, user, &current, room.levels.kick),
        Action::Ban => {
            need_joined(db, room, actor)?;
            need_power(db, room, actor, room.levels.ban)?;
            need_above(db, room, actor, user)?;
            Ok(current != "ban")
        }
        Action::Unban => {
            need_joined(db, room, actor)?;
            need_power(db, room, actor, room.levels.ban)?;
            need_power(db, room, actor, room.levels.kick)?;
            need_above(db, room, actor, user)?;
            if current == "ban" {
                Ok(true)
            } else {
                wrong(format!("{user} is not banned"))
            }
        }
        Action::Knock => knock::may_knock(room, &current),
    }
}

fn may_join(db: &Connection, room: &Room, user: &str, current: &str) -> Ruled<bool> {
    match current {
        "ban" => rejected(Rejected::Banned {
            who: "you are".to_owned(),
        }),
        "join" => Ok(false),
        "invite" => Ok(true),
        _ if room.join_rule == "public" => Ok(true),
        _ if entrance::let_in(db, room, user)? => Ok(true),
        _ => rejected(Rejected::NotInvited),
    }
}

/// In whose name `user` is let into `room`, if it is for being in another room that they may come.
///
/// # Errors
/// When nobody is there who may let them in, or the view fails.
pub fn let_in_by(db: &Connection, room: &Room, user: &str) -> Ruled<Option<String>> {
    let current = members::membership(db, room.n, user)?;
    if matches!(current.as_str(), "join" | "invite") || room.join_rule == "public" {
        return Ok(None);
    }
    match entrance::doorkeeper(db, room)? {
        Some(user) => Ok(Some(user)),
        None => rejected(Rejected::NotInvited),
    }
}

/// Says in the content of a membership that lets `user` in who did. Releases that know no more than behaviour 2 did not.
fn say_who_let_in(
    cx: &Cx<'_>,
    room: &Room,
    (user, action): (&str, Action),
    content: &mut Map<String, Value>,
) -> Ruled<()> {
    if action == Action::Join
        && cx.version() >= 3
        && let Some(by) = let_in_by(cx.db(), room, user)?
    {
        content.insert(LET_IN_BY.to_owned(), by.into());
    }
    Ok(())
}

fn may_leave(current: &str) -> Ruled<bool> {
    match current {
        "join" | "invite" | "knock" => Ok(true),
        "ban" => rejected(Rejected::Banned {
            who: "you are".to_owned(),
        }),
        _ => wrong("you are not in this room"),
    }
}

fn may_invite(db: &Connection, room: &Room, actor: &str, user: &str, current: &str) -> Ruled<bool> {
    need_joined(db, room, actor)?;
    match current {
        "ban" => {
            return rejected(Rejected::Banned {
                who: format!("{user} is"),
            });
        }
        "join" => return wrong(format!("{user} is in this room already")),
        _ => {}
    }
    need_power(db, room, actor, room.levels.invite)?;
    Ok(true)
}

fn may_put_out(
    db: &Connection,
    room: &Room,
    actor: &str,
    user: &str,
    current: &str,
    needed: i64,
) -> Ruled<bool> {
    need_joined(db, room, actor)?;
    if current == "ban" {
        need_power(db, room, actor, room.levels.ban)?;
    }
    need_power(db, room, actor, needed)?;
    need_above(db, room, actor, user)?;
    match current {
        "join" | "invite" | "knock" => Ok(true),
        _ => wrong(format!("{user} is not in this room")),
    }
}

/// Nobody puts out somebody of their own power or above.
fn need_above(db: &Connection, room: &Room, actor: &str, user: &str) -> Ruled<()> {
    let level = |who| user_level(db, room.n, &room.levels, who);
    if level(actor)? > level(user)? {
        return Ok(());
    }
    rejected(Rejected::PowerNotAbove(format!(
        "{user} has as much power as you, or more"
    )))
}

pub fn apply(cx: &mut Cx<'_>, command: &Membership) -> Applied {
    let who = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    need_own(&who, &command.user, command.action)?;
    let changes = may_change(
        cx.db(),
        &room,
        who.as_str(),
        command.user.as_str(),
        command.action,
    )?;
    let mut content = content_of(command);
    let whose = (command.user.as_str(), command.action);
    if changes || knocks_anew(cx, &room, whose, &content)? {
        say_who_let_in(cx, &room, whose, &mut content)?;
        put(cx, &mut room, who.as_str(), whose.0, content)?;
        if command.action == Action::Join {
            upgrade::move_in(cx, &room, who.as_str())?;
        }
    }
    Ok(Accepted::Room(command.room.clone()))
}

/// See [`crate::Command::SetMembership`]. Who is in the room already shows themselves anew by it.
pub fn set(cx: &mut Cx<'_>, command: &SetMembership) -> Applied {
    let who = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    need_own(&who, &command.user, command.action)?;
    let (user, action) = (command.user.as_str(), command.action);
    let changes = may_change(cx.db(), &room, who.as_str(), user, action)?;
    let mut content = object(&command.content)?;
    content.insert("membership".to_owned(), word(action).into());
    let anew = action == Action::Join && is_new(cx.db(), &room, user, &content)?
        || knocks_anew(cx, &room, (user, action), &content)?;
    if changes {
        say_who_let_in(cx, &room, (user, action), &mut content)?;
    }
    if changes || anew {
        put(cx, &mut room, who.as_str(), user, content)?;
    }
    if changes && action == Action::Join {
        upgrade::move_in(cx, &room, user)?;
    }
    Ok(Accepted::Room(command.room.clone()))
}

/// Whether this is not the content of somebody's membership as it stands.
fn is_new(db: &Connection, room: &Room, user: &str, content: &Map<String, Value>) -> Ruled<bool> {
    let before = room.state(db, "m.room.member", user)?;
    let before = before.map(|(_, content)| object(&content)).transpose()?;
    Ok(before.as_ref() != Some(content))
}

/// Whether somebody who is knocking knocks in other words. Releases that know no more than behaviour 2 heard the first alone.
fn knocks_anew(
    cx: &Cx<'_>,
    room: &Room,
    (user, action): (&str, Action),
    content: &Map<String, Value>,
) -> Ruled<bool> {
    Ok(action == Action::Knock && cx.version() >= 3 && is_new(cx.db(), room, user, content)?)
}

fn need_own(who: &UserId, user: &UserId, action: Action) -> Ruled<()> {
    let own = matches!(action, Action::Join | Action::Leave | Action::Knock);
    if own && who != user {
        return wrong("you can join, leave and knock for yourself alone");
    }
    Ok(())
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Invite => "invite",
        Action::Join => "join",
        Action::Leave | Action::Kick | Action::Unban => "leave",
        Action::Ban => "ban",
        Action::Knock => "knock",
    }
}

/// Writes the membership event that the rules have allowed.
pub fn change(
    cx: &mut Cx<'_>,
    room: &mut Room,
    sender: &UserId,
    command: &Membership,
) -> Ruled<()> {
    let content = content_of(command);
    put(cx, room, sender.as_str(), command.user.as_str(), content)
}

fn content_of(command: &Membership) -> Map<String, Value> {
    let mut content = shown(&command.profile, word(command.action));
    if let Some(reason) = &command.reason {
        content.insert("reason".to_owned(), reason.clone().into());
    }
    if command.action == Action::Invite && command.is_direct {
        content.insert("is_direct".to_owned(), true.into());
    }
    content
}

/// A membership's content with how the person shows themselves.
fn shown(profile: &Profile, membership: &str) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert("membership".to_owned(), membership.into());
    if let Some(name) = &profile.displayname {
        content.insert("displayname".to_owned(), name.clone().into());
    }
    if let Some(picture) = &profile.avatar_url {
        content.insert("avatar_url".to_owned(), picture.clone().into());
    }
    content
}

/// Writes a membership with this content.
pub fn put(
    cx: &mut Cx<'_>,
    room: &mut Room,
    sender: &str,
    user: &str,
    content: Map<String, Value>,
) -> Ruled<()> {
    let content = Value::Object(content).to_string();
    let draft = Draft {
        sender,
        kind: "m.room.member",
        state_key: Some(user),
        content: &content,
        redacts: None,
        txn: None,
    };
    emit(cx, room, &draft).map(drop)
}

/// Forgets a room that one has left, for one's own clients. An invitation recalls it.
pub fn forget(cx: &mut Cx<'_>, room: &RoomId) -> Applied {
    let (room, user) = left_by_actor(cx, room)?;
    cx.db()
        .prepare_cached("UPDATE member SET forgotten = 1 WHERE room = ?1 AND user = ?2")?
        .execute((room.n, user.as_str()))?;
    Ok(Accepted::Done)
}

/// See [`crate::Command::ForgetHistory`].
pub fn forget_history(cx: &mut Cx<'_>, room: &RoomId) -> Applied {
    let (room, user) = left_by_actor(cx, room)?;
    let upto = cx.position().as_i64();
    members::forget_upto(cx.db(), room.n, user.as_str(), upto)?;
    Ok(Accepted::Done)
}

/// The room `id`, which the actor has left, and the actor.
fn left_by_actor(cx: &Cx<'_>, id: &RoomId) -> Ruled<(Room, UserId)> {
    let user = actor(cx)?;
    let room = room(cx.db(), id)?;
    match member(cx.db(), room.n, user.as_str())? {
        Some(member) if matches!(member.membership.as_str(), "leave" | "ban") => Ok((room, user)),
        Some(_) => wrong("you are in this room; leave it before you forget it"),
        None => rejected(Rejected::NoSuchRoom),
    }
}

/// The rooms in which `user` has any of these memberships.
fn rooms_of(db: &Connection, user: &str, memberships: &[&str]) -> Ruled<Vec<i64>> {
    let mut statement =
        db.prepare_cached("SELECT room, membership FROM member WHERE user = ?1 ORDER BY room")?;
    let rows = statement.query_map([user], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut rooms = Vec::new();
    for row in rows {
        let (room, membership) = row?;
        if memberships.contains(&membership.as_str()) {
            rooms.push(room);
        }
    }
    Ok(rooms)
}

/// Shows somebody's new profile wherever they are.
pub fn show_profile(cx: &mut Cx<'_>, user: &UserId, profile: &Profile) -> Applied {
    for n in rooms_of(cx.db(), user.as_str(), &["join"])? {
        let mut room = Room::by_number(cx.db(), n)?;
        show_anew(cx, &mut room, user, profile)?;
    }
    cx.wake(user_topic(user.as_str()));
    Ok(Accepted::Done)
}

/// Shows the actor differently in one room they are in.
pub fn show_in(cx: &mut Cx<'_>, room_id: &RoomId, profile: &Profile) -> Applied {
    let user = actor(cx)?;
    let mut room = room(cx.db(), room_id)?;
    need_joined(cx.db(), &room, user.as_str())?;
    show_anew(cx, &mut room, &user, profile)?;
    Ok(Accepted::Done)
}

/// Writes a joined person's membership again, if they now show themselves differently.
fn show_anew(cx: &mut Cx<'_>, room: &mut Room, user: &UserId, profile: &Profile) -> Ruled<()> {
    let Some(member) = member(cx.db(), room.n, user.as_str())? else {
        return Ok(());
    };
    let event = Event::at(cx.db(), member.position.as_i64())?;
    let mut content = object(&event.content)?;
    let same = text(&content, "displayname") == profile.displayname.as_deref()
        && text(&content, "avatar_url") == profile.avatar_url.as_deref();
    if same {
        return Ok(());
    }
    content.remove("displayname");
    content.remove("avatar_url");
    content.append(&mut shown(profile, "join"));
    put(cx, room, user.as_str(), user.as_str(), content)
}

/// Takes somebody whose account was closed out of all their rooms.
pub fn leave_all(cx: &mut Cx<'_>, user: &UserId) -> Applied {
    for n in rooms_of(cx.db(), user.as_str(), &["join", "invite", "knock"])? {
        let mut room = Room::by_number(cx.db(), n)?;
        let content = shown(&Profile::default(), "leave");
        put(cx, &mut room, user.as_str(), user.as_str(), content)?;
    }
    Ok(Accepted::Done)
}
