//! `GET /rooms/{roomId}/context/{eventId}`: an event among its neighbours; and
//! `GET /rooms/{roomId}/timestamp_to_event`: the event nearest to a time.

use super::Api;
use super::convert::{ours, theirs};
use super::filters::{FilterQuery, event_filter};
use super::json::event;
use super::members::not_in_room;
use crate::query::{
    self, Direction, EventFilter, Lazy, Part, RelatedLook, Shown, Visible, show_to,
};
use crate::state::events::Event;
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::Direction as Dir;
use ruma::api::client::context::get_context::v3::Request;
use ruma::api::client::room::get_event_by_timestamp::v1 as by_time;
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use ruma::{MilliSecondsSinceUnixEpoch, UInt};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many neighbours are shown at most.
const MAX_LIMIT: u64 = 1_000;

struct Found {
    event: Shown,
    before: Vec<Shown>,
    after: Vec<Shown>,
    state: Vec<Shown>,
    start: i64,
    end: i64,
}

/// The answer.
#[derive(Serialize)]
pub struct Neighbours {
    start: String,
    end: String,
    event: Raw<AnyTimelineEvent>,
    events_before: Vec<Raw<AnyTimelineEvent>>,
    events_after: Vec<Raw<AnyTimelineEvent>>,
    state: Vec<Raw<AnyTimelineEvent>>,
}

/// The event with its neighbours, unless the caller may not read it, or nothing of the room at all.
fn look(
    view: &ReadView<'_>,
    (request, filter): (&Request, &EventFilter),
    id: &RoomId,
    caller: &Caller,
) -> rusqlite::Result<Option<Option<Found>>> {
    let (db, user) = (view.db(), caller.user.as_str());
    let Some(room) = Room::by_id(db, id)? else {
        return Ok(None);
    };
    let visible = Visible::of(db, room.n, user)?.without_ignored(db)?;
    if !visible.may_look_into(&room) {
        return Ok(None);
    }
    let event = Event::by_id(db, request.event_id.as_str())?
        .filter(|event| event.room == room.n && visible.admits(event));
    let Some(event) = event else {
        return Ok(Some(None));
    };
    let in_room = filter.admits_room(id.as_str());
    let related = RelatedLook::new(db, &filter.related_by);
    let admit = |event: &Event| {
        in_room && visible.admits(event) && filter.admits(event) && related.admits(event)
    };
    let limit = u64::from(request.limit).min(MAX_LIMIT) as usize;
    let at = event.position.as_i64();
    let around = query::around(db, (room.n, at), limit, admit)?;
    let (before, after) = (around.before.events, around.after.events);
    let all = before.iter().chain(&after).chain([&event]);
    let senders: BTreeSet<&str> = all.map(|event| event.sender.as_str()).collect();
    let last = after.last().map_or(at, |event| event.position.as_i64());
    let part = match filter.lazy {
        Lazy::Off => Part::All,
        _ => Part::Around(&senders),
    };
    let mut state = query::state_at(db, &room, last, part)?;
    state.retain(|event| filter.admits(event) && related.admits(event));
    related.finish()?;
    let show_all = |events: Vec<Event>| -> rusqlite::Result<Vec<Shown>> {
        let shown = events.into_iter().map(|event| show_to(db, event, &visible));
        shown.collect()
    };
    let state = state.into_iter().map(|event| query::show(db, event));
    let first = before.last().map_or(at, |event| event.position.as_i64());
    Ok(Some(Some(Found {
        event: show_to(db, event, &visible)?,
        before: show_all(before)?,
        after: show_all(after)?,
        state: state.collect::<rusqlite::Result<_>>()?,
        start: first - 1,
        end: last,
    })))
}

pub async fn context(
    State(api): State<Api>,
    related_by: Result<FilterQuery, MatrixError>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Neighbours>, MatrixError> {
    let id: RoomId = ours(&request.room_id)?;
    let filter = event_filter(&request.filter, related_by?.0);
    let found = api
        .lane
        .read(|view| look(view, (&request, &filter), &id, &caller));
    let not_found = || MatrixError::not_found("there is no such event, or you may not read it");
    let found = found.await?.ok_or_else(not_in_room)?;
    let found = found.ok_or_else(not_found)?;
    let (room_id, seer) = (Some(id.as_str()), api.seer(&caller));
    let list = |list: &[Shown]| {
        let shown = list.iter().map(|shown| event(shown, room_id, seer));
        shown.collect::<Result<Vec<_>, _>>()
    };
    // The lists are there even where they are empty: clients of the first versions look into them without asking.
    Ok(Json(Neighbours {
        start: api.token_at(found.start).to_string(),
        end: api.token_at(found.end).to_string(),
        event: event(&found.event, room_id, seer)?,
        events_before: list(&found.before)?,
        events_after: list(&found.after)?,
        state: list(&found.state)?,
    }))
}

pub async fn at_time(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<by_time::Request>,
) -> Answer<by_time::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let time = i64::from(request.ts.get());
    let direction = match request.dir {
        Dir::Forward => Direction::Forward,
        Dir::Backward => Direction::Backward,
    };
    let found = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(None);
        };
        let visible = Visible::of(db, room.n, caller.user.as_str())?.without_ignored(db)?;
        if !visible.may_look_into(&room) {
            return Ok(None);
        }
        query::nearest(db, &room, time, direction, &visible).map(Some)
    });
    let found = found.await?.ok_or_else(not_in_room)?;
    let none = || MatrixError::not_found("there is no event on that side of the time");
    let found = found.ok_or_else(none)?;
    let time = u64::try_from(found.time.0).map_err(MatrixError::internal)?;
    Ok(Reply(by_time::Response::new(
        theirs(found.id().as_str())?,
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(time)),
    )))
}
