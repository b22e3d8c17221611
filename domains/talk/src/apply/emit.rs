//! Putting an event into its room, with everything that follows from it. The rules have said yes.

use super::{Ruled, bad_content, object, sweep_topic};
use crate::Cx;
use crate::outcome::Rejected;
use crate::state::events::{self, Event};
use crate::state::media;
use crate::state::members::{self, Change};
use crate::state::power::{self, PowerLevels};
use crate::state::relations;
use crate::state::retention;
use crate::state::rooms::{Room, Visibility};
use crate::state::version;
use crate::state::words::{calls_everybody, may_notify};
use bongsu_base::{EventId, Position};
use bongsu_lane::{Actor, Refusal, Topic};
use rusqlite::OptionalExtension;
use serde_json::{Map, Value};

/// The longest event, in bytes, as it would stand in a room's history (Matrix v1.19, size limits).
const MAX_EVENT: usize = 65_536;
/// The longest type, state key or sender, in bytes.
const MAX_KEY: usize = 255;
/// How many people one event can mention with effect.
const MAX_MENTIONS: usize = 100;

/// An event to be.
pub struct Draft<'a> {
    pub sender: &'a str,
    pub kind: &'a str,
    pub state_key: Option<&'a str>,
    pub content: &'a str,
    pub redacts: Option<&'a str>,
    pub txn: Option<&'a str>,
}

/// The topic of those who wait for something in a room.
#[must_use]
pub fn room_topic(room: &str) -> Topic {
    Topic::of("room", room)
}

/// The topic of those who wait for something of a person's own.
#[must_use]
pub fn user_topic(user: &str) -> Topic {
    Topic::of("user", user)
}

/// The topic of what people may do in a room, which is remembered until who is in it or its power levels change.
#[must_use]
pub fn rules_topic(room: &str) -> Topic {
    Topic::of("rules", room)
}

/// Writes the event, moves the room's state, counts and memberships, and wakes whoever waits.
pub fn emit(cx: &mut Cx<'_>, room: &mut Room, draft: &Draft<'_>) -> Ruled<EventId> {
    let position = cx.position();
    emit_at(cx, room, draft, position)
}

/// As [`emit`], at a position that was taken before.
pub fn emit_at(
    cx: &mut Cx<'_>,
    room: &mut Room,
    draft: &Draft<'_>,
    position: Position,
) -> Ruled<EventId> {
    may_fit(draft.kind, draft.state_key, draft.content)?;
    let device = match cx.actor() {
        Actor::User { device, .. } => Some(device.to_string()),
        _ => None,
    };
    let db = cx.db();
    let mut event = Event {
        position,
        tag: events::tag(cx.seed(), position),
        room: room.n,
        sender: draft.sender.to_owned(),
        kind: draft.kind.to_owned(),
        state_key: draft.state_key.map(str::to_owned),
        time: cx.time(),
        content: draft.content.to_owned(),
        replaces: None,
        visibility: room.visibility,
        redacts: draft.redacts.map(str::to_owned),
        redacted_by: None,
        transaction: device.zip(draft.txn.map(str::to_owned)),
    };
    if let Some(key) = draft.state_key {
        event.replaces = db
            .prepare_cached(
                "SELECT position FROM state WHERE room = ?1 AND type = ?2 AND state_key = ?3",
            )?
            .query_row((room.n, draft.kind, key), |row| row.get(0))
            .optional()?;
        db.prepare_cached(
            "INSERT INTO state (room, type, state_key, position) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET position = excluded.position",
        )?
        .execute((room.n, draft.kind, key, position.as_i64()))?;
    }
    let notable = is_notable(draft)?;
    room.notable += i64::from(notable);
    events::insert(db, room, &event, room.notable)?;
    let threaded = relations::note(db, &event)?;
    if notable {
        // Who writes in a thread has read that thread alone.
        if !threaded {
            db.prepare_cached("UPDATE member SET last_sent = ?3 WHERE room = ?1 AND user = ?2")?
                .execute((room.n, draft.sender, position.as_i64()))?;
        }
        note_mentions(cx, room, &event)?;
    }
    if let Some(key) = draft.state_key {
        follow_state(cx, room, &event, key)?;
    }
    cx.wake(room_topic(room.id.as_str()));
    Ok(event.id())
}

/// Whether an event of this type, state key and content is short enough (Matrix v1.19, size limits).
///
/// # Errors
/// When not.
pub fn may_fit(kind: &str, state_key: Option<&str>, content: &str) -> Ruled<()> {
    let key = state_key.unwrap_or_default();
    for (name, value) in [("type", kind), ("state_key", key)] {
        if value.len() > MAX_KEY {
            return Err(bad_content(format!(
                "`{name}` is larger than {MAX_KEY} bytes"
            )));
        }
    }
    // Beside the content an event carries its keys and about 400 bytes of ids and hashes.
    if content.len() + kind.len() + key.len() + 400 > MAX_EVENT {
        return Err(bad_content(format!(
            "the event is larger than {MAX_EVENT} bytes"
        )));
    }
    Ok(())
}

/// Whether others have something to read, by the default push rules.
fn is_notable(draft: &Draft<'_>) -> Ruled<bool> {
    Ok(match (draft.kind, draft.state_key) {
        ("m.room.message" | "m.room.encrypted", None) => !is_quiet(draft.content)?,
        ("m.call.invite", None) | ("m.room.tombstone", Some("")) => true,
        _ => false,
    })
}

