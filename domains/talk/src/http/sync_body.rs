//! What a sync found, in `ruma`'s form.

use super::Api;
use super::convert::{count, theirs};
use super::json::{account_data, event, stripped, typed};
use super::token::Token;
use crate::query::{InvitedRoom, JoinedRoom, LeftRoom, ReadMark, SyncFound};
use crate::state::receipts::Unread;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use ruma::api::client::sync::sync_events::UnreadNotificationsCount;
use ruma::api::client::sync::sync_events::v3::{self, Response, State, StateEvents, Timeline};
use ruma::assign;
use ruma::events::AnySyncEphemeralRoomEvent;
use ruma::serde::Raw;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

pub fn body(
    api: &Api,
    caller: &Caller,
    next: Token,
    found: &SyncFound,
    state_after: bool,
) -> Result<Response, MatrixError> {
    let mut response = Response::new(next.to_string());
    for news in &found.joined {
        let mut room = joined(api, caller, news)?;
        room.state = placed(room.state, state_after);
        response
            .rooms
            .join
            .insert(theirs(news.room.id.as_str())?, room);
    }
    for news in &found.invited {
        response
            .rooms
            .invite
            .insert(theirs(news.room.id.as_str())?, invited(news)?);
    }
    for news in &found.knocked {
        let events = news.state.iter().map(stripped).collect::<Result<_, _>>()?;
        let state = assign!(v3::KnockState::new(), { events: events });
        response
            .rooms
            .knock
            .insert(theirs(news.room.id.as_str())?, v3::KnockedRoom::from(state));
    }
    for news in &found.left {
        let mut room = left(api, caller, news)?;
        room.state = placed(room.state, state_after);
        response
            .rooms
            .leave
            .insert(theirs(news.room.id.as_str())?, room);
    }
    response.account_data.events = found
        .account_data
        .iter()
        .map(account_data)
        .collect::<Result<_, _>>()?;
    Ok(response)
}

/// State by the name that says whether it is that before the timeline or that after it.
fn placed(state: State, after: bool) -> State {
    match state {
        State::Before(events) if after => State::After(events),
        other => other,
    }
}

fn joined(api: &Api, caller: &Caller, news: &JoinedRoom) -> Result<v3::JoinedRoom, MatrixError> {
    let mut room = v3::JoinedRoom::new();
    room.timeline = assign!(Timeline::new(), {
        limited: news.limited,
        prev_batch: Some(api.token_at(news.prev_batch).to_string()),
        events: news.timeline.iter().map(|shown| event(shown, None, caller)).collect::<Result<_, _>>()?,
    });
    let state = news
        .state
        .iter()
        .map(|shown| event(shown, None, caller))
        .collect::<Result<_, _>>()?;
    room.state = State::Before(StateEvents::with_events(state));
    room.account_data.events = news
        .account_data
        .iter()
        .map(account_data)
        .collect::<Result<_, _>>()?;
    let counts = |unread: Unread| {
        assign!(UnreadNotificationsCount::new(), {
            notification_count: Some(count(unread.notifications)),
            highlight_count: Some(count(unread.highlights)),
        })
    };
    if news.by_thread {
        room.unread_notifications = counts(news.unread.main);
        for (root, unread) in &news.unread.threads {
            room.unread_thread_notifications
                .insert(theirs(root)?, counts(*unread));
        }
    } else {
        room.unread_notifications = counts(news.unread.total());
    }
    if let Some(summary) = &news.summary {
        room.summary.heroes = summary
            .heroes
            .iter()
            .map(|user| theirs(user))
            .collect::<Result<_, _>>()?;
        room.summary.joined_member_count = Some(count(summary.joined));
        room.summary.invited_member_count = Some(count(summary.invited));
    }
    if !news.receipts.is_empty() {
        room.ephemeral.events.push(receipts(&news.receipts)?);
    }
    if news.typing {
        let users: Vec<String> = api
            .typing
            .users(&news.room.id)
            .iter()
            .map(ToString::to_string)
            .collect();
        let content = to_raw_value(&json!({ "user_ids": users })).map_err(MatrixError::internal)?;
        room.ephemeral.events.push(typed("m.typing", &content)?);
    }
    Ok(room)
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

fn invited(news: &InvitedRoom) -> Result<v3::InvitedRoom, MatrixError> {
    let events = news.state.iter().map(stripped).collect::<Result<_, _>>()?;
    Ok(v3::InvitedRoom::from(
        assign!(v3::InviteState::new(), { events: events }),
    ))
}

fn left(api: &Api, caller: &Caller, news: &LeftRoom) -> Result<v3::LeftRoom, MatrixError> {
    let mut room = v3::LeftRoom::new();
    room.timeline = assign!(Timeline::new(), {
        limited: news.limited,
        prev_batch: Some(api.token_at(news.prev_batch).to_string()),
        events: news.timeline.iter().map(|shown| event(shown, None, caller)).collect::<Result<_, _>>()?,
    });
    let state = news
        .state
        .iter()
        .map(|shown| event(shown, None, caller))
        .collect::<Result<_, _>>()?;
    room.state = State::Before(StateEvents::with_events(state));
    Ok(room)
}
