//! Contents on their way in, events on their way out.

use super::Api;
use super::convert::theirs;
use crate::query::{Related, Shown};
use crate::state::events::Event;
use crate::state::retention;
use bongsu_base::{LogTime, ServerName, UserId};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use ruma::OwnedServerName;
use ruma::events::room::server_acl::RoomServerAclEventContent;
use ruma::serde::Raw;
use serde::de::DeserializeOwned;
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The largest integer of canonical JSON, 2^53 - 1 (Matrix v1.19, appendices, canonical JSON).
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A content in the form in which commands carry it: an object, compact, with sorted keys and with
/// integers alone.
pub fn content(raw: &str) -> Result<String, MatrixError> {
    let value: Value = parsed(raw)?;
    if !value.is_object() {
        return Err(MatrixError::bad_json("an event's content is a JSON object"));
    }
    check_numbers(&value)?;
    Ok(value.to_string())
}

/// Sees that levels are given to people: the keys of `users` are their ids (Matrix v1.19, room version 10,
/// authorization rules).
pub fn check_levels(content: &str) -> Result<(), MatrixError> {
    let content: Value = parsed(content)?;
    let users = content.get("users").and_then(Value::as_object);
    let mut users = users.into_iter().flat_map(|users| users.keys());
    if let Some(user) = users.find(|user| user.parse::<UserId>().is_err()) {
        return Err(MatrixError::bad_json(format!("`{user}` is no user id")));
    }
    let levels = match content.get("notifications") {
        None => return Ok(()),
        Some(levels) => levels.as_object(),
    };
    if levels.is_some_and(|levels| levels.values().all(Value::is_i64)) {
        return Ok(());
    }
    Err(MatrixError::bad_json(
        "`notifications` is an object of integers",
    ))
}

/// Sees that what every client and this server read of an event has the type that it has for them (Matrix v1.19,
/// `m.room.message`, `m.room.name`, `m.room.topic`; MSC1763, `m.room.retention`).
pub fn check_fields(server: &ServerName, kind: &str, content: &str) -> Result<(), MatrixError> {
    let texts: &[&str] = match kind {
        "m.room.message" => &["msgtype", "body"],
        "m.room.name" => &["name"],
        "m.room.topic" => &["topic"],
        "m.room.server_acl" => return check_acl(server, content),
        retention::KIND => return check_lifetimes(&parsed(content)?),
        _ => return Ok(()),
    };
    let content: Value = parsed(content)?;
    match texts.iter().find(|text| !content[**text].is_string()) {
        Some(text) => Err(MatrixError::bad_json(format!(
            "an event of type {kind} has `{text}`, which is a string"
        ))),
        None => Ok(()),
    }
}

/// What a client sent as what it is to be; M_BAD_JSON if it is not that.
pub fn parsed<T: DeserializeOwned>(raw: &str) -> Result<T, MatrixError> {
    serde_json::from_str(raw).map_err(|error| MatrixError::bad_json(error.to_string()))
}

/// Sees that a room's retention can be understood: what is not would keep everything for ever.
fn check_lifetimes(content: &Value) -> Result<(), MatrixError> {
    let lifetime = |name: &str| match &content[name] {
        Value::Null => Ok(None),
        given => given
            .as_i64()
            .filter(|&ms| ms > 0)
            .map(Some)
            .ok_or_else(|| {
                MatrixError::bad_json(format!(
                    "`{name}` of {} is a positive integer, in milliseconds, or left out",
                    retention::KIND
                ))
            }),
    };
    let (least, most) = (lifetime("min_lifetime")?, lifetime("max_lifetime")?);
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        let why = "`min_lifetime` is longer than `max_lifetime`";
        return Err(MatrixError::bad_json(why));
    }
    Ok(())
}

/// Sees that a room's list of servers does not lock out `server`, this one (Matrix v1.19, server access control lists).
fn check_acl(server: &ServerName, content: &str) -> Result<(), MatrixError> {
    let acl: RoomServerAclEventContent = parsed(content)?;
    let server: OwnedServerName = theirs(server.as_str())?;
    if acl.is_allowed(&server) {
        return Ok(());
    }
    let why =
        format!("{server}, this server, would be locked out; name it in `allow` and not in `deny`");
    Err(MatrixError::bad_json(why))
}