/// Notices and edits tell nobody (`.m.rule.suppress_notices`, `.m.rule.suppress_edits`).
fn is_quiet(content: &str) -> Ruled<bool> {
    if !content.contains("\"m.notice\"") && !content.contains("\"m.replace\"") {
        return Ok(false);
    }
    let content = object(content)?;
    let relation = content.get("m.relates_to").and_then(Value::as_object);
    Ok(text(&content, "msgtype") == Some("m.notice")
        || relation.and_then(|relation| text(relation, "rel_type")) == Some("m.replace"))
}

/// Notes whom the event mentions (Matrix v1.19, user and room mentions).
fn note_mentions(cx: &Cx<'_>, room: &Room, event: &Event) -> Ruled<()> {
    let everybody = event.kind == "m.room.tombstone";
    // Most messages mention nobody; they are not parsed.
    if !everybody && !event.content.contains("\"m.mentions\"") && !event.content.contains("@room") {
        return Ok(());
    }
    let content = object(&event.content)?;
    let mentions = content.get("m.mentions").and_then(Value::as_object);
    let empty = Map::new();
    let in_text =
        content.get("m.mentions").is_none() && text(&content, "body").is_some_and(calls_everybody);
    let mentions = mentions.unwrap_or(&empty);
    let mut users: Vec<&str> = Vec::new();
    if let Some(Value::Array(ids)) = mentions.get("user_ids") {
        users.extend(ids.iter().filter_map(Value::as_str).take(MAX_MENTIONS));
    }
    let calls = in_text || mentions.get("room") == Some(&Value::Bool(true));
    if everybody || (calls && may_notify(cx.db(), room, &event.sender, "room")?) {
        users.push("");
    }
    let mut insert = cx.db().prepare_cached(
        "INSERT INTO mention (room, user, event) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    for user in users {
        insert.execute((room.n, user, event.position.as_i64()))?;
    }
    Ok(())
}

/// What a state event means beyond being state.
pub fn follow_state(cx: &mut Cx<'_>, room: &mut Room, event: &Event, key: &str) -> Ruled<()> {
    let content = object(&event.content)?;
    let kind = event.kind.as_str();
    if matches!(
        kind,
        "m.room.member" | "m.room.power_levels" | "m.room.create"
    ) {
        cx.outdate(rules_topic(room.id.as_str()));
    }
    let db = cx.db();
    match (kind, key) {
        ("m.room.member", user) => {
            follow_membership(cx, room, event, user, &content)?;
        }
        ("m.room.create", "") if version::creators_rule(&room.version) => {
            let mut creators = version::additional_creators(&content);
            creators.push(&room.creator);
            version::set_creators(db, room.n, &creators)?;
        }
        ("m.room.power_levels", "") => {
            let power = PowerLevels::parse(&content).map_err(bad_content)?;
            power::set(db, room.n, &power)?;
            room.levels = power.levels;
            if version::creators_rule(&room.version) {
                keep_creators(cx, room)?;
            }
        }
        ("m.room.join_rules", "") => {
            let rule = text(&content, "join_rule").unwrap_or("invite");
            db.prepare_cached("UPDATE room SET join_rule = ?2 WHERE n = ?1")?
                .execute((room.n, rule))?;
            rule.clone_into(&mut room.join_rule);
        }
        ("m.room.history_visibility", "") => {
            let word = text(&content, "history_visibility").unwrap_or("shared");
            let visibility = Visibility::from_word(word).ok_or_else(|| {
                bad_content("`history_visibility` is world_readable, shared, invited or joined")
            })?;
            db.prepare_cached("UPDATE room SET visibility = ?2 WHERE n = ?1")?
                .execute((room.n, visibility as i64))?;
            room.visibility = visibility;
        }
        (retention::KIND, "") => cx.wake(sweep_topic()),
        ("m.room.avatar", "") => media::set_room_avatar(db, room.n, text(&content, "url"))?,
        _ => {}
    }
    Ok(())
}

/// New power levels do not touch the creators.
fn keep_creators(cx: &Cx<'_>, room: &Room) -> Ruled<()> {
    let Some((_, create)) = room.state(cx.db(), "m.room.create", "")? else {
        return Ok(());
    };
    let create = object(&create)?;
    let mut creators = version::additional_creators(&create);
    creators.push(&room.creator);
    version::set_creators(cx.db(), room.n, &creators)?;
    Ok(())
}

fn follow_membership(
    cx: &mut Cx<'_>,
    room: &mut Room,
    event: &Event,
    user: &str,
    content: &Map<String, Value>,
) -> Ruled<()> {
    let membership = text(content, "membership")
        .filter(|word| matches!(*word, "join" | "invite" | "leave" | "ban" | "knock"))
        .ok_or(Refusal::Rejected(Rejected::BadContent(
            "`membership` is missing or unknown".to_owned(),
        )))?;
    let change = Change {
        room: room.n,
        user,
        membership,
        position: event.position,
        displayname: text(content, "displayname"),
        avatar_url: text(content, "avatar_url"),
    };
    members::set(cx.db(), &change)?;
    cx.wake(user_topic(user));
    Ok(())
}

/// A content's field, where it is a text.
pub fn text<'a>(content: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    content.get(name).and_then(Value::as_str)
}
