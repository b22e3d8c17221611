//! `GET /events`: what has happened since a place, as one list. It is deprecated, and still asked for.

use super::Api;
use super::json::event;
use super::sync_body::receipts;
use super::token::Token;
use crate::query::{EventFilter, Related, Shown, SyncFilter, SyncFound};
use axum::Json;
use axum::extract::{RawQuery, State};
use bongsu_base::Position;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use ruma::api::client::sync::sync_events::v3::Request;
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that a client waits for news.
const LONGEST: Duration = Duration::from_secs(90);
/// How many events of one room are told at once.
const LIMIT: usize = 100;

/// The query is a sync's but for `from`; `ruma` has no form for this endpoint any more.
pub async fn events(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let from = query
        .iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("from="));
    let from = api.place_if_any(from).await?;
    let since = from.unwrap_or_else(|| Token {
        position: Position::end_of(api.lane.progress().chain.seq),
        epoch: api.epoch(),
        typing: api.typing.last_change(),
        presence: api.presence.last_change(),
    });
    let filter = SyncFilter {
        timeline: EventFilter {
            limit: Some(LIMIT),
            ..EventFilter::default()
        },
        ..SyncFilter::default()
    };
    let wait = request.timeout.unwrap_or_default().min(LONGEST);
    let deadline = Instant::now() + wait;
    let mut before = None;
    loop {
        let typing = api.typing.last_change();
        let (listening, found) = api
            .news(&caller, Some(since), &request, &filter, before)
            .await?;
        let chunk = chunk(&api, &caller, since.position, &found)?;
        let patient = Instant::now() < deadline;
        if chunk.is_empty() && patient && timeout_at(deadline, listening.woken()).await.is_ok() {
            before = Some(listening);
            continue;
        }
        let end = Token {
            position: found.until,
            epoch: api.epoch(),
            typing,
            presence: since.presence,
        };
        return Ok(Json(json!({
            "start": since.to_string(),
            "end": end.to_string(),
            "chunk": chunk,
        })));
    }
}

/// All that was found after `since`, in the order in which it happened.
fn chunk(
    api: &Api,
    caller: &Caller,
    since: Position,
    found: &SyncFound,
) -> Result<Vec<Value>, MatrixError> {
    let mut events = Vec::new();
    let mut tell = |shown: &Shown, room: &str| -> Result<(), MatrixError> {
        let position = shown.event.position;
        if position > since {
            let raw: Raw<AnyTimelineEvent> = event(shown, Some(room), caller)?;
            events.push((position, value(&raw)?));
        }
        Ok(())
    };
    let mut passing = Vec::new();
    for news in &found.joined {
        let room = news.room.id.as_str();
        for shown in &news.timeline {
            tell(shown, room)?;
        }
        if !news.receipts.is_empty() {
            let mut receipt = value(&receipts(&news.receipts)?)?;
            receipt["room_id"] = json!(room);
            passing.push(receipt);
        }
        if news.typing {
            let users = api.typing.users(&news.room.id);
            let users: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
            let content = json!({ "user_ids": users });
            passing.push(json!({"type": "m.typing", "room_id": room, "content": content}));
        }
    }
    for news in &found.left {
        for shown in &news.timeline {
            tell(shown, news.room.id.as_str())?;
        }
    }
    for news in &found.invited {
        let own = |key: &Option<String>| key.as_deref() == Some(caller.user.as_str());
        for event in news.state.iter().filter(|event| own(&event.state_key)) {
            let shown = Shown {
                event: event.clone(),
                before: None,
                redaction: None,
                related: Related::default(),
            };
            tell(&shown, news.room.id.as_str())?;
        }
    }
    events.sort_by_key(|(position, _)| *position);
    let events = events.into_iter().map(|(_, event)| event);
    Ok(events.chain(passing).collect())
}

fn value<T>(raw: &Raw<T>) -> Result<Value, MatrixError> {
    serde_json::from_str(raw.json().get()).map_err(MatrixError::internal)
}
