//! What a sync found, as JSON. The parts of an answer and of its rooms are there even where they are empty:
//! clients of the first versions look into them without asking.

use super::Api;
use super::json::{Displayed, Seer, account_data, stripped, typed};
use super::token::Token;
use crate::query::{InvitedRoom, JoinedRoom, LeftRoom, ReadMark, Shown, SyncFound};
use crate::state::events::Event;
use crate::state::receipts::Unread;
use bongsu_web_kit::matrix::MatrixError;
use ruma::events::{AnyRoomAccountDataEvent, AnyStrippedStateEvent, AnySyncEphemeralRoomEvent};
use ruma::serde::Raw;
use serde::Serialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Events<T> {
    events: Vec<T>,
}

#[derive(Serialize)]
struct Body<'a> {
    next_batch: String,
    account_data: Events<Raw<AnyRoomAccountDataEvent>>,
    presence: Events<&'a Value>,
    rooms: Rooms<'a>,
}

#[derive(Default, Serialize)]
struct Rooms<'a> {
    join: BTreeMap<&'a str, Joined<'a>>,
    invite: BTreeMap<&'a str, Invited>,
    knock: BTreeMap<&'a str, Knocked>,
    leave: BTreeMap<&'a str, Left<'a>>,
}

#[derive(Serialize)]
struct Joined<'a> {
    timeline: Timeline<'a>,
    #[serde(flatten)]
    state: State<'a>,
    ephemeral: Events<Raw<AnySyncEphemeralRoomEvent>>,
    account_data: Events<Raw<AnyRoomAccountDataEvent>>,
    unread_notifications: Counted,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unread_thread_notifications: BTreeMap<&'a str, Counted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary<'a>>,
}

#[derive(Serialize)]
struct Left<'a> {
    timeline: Timeline<'a>,
    #[serde(flatten)]
    state: State<'a>,
    account_data: Events<Raw<AnyRoomAccountDataEvent>>,
}

#[derive(Serialize)]
struct Timeline<'a> {
    events: Vec<Displayed<'a>>,
    limited: bool,
    prev_batch: String,
}

/// State by the name that says whether it is that before the timeline or that after it.
#[derive(Serialize)]
enum State<'a> {
    #[serde(rename = "state")]
    Before(Events<Displayed<'a>>),
    #[serde(rename = "state_after")]
    After(Events<Displayed<'a>>),
}

#[derive(Serialize)]
struct Counted {
    notification_count: i64,
    highlight_count: i64,
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(rename = "m.heroes", skip_serializing_if = "Option::is_none")]
    heroes: Option<&'a [String]>,
    #[serde(rename = "m.joined_member_count")]
    joined: i64,
    #[serde(rename = "m.invited_member_count")]
    invited: i64,
}

#[derive(Serialize)]
struct Invited {
    invite_state: Events<Raw<AnyStrippedStateEvent>>,
}

#[derive(Serialize)]
struct Knocked {
    knock_state: Events<Raw<AnyStrippedStateEvent>>,
}

/// The answer of a sync after which the client is at `next`, with what it is told of `people`.
pub fn body(
    api: &Api,
    seer: Seer<'_>,
    next: Token,
    (found, people): (&SyncFound, &[Value]),
    state_after: bool,
) -> Result<Vec<u8>, MatrixError> {
    let mut rooms = Rooms::default();
    for news in &found.joined {
        let room = joined(api, seer, news, state_after)?;
        rooms.join.insert(news.room.id.as_str(), room);
    }
    for news in &found.invited {
        let invite_state = outside(news)?;
        let room = Invited { invite_state };
        rooms.invite.insert(news.room.id.as_str(), room);
    }
    for news in &found.knocked {
        let knock_state = outside(news)?;
        let room = Knocked { knock_state };
        rooms.knock.insert(news.room.id.as_str(), room);
    }
    for news in &found.left {
        let room = left(api, seer, news, state_after)?;
        rooms.leave.insert(news.room.id.as_str(), room);
    }
    let body = Body {
        next_batch: next.to_string(),
        account_data: data(&found.account_data)?,
        presence: Events {
            events: people.iter().collect(),
        },
        rooms,
    };
    serde_json::to_vec(&body).map_err(MatrixError::internal)
}

