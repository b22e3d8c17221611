//! Shutting a room down: nobody enters any more, a message says why, everybody is moved out, and invited
//! to a new room if there is one.

use super::create_room::{self, Birth, state};
use super::emit::{Draft, emit};
use super::membership;
use super::{Ruled, bad_content, object};
use crate::Cx;
use crate::command::{Action, Membership, Profile, Replacement, ShutDownRoom};
use crate::outcome::Rejected;
use crate::state::closing::{self, Closing};
use crate::state::members::member;
use crate::state::rooms::Room;
use crate::state::version::{self, VERSIONS};
use bongsu_base::UserId;
use bongsu_lane::Refusal;
use serde_json::{Value, json};

/// The longest notice, in bytes.
const MAX_NOTICE: usize = 4_000;

/// Blocks `room`, says why in it, and makes the new room. People are moved out by [`move_out`].
pub fn begin(cx: &mut Cx<'_>, room: &mut Room, command: &ShutDownRoom) -> Ruled<()> {
    if command.notice.len() > MAX_NOTICE {
        return Err(bad_content(format!(
            "the notice is larger than {MAX_NOTICE} bytes"
        )));
    }
    let since = cx.position().as_i64();
    closing::block(cx.db(), room.id.as_str(), since)?;
    cx.db()
        .prepare_cached("UPDATE room SET listed = 0 WHERE n = ?1")?
        .execute([room.n])?;
    let replacement = match &command.replacement {
        Some(replacement) => Some(make(cx, room, command, replacement)?),
        None => None,
    };
    let speaker = command.speaker.as_str();
    say(cx, room, speaker, &command.notice)?;
    if let Some(new) = &replacement {
        let content = json!({ "body": command.notice, "replacement_room": new.id.as_str() });
        put(cx, room, &command.speaker, "m.room.tombstone", &content)?;
    }
    let closing = Closing {
        speaker: speaker.to_owned(),
        notice: command.notice.clone(),
        replacement: replacement.map(|new| new.n),
    };
    closing::begin_closing(cx.db(), room.n, &closing)?;
    Ok(())
}

fn put(
    cx: &mut Cx<'_>,
    room: &mut Room,
    speaker: &UserId,
    kind: &str,
    content: &Value,
) -> Ruled<()> {
    state(cx, room, speaker, kind, "", &content.to_string())
}

fn say(cx: &mut Cx<'_>, room: &mut Room, speaker: &str, notice: &str) -> Ruled<()> {
    let content = json!({ "msgtype": "m.text", "body": notice }).to_string();
    let draft = Draft {
        sender: speaker,
        kind: "m.room.message",
        state_key: None,
        content: &content,
        redacts: None,
        txn: None,
    };
    emit(cx, room, &draft).map(drop)
}

/// The new room: private, with the speaker in it, and the notice as its first message.
fn make(
    cx: &mut Cx<'_>,
    old: &Room,
    command: &ShutDownRoom,
    replacement: &Replacement,
) -> Ruled<Room> {
    let speaker = &command.speaker;
    if !VERSIONS.contains(&replacement.version.as_str()) {
        return Err(bad_content("this room version cannot be made here"));
    }
    if Room::by_id(cx.db(), &replacement.room)?.is_some() {
        return Err(Refusal::Rejected(Rejected::RoomExists));
    }
    let version = &replacement.version;
    let birth = Birth::of(cx, version, &replacement.room);
    let predecessor = json!({ "room_id": old.id.as_str() });
    let create = [("predecessor".to_owned(), predecessor)].into_iter();
    let listed = false;
    let mut new = create_room::begin(cx, birth, (version, listed), speaker, create.collect())?;
    let join = Membership {
        room: new.id.clone(),
        user: speaker.clone(),
        action: Action::Join,
        reason: None,
        profile: Profile::default(),
        is_direct: false,
    };
    membership::change(cx, &mut new, speaker, &join)?;
    let power = if version::creators_rule(version) {
        json!({})
    } else {
        json!({ "users": { speaker.as_str(): 100 } })
    };
    put(cx, &mut new, speaker, "m.room.power_levels", &power)?;
    let rule = json!({ "join_rule": "invite" });
    put(cx, &mut new, speaker, "m.room.join_rules", &rule)?;
    let visibility = json!({ "history_visibility": "shared" });
    put(
        cx,
        &mut new,
        speaker,
        "m.room.history_visibility",
        &visibility,
    )?;
    if let Some(name) = &replacement.name {
        put(
            cx,
            &mut new,
            speaker,
            "m.room.name",
            &json!({ "name": name }),
        )?;
    }
    say(cx, &mut new, speaker.as_str(), &command.notice)?;
    Ok(new)
}

/// Moves up to `most` people out of `room`, invites them to the new one, and ends when nobody is left.
pub fn move_out(cx: &mut Cx<'_>, room: &mut Room, most: u32) -> Ruled<()> {
    let Some(closing) = closing::closing(cx.db(), room.n)? else {
        return Ok(());
    };
    let users: Vec<(String, String)> = cx
        .db()
        .prepare_cached(
            "SELECT user, membership FROM member
             WHERE room = ?1 AND membership IN ('join', 'invite', 'knock') ORDER BY user LIMIT ?2",
        )?
        .query_map((room.n, most), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut new = match closing.replacement {
        Some(n) => Some(Room::by_number(cx.db(), n)?),
        None => None,
    };
    for (user, membership) in &users {
        let shown = member(cx.db(), room.n, user)?;
        let content = json!({ "membership": "leave", "reason": closing.notice });
        let content = object(&content.to_string())?;
        membership::put(cx, room, &closing.speaker, user, content)?;
        if membership == "join"
            && *user != closing.speaker
            && let Some(new) = &mut new
        {
            let mut content = json!({ "membership": "invite", "reason": closing.notice });
            if let Some(name) = shown.and_then(|member| member.displayname) {
                content["displayname"] = name.into();
            }
            let content = object(&content.to_string())?;
            membership::put(cx, new, &closing.speaker, user, content)?;
        }
    }
    if users.len() < most as usize {
        closing::end_closing(cx.db(), room.n)?;
    }
    Ok(())
}
