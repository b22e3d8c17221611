//! `GET /events`: what has happened since a place, as one list. It is deprecated, and still asked for.

use super::Api;
use super::convert::ours;
use super::json::{account_data, event};
use super::members::not_in_room;
use super::plain::query_value;
use super::sync_body::receipts;
use super::token::Token;
use crate::apply::room_topic;
use crate::query::{
    self, Direction, EventFilter, ReadMark, Related, Shown, SyncFilter, SyncFound, Visible, page,
    show_to,
};
use crate::state::events::Event;
use crate::state::members::membership;
use crate::state::rooms::{Room, Visibility};
use axum::Json;
use axum::extract::{RawQuery, State};
use bongsu_base::{Position, RoomId, UserId};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use ruma::api::client::sync::sync_events::v3::Request;
use ruma::events::{AnyRoomAccountDataEvent, AnyTimelineEvent};
use ruma::serde::Raw;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a client waits for news that does not say how long, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(90);
/// How many events of one room are told at once.
const LIMIT: usize = 100;
/// Of how many people one answer tells whether they are there, at most.
const MOST_PEOPLE: usize = 200;

/// The query is a sync's but for `from` and `room_id`; `ruma` has no form for this endpoint any more.
pub async fn events(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let query = query.unwrap_or_default();
    let from = query_value(&query, "from").filter(|from| !from.is_empty());
    let from = api.place_if_any(from.as_deref()).await?;
    let since = from.unwrap_or_else(|| Token {
        position: Position::end_of(api.lane.progress().chain.seq),
        epoch: api.epoch(),
        typing: api.typing.last_change(),
        presence: api.presence.last_change(),
    });
    let room = query_value(&query, "room_id");
    let room: Option<RoomId> = room.map(ours).transpose()?;
    let deadline = Instant::now() + request.timeout.unwrap_or(PATIENCE).min(LONGEST);
    if let Some(id) = &room
        && let Some(peek) = api.peek(&caller, id).await?
    {
        return api.peek_events(&caller, (id, peek), since, deadline).await;
    }
    let filter = SyncFilter {
        timeline: EventFilter {
            limit: Some(LIMIT),
            ..EventFilter::default()
        },
        rooms: room.map(|room| vec![room.to_string()]),
        ..SyncFilter::default()
    };
    let mut before = None;
    loop {
        let (typing, presence) = (api.typing.last_change(), api.presence.last_change());
        let (listening, found) = api
            .news(&caller, Some(since), &request, &filter, before)
            .await?;
        let mut chunk = chunk(&api, &caller, since.position, &found)?;
        let people = api
            .presence_news(&caller, Some(since.presence), &found, &filter)
            .await?;
        chunk.extend(told(&api, &people));
        let patient = Instant::now() < deadline;
        if chunk.is_empty() && patient && timeout_at(deadline, listening.woken()).await.is_ok() {
            before = Some(listening);
            continue;
        }
        let end = Token {
            position: found.until,
            epoch: api.epoch(),
            typing,
            presence,
        };
        return Ok(answer(since, end, chunk));
    }
}

fn answer(start: Token, end: Token, chunk: Vec<Value>) -> Json<Value> {
    Json(json!({
        "start": start.to_string(),
        "end": end.to_string(),
        "chunk": chunk,
    }))
}

/// Presence in the form of the first versions.
fn told(api: &Api, people: &[Value]) -> Vec<Value> {
    let users = people.iter().filter_map(|event| event["sender"].as_str());
    let users = users.filter_map(|user| user.parse::<UserId>().ok());
    users.map(|user| api.presence_event(&user)).collect()
}

impl Api {
    /// The number of a room that `caller` is not in and may look into from outside; `None` if they are in it.
    ///
    /// # Errors
    /// 403 when the room does not show itself to the whole world.
    async fn peek(&self, caller: &Caller, id: &RoomId) -> Result<Option<i64>, MatrixError> {
        let look = self.lane.read(|view| {
            let Some(room) = Room::by_id(view.db(), id)? else {
                return Ok(None);
            };
            let inside = membership(view.db(), room.n, caller.user.as_str())? == "join";
            let open = room.visibility == Visibility::WorldReadable;
            Ok(if inside {
                Some(None)
            } else {
                open.then_some(Some(room.n))
            })
        });
        look.await?.ok_or_else(not_in_room)
    }