/// Account data in the form in which commands carry it: an object, compact, with sorted keys. It is
/// never signed, so its numbers may be of any kind.
pub fn any_object(raw: &str) -> Result<String, MatrixError> {
    let value: Value = parsed(raw)?;
    if !value.is_object() {
        return Err(MatrixError::bad_json("account data is a JSON object"));
    }
    Ok(value.to_string())
}

fn check_numbers(value: &Value) -> Result<(), MatrixError> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-MAX_INTEGER..=MAX_INTEGER).contains(&integer) => Ok(()),
            _ => Err(MatrixError::bad_json(format!(
                "{number} is no integer between -(2^53)+1 and (2^53)-1"
            ))),
        },
        Value::Array(values) => values.iter().try_for_each(check_numbers),
        Value::Object(values) => values.values().try_for_each(check_numbers),
        _ => Ok(()),
    }
}

/// An event as clients see it.
#[derive(Serialize)]
struct EventBody<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sender: &'a str,
    content: Cow<'a, RawValue>,
    event_id: &'a str,
    origin_server_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned: Option<Unsigned<'a>>,
}

#[derive(Default, Serialize)]
struct Unsigned<'a> {
    /// How long ago it was sent, in milliseconds.
    age: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces_state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_sender: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted_because: Option<Box<RawValue>>,
    #[serde(rename = "m.relations", skip_serializing_if = "Option::is_none")]
    relations: Option<Box<RawValue>>,
}

fn raw(content: &str) -> serde_json::Result<&RawValue> {
    serde_json::from_str(content)
}

/// What is shown of an event's content, and what it redacts. A redaction says so in its content too, whatever the
/// room's version (Matrix v1.19, `m.room.redaction`); one that was redacted itself says it where the version keeps it
/// in the content, and otherwise no more (room versions, redactions).
fn shown_content(event: &Event) -> serde_json::Result<(Cow<'_, RawValue>, Option<&str>)> {
    let plain = || raw(&event.content).map(Cow::Borrowed);
    let Some(redacts) = event.redacts.as_deref() else {
        return Ok((plain()?, None));
    };
    let mut content: Map<String, Value> = serde_json::from_str(&event.content)?;
    if event.redacted_by.is_some() && !content.contains_key("redacts") {
        return Ok((plain()?, None));
    }
    content.insert("redacts".to_owned(), redacts.into());
    Ok((to_raw_value(&content).map(Cow::Owned)?, Some(redacts)))
}

fn body<'a>(
    event: &'a Event,
    id: &'a str,
    room_id: Option<&'a str>,
    unsigned: Option<Unsigned<'a>>,
) -> serde_json::Result<EventBody<'a>> {
    let (content, redacts) = shown_content(event)?;
    Ok(EventBody {
        kind: &event.kind,
        sender: &event.sender,
        content,
        event_id: id,
        origin_server_ts: event.time.0,
        state_key: event.state_key.as_deref(),
        redacts,
        room_id,
        unsigned,
    })
}

/// An event as somebody sees it, with its room's id where it does not stand under its room.
pub struct Displayed<'a> {
    /// The event.
    pub shown: &'a Shown,
    /// Its room's id.
    pub room_id: Option<&'a str>,
    /// Who sees it.
    pub seer: Seer<'a>,
}

/// Who sees events, and when.
#[derive(Clone, Copy)]
pub struct Seer<'a> {
    caller: &'a Caller,
    now: LogTime,
}

impl Api {
    /// `caller`, who sees events now.
    pub(super) fn seer<'a>(&self, caller: &'a Caller) -> Seer<'a> {
        let now = self.clock.now();
        Seer { caller, now }
    }
}

