//! `GET /rooms/{roomId}/messages`: a room's history, a page at a time.

use super::Api;
use super::convert::ours;
use super::filters::{FilterQuery, event_filter};
use super::json::event;
use super::members::not_in_room;
use super::token::Token;
use crate::query::{
    self, Direction, EventFilter, Lazy, Part, RelatedLook, Shown, Visible, page, show_to,
};
use crate::state::events::Event;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::{Position, RoomId};
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::Direction as Dir;
use ruma::api::client::message::get_message_events::v3::{Request, Response};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// The longest page.
const MAX_LIMIT: u64 = 1_000;

/// Where a page begins, where the next one goes on, its events, and the senders' memberships.
struct Found {
    start: i64,
    end: Option<i64>,
    chunk: Vec<Shown>,
    state: Vec<Shown>,
}

pub async fn messages(
    State(api): State<Api>,
    related_by: Result<FilterQuery, MatrixError>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let id: RoomId = ours(&request.room_id)?;
    let from = api.place_if_any(request.from.as_deref()).await?;
    let to = api.place_if_any(request.to.as_deref()).await?;
    let filter = event_filter(&request.filter, related_by?.0);
    let found = api
        .lane
        .read(|view| look(view, (&request, &filter), &id, &caller, (from, to)))
        .await?
        .ok_or_else(not_in_room)?;
    let mut response = Response::new();
    let start = || api.token_at(found.start).to_string();
    response.start = request.from.clone().unwrap_or_else(start);
    response.end = found.end.map(|end| api.token_at(end).to_string());
    let (room_id, seer) = (Some(id.as_str()), api.seer(&caller));
    let chunk = found.chunk.iter();
    response.chunk = chunk
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    let state = found.state.iter();
    response.state = state
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    Ok(Reply(response))
}

/// The memberships of `senders` as they were at `at`; or as they are, of who was no member then: whoever
/// makes a room becomes a member of it after that.
fn members_of(
    db: &Connection,
    room: &Room,
    at: i64,
    senders: &BTreeSet<&str>,
) -> rusqlite::Result<Vec<Event>> {
    let mut members = query::state_at(db, room, at, Part::MembersOf(senders))?;
    for sender in senders {
        let is = |event: &Event| event.state_key.as_deref() == Some(*sender);
        if members.iter().any(is) {
            continue;
        }
        if let Some((position, _)) = room.state(db, "m.room.member", sender)? {
            members.push(Event::at(db, position)?);
        }
    }
    Ok(members)
}

/// Reads the page, unless the caller may read nothing of the room.
fn look(
    view: &ReadView<'_>,
    (request, filter): (&Request, &EventFilter),
    id: &RoomId,
    caller: &Caller,
    (from, to): (Option<Token>, Option<Token>),
) -> rusqlite::Result<Option<Found>> {
    let db = view.db();
    let Some(room) = Room::by_id(db, id)? else {
        return Ok(None);
    };
    let visible = Visible::of(db, room.n, caller.user.as_str())?.without_ignored(db)?;
    if !visible.may_look_into(&room) {
        return Ok(None);
    }
    let number = |token: Option<Token>| token.map(|token| token.position.as_i64());
    let last = Position::end_of(view.applied()?).as_i64();
    let (direction, start, range) = if request.dir == Dir::Forward {
        let start = number(from).unwrap_or(0);
        let range = (start, number(to).unwrap_or(last));
        (Direction::Forward, start, range)
    } else {
        let start = number(from).unwrap_or(last);
        (Direction::Backward, start, (number(to).unwrap_or(0), start))
    };
    let limit = u64::from(request.limit).min(MAX_LIMIT) as usize;
    let in_room = filter.admits_room(id.as_str());
    let related = RelatedLook::new(db, &filter.related_by);
    let admit = |event: &Event| {
        in_room && visible.admits(event) && filter.admits(event) && related.admits(event)
    };
    let page = page(db, room.n, range, direction, limit, admit)?;
    related.finish()?;
    let members = if filter.lazy != Lazy::Off && !page.events.is_empty() {
        let senders = page.events.iter().map(|event| event.sender.as_str());
        members_of(db, &room, start, &senders.collect())?
    } else {
        Vec::new()
    };
    let events = page.events.into_iter();
    let chunk: rusqlite::Result<_> = events.map(|event| show_to(db, event, &visible)).collect();
    let members = members.into_iter();
    let state: rusqlite::Result<_> = members.map(|event| query::show(db, event)).collect();
    // Going back, after a page with events comes another, which may be without: the first versions always told of
    // one. Going forward, clients read on for as long as there is one.
    let back = request.dir == Dir::Backward;
    let chunk: Vec<Shown> = chunk?;
    Ok(Some(Found {
        start,
        end: (page.more || back && !chunk.is_empty()).then_some(page.end),
        chunk,
        state: state?,
    }))
}
