//! Taking an event's content away.

use super::emit::{Draft, emit, follow_state};
use super::{Ruled, actor, need_joined, need_power, object, room};
use crate::command::Redact;
use crate::outcome::{Accepted, Rejected};
use crate::state::events::Event;
use crate::state::relations;
use crate::state::rooms::Room;
use crate::state::version;
use crate::{Applied, Cx};
use bongsu_lane::Refusal;
use rusqlite::Connection;
use serde_json::{Map, Value};

/// Whether `user` may redact `event` in `room`.
///
/// # Errors
/// When not, or the view fails.
pub fn may_redact(db: &Connection, room: &Room, user: &str, event: &str) -> Ruled<Event> {
    need_joined(db, room, user)?;
    need_power(db, room, user, room.levels.event("m.room.redaction", false))?;
    let event = Event::by_id(db, event)?
        .filter(|event| event.room == room.n)
        .ok_or(Refusal::Rejected(Rejected::NoSuchEvent))?;
    // A room cannot be taken back, nor whom it lets in.
    if matches!(event.kind.as_str(), "m.room.create" | "m.room.server_acl") {
        return Err(Refusal::Rejected(Rejected::NotRedactable(event.kind)));
    }
    if event.sender != user {
        need_power(db, room, user, room.levels.redact)?;
    }
    Ok(event)
}

pub fn apply(cx: &mut Cx<'_>, command: Redact) -> Applied {
    let user = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    let target = may_redact(cx.db(), &room, user.as_str(), command.event.as_str())?;
    let mut content = object(&command.content)?;
    // From room version 11 on, what is redacted stands in the content.
    if version::number(&room.version) >= 11 {
        content.insert(
            "redacts".to_owned(),
            Value::String(command.event.to_string()),
        );
    }
    let content = Value::Object(content).to_string();
    let draft = Draft {
        sender: user.as_str(),
        kind: "m.room.redaction",
        state_key: None,
        content: &content,
        redacts: Some(command.event.as_str()),
        txn: command.txn.as_deref(),
    };
    let id = emit(cx, &mut room, &draft)?;
    strip(cx, &mut room, &target, id.as_str())?;
    Ok(Accepted::Event(id))
}

/// Leaves of the event what its room version keeps; for ever, in every replica.
fn strip(cx: &mut Cx<'_>, room: &mut Room, target: &Event, redaction: &str) -> Ruled<()> {
    if target.redacted_by.is_some() {
        return Ok(());
    }
    let kept = redacted(&room.version, &target.kind, object(&target.content)?);
    let position = Event::by_id(cx.db(), redaction)?.map(|event| event.position.as_i64());
    let mut left = target.clone();
    left.content = Value::Object(kept).to_string();
    cx.db()
        .prepare_cached("UPDATE event SET content = ?2, redacted_by = ?3 WHERE position = ?1")?
        .execute((target.position.as_i64(), &left.content, position))?;
    relations::forget(cx.db(), target)?;
    refollow(cx, room, &left)
}

/// What was derived from a state event that is in force follows what is left of it.
fn refollow(cx: &mut Cx<'_>, room: &mut Room, left: &Event) -> Ruled<()> {
    let Some(key) = left.state_key.as_deref() else {
        return Ok(());
    };
    let at = left.position.as_i64();
    let current = room.state(cx.db(), &left.kind, key)?;
    if current.is_none_or(|(position, _)| position != at) {
        return Ok(());
    }
    if left.kind != "m.room.member" {
        return follow_state(cx, room, left, key);
    }
    // The membership itself is kept; the name and the picture go.
    cx.db()
        .prepare_cached(
            "UPDATE member SET displayname = NULL, avatar_url = NULL
             WHERE room = ?1 AND user = ?2 AND position = ?3",
        )?
        .execute((room.n, key, at))?;
    Ok(())
}

/// What a redaction keeps of a content (Matrix v1.19, room versions, redactions).
fn redacted(version: &str, kind: &str, content: Map<String, Value>) -> Map<String, Value> {
    let number = version::number(version);
    let eleven = number >= 11;
    let keep: &[&str] = match kind {
        "m.room.create" if eleven => return content,
        "m.room.create" => &["creator"],
        "m.room.member" if number < 9 => &["membership"],
        "m.room.member" => &[
            "membership",
            "join_authorised_via_users_server",
            "third_party_invite",
        ],
        "m.room.join_rules" if number < 8 => &["join_rule"],
        "m.room.join_rules" => &["join_rule", "allow"],
        "m.room.power_levels" if eleven => &[
            "ban",
            "events",
            "events_default",
            "invite",
            "kick",
            "redact",
            "state_default",
            "users",
            "users_default",
        ],
        "m.room.power_levels" => &[
            "ban",
            "events",
            "events_default",
            "kick",
            "redact",
            "state_default",
            "users",
            "users_default",
        ],
        "m.room.history_visibility" => &["history_visibility"],
        "m.room.aliases" if version::aliases_rule(version) => &["aliases"],
        "m.room.redaction" if eleven => &["redacts"],
        _ => &[],
    };
    let kept = content
        .into_iter()
        .filter(|(name, _)| keep.contains(&name.as_str()));
    kept.filter_map(|(name, value)| match (name.as_str(), value) {
        // Of a third-party invitation only its signature is kept, from version 11 on.
        ("third_party_invite", Value::Object(mut invite)) if eleven => {
            let signed = invite.remove("signed")?;
            Some((
                name,
                Value::Object([("signed".to_owned(), signed)].into_iter().collect()),
            ))
        }
        ("third_party_invite", _) => None,
        (_, value) => Some((name, value)),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_redaction_keeps_what_the_room_needs() {
        let check = |version: &str, kind: &str, content: Value, expect: Value| {
            let Value::Object(content) = content else {
                panic!("an object")
            };
            assert_eq!(
                Value::Object(redacted(version, kind, content)),
                expect,
                "{version} {kind}"
            );
        };
        check("11", "m.room.message", json!({"body": "x"}), json!({}));
        check(
            "11",
            "m.room.member",
            json!({"membership": "join", "displayname": "M"}),
            json!({"membership": "join"}),
        );
        check(
            "10",
            "m.room.power_levels",
            json!({"invite": 5, "ban": 6}),
            json!({"ban": 6}),
        );
        check(
            "11",
            "m.room.power_levels",
            json!({"invite": 5, "ban": 6}),
            json!({"invite": 5, "ban": 6}),
        );
        check(
            "11",
            "m.room.redaction",
            json!({"redacts": "$a", "reason": "r"}),
            json!({"redacts": "$a"}),
        );
        check(
            "10",
            "m.room.create",
            json!({"creator": "@a:b", "x": 1}),
            json!({"creator": "@a:b"}),
        );
        let rules = || json!({"join_rule": "restricted", "allow": []});
        check(
            "7",
            "m.room.join_rules",
            rules(),
            json!({"join_rule": "restricted"}),
        );
        check("8", "m.room.join_rules", rules(), rules());
        let aliases = || json!({"aliases": ["#a:b"]});
        check("5", "m.room.aliases", aliases(), aliases());
        check("6", "m.room.aliases", aliases(), json!({}));
        check("12", "m.room.create", json!({"x": 1}), json!({"x": 1}));
        check("11", "m.room.create", json!({"x": 1}), json!({"x": 1}));
    }
}