impl Displayed<'_> {
    fn unsigned(&self) -> serde_json::Result<Unsigned<'_>> {
        let Self {
            shown,
            room_id,
            seer: Seer { caller, now },
        } = self;
        let mut unsigned = Unsigned {
            age: now.since(shown.event.time).0.max(0),
            membership: shown.membership.as_deref(),
            ..Unsigned::default()
        };
        if let Some((device, txn)) = &shown.event.transaction
            && device == caller.device.as_str()
            && shown.event.sender == caller.user.as_str()
        {
            unsigned.transaction_id = Some(txn);
        }
        if let Some((id, sender, content)) = &shown.before {
            unsigned.replaces_state = Some(id);
            // What was redacted says no more of what it changed.
            if shown.redaction.is_none() {
                unsigned.prev_sender = Some(sender);
                unsigned.prev_content = Some(raw(content)?);
            }
        }
        if let Some(redaction) = &shown.redaction {
            let id = redaction.id();
            let redaction = body(redaction, id.as_str(), *room_id, None)?;
            unsigned.redacted_because = Some(to_raw_value(&redaction)?);
        }
        unsigned.relations = relations(&shown.related, *room_id, self.seer)?;
        Ok(unsigned)
    }
}

impl Serialize for Displayed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = self.shown.event.id();
        let written = self.unsigned().and_then(|unsigned| {
            let event = &self.shown.event;
            body(event, id.as_str(), self.room_id, Some(unsigned))
        });
        written.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// An event for `seer`, with its room's id where it does not stand under its room.
pub fn event<T>(
    shown: &Shown,
    room_id: Option<&str>,
    seer: Seer<'_>,
) -> Result<Raw<T>, MatrixError> {
    let displayed = Displayed {
        shown,
        room_id,
        seer,
    };
    to_raw_value(&displayed)
        .map(Raw::from_json)
        .map_err(MatrixError::internal)
}

/// What is shown with an event of that which relates to it (Matrix v1.19, aggregations of child events).
fn relations(
    related: &Related,
    room_id: Option<&str>,
    seer: Seer<'_>,
) -> serde_json::Result<Option<Box<RawValue>>> {
    #[derive(Serialize)]
    struct Thread<'a> {
        latest_event: Displayed<'a>,
        count: i64,
        current_user_participated: bool,
    }
    #[derive(Serialize)]
    struct Relations<'a> {
        #[serde(rename = "m.replace", skip_serializing_if = "Option::is_none")]
        replace: Option<Displayed<'a>>,
        #[serde(rename = "m.thread", skip_serializing_if = "Option::is_none")]
        thread: Option<Thread<'a>>,
        #[serde(rename = "m.reference", skip_serializing_if = "Option::is_none")]
        reference: Option<Value>,
    }
    if related.is_empty() {
        return Ok(None);
    }
    let displayed = |shown| Displayed {
        shown,
        room_id,
        seer,
    };
    let thread = related.thread.as_ref().map(|thread| Thread {
        latest_event: displayed(&thread.latest),
        count: thread.count,
        current_user_participated: thread.participated,
    });
    let references = related.references.iter();
    let chunk: Vec<Value> = references
        .map(|id| serde_json::json!({ "event_id": id }))
        .collect();
    let relations = Relations {
        replace: related.edit.as_deref().map(displayed),
        thread,
        reference: (!chunk.is_empty()).then(|| serde_json::json!({ "chunk": chunk })),
    };
    to_raw_value(&relations).map(Some)
}

/// What somebody outside a room may see of a state event (Matrix v1.19, stripped state).
pub fn stripped<T>(event: &Event) -> Result<Raw<T>, MatrixError> {
    #[derive(Serialize)]
    struct Stripped<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        sender: &'a str,
        content: &'a RawValue,
        state_key: &'a str,
    }
    let stripped = Stripped {
        kind: &event.kind,
        sender: &event.sender,
        content: raw(&event.content).map_err(MatrixError::internal)?,
        state_key: event.state_key.as_deref().unwrap_or_default(),
    };
    to_raw_value(&stripped)
        .map(Raw::from_json)
        .map_err(MatrixError::internal)
}

/// A child of a space as its hierarchy shows it (Matrix v1.19, `GET /rooms/{roomId}/hierarchy`).
pub fn child<T>(event: &Event) -> Result<Raw<T>, MatrixError> {
    let stripped = serde_json::json!({
        "type": event.kind,
        "sender": event.sender,
        "content": raw(&event.content).map_err(MatrixError::internal)?,
        "state_key": event.state_key,
        "origin_server_ts": event.time.0,
    });
    to_raw_value(&stripped)
        .map(Raw::from_json)
        .map_err(MatrixError::internal)
}