    /// What happens in a room that the caller looks into from outside.
    async fn peek_events(
        &self,
        caller: &Caller,
        (id, n): (&RoomId, i64),
        since: Token,
        deadline: Instant,
    ) -> Result<Json<Value>, MatrixError> {
        let waiter = self.lane.wake().listen(&[room_topic(id.as_str())]);
        loop {
            let (typing, presence) = (self.typing.last_change(), self.presence.last_change());
            let look = self.lane.read(|view| {
                let (db, user) = (view.db(), caller.user.as_str());
                let end = Position::end_of(view.applied()?);
                let visible = Visible::of(db, n, user)?.without_ignored(db)?;
                let range = (since.position.as_i64(), end.as_i64());
                let admit = |event: &Event| visible.admits(event);
                let page = page(db, n, range, Direction::Forward, LIMIT, admit)?;
                let shown = page.events.into_iter();
                let shown = shown.map(|event| show_to(db, event, &visible));
                let shown = shown.collect::<Result<Vec<_>, _>>()?;
                let marks = query::receipts(db, n, user, since.position.as_i64())?;
                let users = self
                    .presence
                    .changed_since(Some(since.presence), MOST_PEOPLE);
                let mut people = Vec::new();
                for user in users {
                    if membership(db, n, user.as_str())? == "join" {
                        people.push(user);
                    }
                }
                let end = if page.more { page.end } else { end.as_i64() };
                Ok((end, shown, marks, people))
            });
            let (end, shown, marks, people) = look.await?;
            let (room_id, seer) = (Some(id.as_str()), self.seer(caller));
            let mut chunk = shown
                .iter()
                .map(|shown| value(&event::<AnyTimelineEvent>(shown, room_id, seer)?))
                .collect::<Result<Vec<_>, _>>()?;
            chunk.extend(receipt(id, &marks)?);
            if self.typing.changed_since(Some(since.typing)).contains(id) {
                chunk.push(self.typing_event(id));
            }
            chunk.extend(people.iter().map(|user| self.presence_event(user)));
            let patient = Instant::now() < deadline;
            if chunk.is_empty() && patient && timeout_at(deadline, waiter.woken()).await.is_ok() {
                continue;
            }
            let end = Token {
                typing,
                presence,
                ..self.token_at(end)
            };
            return Ok(answer(since, end, chunk));
        }
    }

    fn typing_event(&self, room: &RoomId) -> Value {
        let users = self.typing.users(room);
        let users: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        let content = json!({ "user_ids": users });
        json!({ "type": "m.typing", "room_id": room.as_str(), "content": content })
    }
}

/// Receipts in the form of the first versions, which names the room.
fn receipt(room: &RoomId, marks: &[ReadMark]) -> Result<Option<Value>, MatrixError> {
    if marks.is_empty() {
        return Ok(None);
    }
    let mut receipt = value(&receipts(marks)?)?;
    receipt["room_id"] = json!(room.as_str());
    Ok(Some(receipt))
}

/// All that was found after `since`, in the order in which it happened.
fn chunk(
    api: &Api,
    caller: &Caller,
    since: Position,
    found: &SyncFound,
) -> Result<Vec<Value>, MatrixError> {
    let mut events = Vec::new();
    let seer = api.seer(caller);
    let mut tell = |shown: &Shown, room: &str| -> Result<(), MatrixError> {
        let position = shown.event.position;
        if position > since {
            let raw: Raw<AnyTimelineEvent> = event(shown, Some(room), seer)?;
            events.push((position, value(&raw)?));
        }
        Ok(())
    };
    let mut passing = Vec::new();
    for data in &found.account_data {
        passing.push(value(&account_data::<AnyRoomAccountDataEvent>(data)?)?);
    }
    for news in &found.joined {
        let room = news.room.id.as_str();
        for data in &news.account_data {
            let mut data = value(&account_data::<AnyRoomAccountDataEvent>(data)?)?;
            data["room_id"] = json!(room);
            passing.push(data);
        }
        for shown in &news.timeline {
            tell(shown, room)?;
        }
        passing.extend(receipt(&news.room.id, &news.receipts)?);
        if news.typing {
            passing.push(api.typing_event(&news.room.id));
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
                membership: Some("invite".into()),
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
