//! `GET /rooms/{roomId}/initialSync`: a room at one glance; and `GET /initialSync`: all rooms. They are
//! deprecated, and still asked for.

use super::Api;
use super::convert::ours;
use super::json::{account_data, event};
use super::members::not_in_room;
use super::plain::query_value;
use super::sync_body::receipts as receipt_event;
use crate::query::{self, Direction, Part, ReadMark, Shown, Visible, show_to};
use crate::state::events::Event;
use crate::state::members::{Member, member};
use crate::state::rooms::{Room, Visibility};
use axum::Json;
use axum::extract::{RawQuery, State};
use bongsu_base::{Position, RoomId, UserId};
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use ruma::api::client::membership::joined_rooms;
use ruma::api::client::state::get_state_events::v3::Request;
use ruma::events::{AnyRoomAccountDataEvent, AnyStateEvent, AnyTimelineEvent};
use ruma::serde::Raw;
use rusqlite::Connection;
use serde_json::{Value, json};

/// How many messages are shown when the client does not say.
const DEFAULT_LIMIT: usize = 20;
/// How many are shown at most.
const MAX_LIMIT: usize = 1_000;
/// Of how many people in a room it is told whether they are there.
const MOST_PEOPLE: i64 = 200;

struct Found {
    room: Room,
    membership: Option<String>,
    messages: Vec<Shown>,
    state: Vec<Shown>,
    receipts: Vec<ReadMark>,
    /// Who is in it.
    people: Vec<UserId>,
    account_data: Vec<(String, String)>,
    start: i64,
    end: i64,
}

/// The room, unless the caller may read nothing of it.
fn look(
    view: &ReadView<'_>,
    id: &RoomId,
    caller: &Caller,
    limit: usize,
) -> rusqlite::Result<Option<Found>> {
    let (db, user) = (view.db(), caller.user.as_str());
    let Some(room) = Room::by_id(db, id)? else {
        return Ok(None);
    };
    let visible = Visible::of(db, room.n, user)?.without_ignored(db)?;
    let member = member(db, room.n, user)?.filter(|member| !member.forgotten);
    let last = Position::end_of(view.applied()?).as_i64();
    let is = |member: &Member, words: &[&str]| words.contains(&member.membership.as_str());
    let end = match &member {
        Some(member) if is(member, &["join"]) => last,
        Some(member) if is(member, &["leave"]) && visible.ever_joined() => member.position.as_i64(),
        _ if room.visibility == Visibility::WorldReadable => last,
        _ => return Ok(None),
    };
    let admit = |event: &Event| visible.admits(event);
    let mut page = query::page(db, room.n, (0, end), Direction::Backward, limit, admit)?;
    page.events.reverse();
    let messages = page.events.into_iter();
    let messages = messages.map(|event| show_to(db, event, &visible));
    let state = query::state_at(db, &room, end, Part::All)?.into_iter();
    let state = state.map(|event| query::show(db, event));
    let own = member.is_some();
    let inside = end == last;
    let (receipts, people) = if inside {
        (query::receipts(db, room.n, user, 0)?, people(db, room.n)?)
    } else {
        Default::default()
    };
    Ok(Some(Found {
        membership: member.map(|member| member.membership),
        start: page.end,
        end,
        messages: messages.collect::<rusqlite::Result<_>>()?,
        state: state.collect::<rusqlite::Result<_>>()?,
        receipts,
        people,
        account_data: if own {
            query::account_data(db, user, 0, Some(room.n))?
        } else {
            Vec::new()
        },
        room,
    }))
}

/// Some of those who are in the room numbered `room`.
fn people(db: &Connection, room: i64) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = db.prepare_cached(
        "SELECT user FROM member WHERE room = ?1 AND membership = 'join' ORDER BY user LIMIT ?2",
    )?;
    let users = statement.query_map((room, MOST_PEOPLE), |row| row.get::<_, String>(0))?;
    let users: Vec<String> = users.collect::<Result<_, _>>()?;
    Ok(users.iter().filter_map(|user| user.parse().ok()).collect())
}

/// The path is that of a room's state with another end; `ruma` has no form for this endpoint any more.
pub async fn of_room(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let id: RoomId = ours(&request.room_id)?;
    let limit = limit(query.as_deref())?;
    let found = api.lane.read(|view| look(view, &id, &caller, limit));
    let mut found = found.await?.ok_or_else(not_in_room)?;
    let people = std::mem::take(&mut found.people);
    let mut body = render(&api, &id, found, &caller)?;
    body["presence"] = people.iter().map(|user| api.presence_event(user)).collect();
    Ok(Json(body))
}