/// Something of `kind` with a content: account data, receipts, typing.
pub fn typed<T>(kind: &str, content: &RawValue) -> Result<Raw<T>, MatrixError> {
    #[derive(Serialize)]
    struct Typed<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        content: &'a RawValue,
    }
    to_raw_value(&Typed { kind, content })
        .map(Raw::from_json)
        .map_err(MatrixError::internal)
}

/// Account data as it is kept.
pub fn account_data<T>((kind, content): &(String, String)) -> Result<Raw<T>, MatrixError> {
    typed(kind, raw(content).map_err(MatrixError::internal)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_read_is_text() {
        let server = "test".parse().expect("a name");
        let fits = |kind: &str, content: &str| check_fields(&server, kind, content).is_ok();
        assert!(fits("m.room.message", r#"{"msgtype":"m.text","body":""}"#));
        assert!(!fits("m.room.message", r#"{"msgtype":"m.text"}"#));
        assert!(!fits("m.room.message", r#"{"msgtype":1,"body":"x"}"#));
        assert!(!fits("m.room.name", r#"{"name":5}"#));
        assert!(!fits("m.room.topic", "{}"));
        assert!(fits("m.room.topic", r#"{"topic":"x"}"#));
        assert!(fits("com.example", "{}"));
    }

    #[test]
    fn lifetimes_are_positive_and_the_least_is_not_longer_than_the_most() {
        for (content, fits) in [
            (r#"{"max_lifetime":86400000}"#, true),
            (r#"{"min_lifetime":1,"max_lifetime":1}"#, true),
            (r#"{"min_lifetime":5,"max_lifetime":null}"#, true),
            ("{}", true),
            (r#"{"max_lifetime":"1d"}"#, false),
            (r#"{"max_lifetime":0}"#, false),
            (r#"{"min_lifetime":-1}"#, false),
            (r#"{"min_lifetime":2,"max_lifetime":1}"#, false),
        ] {
            let server = "test".parse().expect("a name");
            let found = check_fields(&server, retention::KIND, content);
            assert_eq!(found.is_ok(), fits, "{content}");
        }
    }

    #[test]
    fn no_list_of_servers_locks_out_this_one() {
        let server = "test:8448".parse().expect("a name");
        for (content, fits) in [
            (r#"{"allow":["*"]}"#, true),
            (r#"{"allow":["TEST"],"deny":["*.evil"]}"#, true),
            (r#"{"allow":["*"],"allow_ip_literals":false}"#, true),
            ("{}", false),
            (r#"{"allow":["other"]}"#, false),
            (r#"{"allow":["*"],"deny":["t?st"]}"#, false),
            (r#"{"allow":"*"}"#, false),
        ] {
            let found = check_fields(&server, "m.room.server_acl", content);
            assert_eq!(found.is_ok(), fits, "{content}");
        }
    }

    #[test]
    fn levels_are_given_to_people_and_are_integers() {
        let fits = |content: &str| check_levels(content).is_ok();
        assert!(fits(r#"{"users":{"@a:b":1},"notifications":{"room":50}}"#));
        assert!(!fits(r#"{"users":{"nobody":1}}"#));
        assert!(!fits(r#"{"notifications":{"room":"50"}}"#));
        assert!(!fits(r#"{"notifications":[]}"#));
    }

    #[test]
    fn contents_are_objects_with_integers() {
        let check = |raw: &str, expect: Option<&str>| {
            assert_eq!(content(raw).ok().as_deref(), expect, "{raw}")
        };
        check(r#"{ "b": 1, "a": "x" }"#, Some(r#"{"a":"x","b":1}"#));
        check("[]", None);
        check(r#"{"a": 1.5}"#, None);
        check(r#"{"a": [9007199254740992]}"#, None);
        check(
            r#"{"a": [9007199254740991]}"#,
            Some(r#"{"a":[9007199254740991]}"#),
        );
        check(r#"{"a": "#, None);
    }
}