fn data(found: &[(String, String)]) -> Result<Events<Raw<AnyRoomAccountDataEvent>>, MatrixError> {
    let events = found.iter().map(account_data).collect::<Result<_, _>>()?;
    Ok(Events { events })
}

fn timeline<'a>(
    (api, seer): (&Api, Seer<'a>),
    shown: &'a [Shown],
    (limited, prev_batch): (bool, i64),
) -> Timeline<'a> {
    Timeline {
        events: displayed(seer, shown),
        limited,
        prev_batch: api.token_at(prev_batch).to_string(),
    }
}

fn state<'a>(seer: Seer<'a>, shown: &'a [Shown], after: bool) -> State<'a> {
    let events = displayed(seer, shown);
    let events = Events { events };
    if after {
        State::After(events)
    } else {
        State::Before(events)
    }
}

/// Events that stand under their room.
fn displayed<'a>(seer: Seer<'a>, shown: &'a [Shown]) -> Vec<Displayed<'a>> {
    let shown = shown.iter();
    let displayed = shown.map(|shown| Displayed {
        shown,
        room_id: None,
        seer,
    });
    displayed.collect()
}

fn joined<'a>(
    api: &Api,
    seer: Seer<'a>,
    news: &'a JoinedRoom,
    state_after: bool,
) -> Result<Joined<'a>, MatrixError> {
    let counted = |unread: Unread| Counted {
        notification_count: unread.notifications,
        highlight_count: unread.highlights,
    };
    let threads = news.unread.threads.iter().filter(|_| news.by_thread);
    let unread = if news.by_thread {
        news.unread.main
    } else {
        news.unread.total()
    };
    let summary = news.summary.as_ref().map(|summary| Summary {
        heroes: summary.heroes.as_deref(),
        joined: summary.joined,
        invited: summary.invited,
    });
    Ok(Joined {
        timeline: timeline((api, seer), &news.timeline, (news.limited, news.prev_batch)),
        state: state(seer, &news.state, state_after),
        ephemeral: Events {
            events: ephemeral(api, news)?,
        },
        account_data: data(&news.account_data)?,
        unread_notifications: counted(unread),
        unread_thread_notifications: threads
            .map(|(root, unread)| (root.as_str(), counted(*unread)))
            .collect(),
        summary,
    })
}

fn ephemeral(
    api: &Api,
    news: &JoinedRoom,
) -> Result<Vec<Raw<AnySyncEphemeralRoomEvent>>, MatrixError> {
    let mut events = Vec::new();
    if !news.receipts.is_empty() {
        events.push(receipts(&news.receipts)?);
    }
    if news.typing {
        let users = api.typing.users(&news.room.id);
        let users: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        let content = to_raw_value(&json!({ "user_ids": users })).map_err(MatrixError::internal)?;
        events.push(typed("m.typing", &content)?);
    }
    Ok(events)
}

/// Receipts as one event: by event, by type, by person.
pub(super) fn receipts(marks: &[ReadMark]) -> Result<Raw<AnySyncEphemeralRoomEvent>, MatrixError> {
    let mut content = Map::new();
    for mark in marks {
        let mut receipt = json!({ "ts": mark.time });
        if !mark.thread.is_empty() {
            receipt["thread_id"] = Value::String(mark.thread.clone());
        }
        let by_kind = content
            .entry(mark.event.clone())
            .or_insert_with(|| json!({}));
        if by_kind.get(&mark.kind).is_none() {
            by_kind[&mark.kind] = json!({});
        }
        by_kind[&mark.kind][&mark.user] = receipt;
    }
    let content = to_raw_value(&content).map_err(MatrixError::internal)?;
    typed("m.receipt", &content)
}

/// What somebody who is invited, or has knocked, may know of a room.
fn outside(news: &InvitedRoom) -> Result<Events<Raw<AnyStrippedStateEvent>>, MatrixError> {
    let events = news.state.iter().map(|event: &Event| stripped(event));
    Ok(Events {
        events: events.collect::<Result<_, _>>()?,
    })
}

fn left<'a>(
    api: &Api,
    seer: Seer<'a>,
    news: &'a LeftRoom,
    state_after: bool,
) -> Result<Left<'a>, MatrixError> {
    Ok(Left {
        timeline: timeline((api, seer), &news.timeline, (news.limited, news.prev_batch)),
        state: state(seer, &news.state, state_after),
        account_data: data(&news.account_data)?,
    })
}