fn limit(query: Option<&str>) -> Result<usize, MatrixError> {
    let limit = query
        .iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("limit="));
    match limit.map(str::parse::<usize>) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) => Ok(limit.min(MAX_LIMIT)),
        Some(Err(_)) => Err(MatrixError::invalid_param("`limit` is a number")),
    }
}

fn render(api: &Api, id: &RoomId, found: Found, caller: &Caller) -> Result<Value, MatrixError> {
    let (room_id, seer) = (Some(id.as_str()), api.seer(caller));
    let messages = found.messages.iter();
    let messages: Vec<Raw<AnyTimelineEvent>> = messages
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    let state = found.state.iter();
    let state: Vec<Raw<AnyStateEvent>> = state
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    let data: Vec<Raw<AnyRoomAccountDataEvent>> = found
        .account_data
        .iter()
        .map(account_data)
        .collect::<Result<_, _>>()?;
    let receipts = (!found.receipts.is_empty())
        .then(|| {
            let receipts = receipt_event(&found.receipts)?;
            let receipts = serde_json::from_str(receipts.json().get());
            let mut receipts: Value = receipts.map_err(MatrixError::internal)?;
            receipts["room_id"] = json!(id.as_str());
            Ok::<_, MatrixError>(receipts)
        })
        .transpose()?;
    let mut body = json!({
        "room_id": id.as_str(),
        "messages": {
            "chunk": messages,
            "start": api.token_at(found.start).to_string(),
            "end": api.token_at(found.end).to_string(),
        },
        "state": state,
        "visibility": if found.room.listed { "public" } else { "private" },
        "account_data": data,
        "receipts": receipts.into_iter().collect::<Vec<_>>(),
        "presence": [],
    });
    if let Some(membership) = found.membership {
        body["membership"] = Value::String(membership);
    }
    Ok(body)
}

/// The rooms that one was in and has left.
fn left_rooms(db: &Connection, user: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "SELECT room.id FROM member JOIN room ON room.n = member.room
         WHERE member.user = ?1 AND member.membership IN ('leave', 'ban') AND forgotten = 0
         ORDER BY room.n",
    )?
    .query_map([user], |row| row.get(0))?
    .collect()
}

/// The rooms that one is in or invited to, in the form that they have one by one; with `archived`, those
/// that one has left too.
pub async fn of_all(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    Matrix { caller, .. }: Matrix<joined_rooms::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let limit = limit(query.as_deref())?;
    let archived = query_value(query.as_deref().unwrap_or_default(), "archived");
    let archived = archived.as_deref() == Some("true");
    let user = caller.user.as_str();
    let look_all = api.lane.read(|view| {
        let end = Position::end_of(view.applied()?).as_i64();
        let mut joined = Vec::new();
        let rooms = query::joined_rooms(view.db(), user)?;
        let mut rooms: Vec<String> = rooms.into_iter().map(|(_, id)| id).collect();
        if archived {
            rooms.append(&mut left_rooms(view.db(), user)?);
        }
        for id in rooms {
            let Ok(id) = id.parse::<RoomId>() else {
                continue;
            };
            if let Some(found) = look(view, &id, &caller, limit)? {
                joined.push((id, found));
            }
        }
        let data = query::account_data(view.db(), user, 0, None)?;
        let mut invited = view.db().prepare_cached(
            "SELECT room.id FROM member JOIN room ON room.n = member.room
             WHERE member.user = ?1 AND member.membership = 'invite' ORDER BY room.n",
        )?;
        let invited = invited.query_map([user], |row| row.get(0))?;
        let invited: Vec<String> = invited.collect::<Result<_, _>>()?;
        Ok((end, joined, invited, data))
    });
    let (end, joined, invited, data) = look_all.await?;
    let mut rooms = joined
        .into_iter()
        .map(|(id, found)| render(&api, &id, found, &caller))
        .collect::<Result<Vec<_>, _>>()?;
    // Receipts of all rooms stand together.
    let receipts = rooms.iter_mut().filter_map(|room| {
        let receipts = room.get_mut("receipts")?.as_array_mut()?;
        Some(std::mem::take(receipts))
    });
    let receipts: Vec<Value> = receipts.flatten().collect();
    let invited = invited
        .iter()
        .map(|room| json!({ "room_id": room, "membership": "invite" }));
    let data: Vec<Raw<AnyRoomAccountDataEvent>> =
        data.iter().map(account_data).collect::<Result<_, _>>()?;
    Ok(Json(json!({
        "end": api.token_at(end).to_string(),
        "rooms": rooms.into_iter().chain(invited).collect::<Vec<_>>(),
        "account_data": data,
        "presence": api.presence_at_first(&caller).await?,
        "receipts": receipts,
    })))
}
