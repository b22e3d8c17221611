//! `GET /rooms/{roomId}/relations/{eventId}` in its three forms, and `GET /rooms/{roomId}/threads`.

use super::Api;
use super::convert::ours;
use super::json::event;
use super::members::not_in_room;
use super::plain::need_some;
use super::token::Token;
use crate::query::{self, Direction, RelatingPage, Shown, Visible, show_to};
use crate::state::events::Event;
use crate::state::relations::REPLACE;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::Direction as Dir;
use ruma::api::client::relations::{
    get_relating_events as all, get_relating_events_with_rel_type as of_rel,
    get_relating_events_with_rel_type_and_event_type as of_type,
};
use ruma::api::client::threads::get_threads::v1 as get_threads;
use ruma::serde::Raw;
use ruma::{OwnedEventId, OwnedRoomId, UInt};

/// How many events a page has when the client does not say.
const DEFAULT_LIMIT: u64 = 5;
/// The longest page.
const MAX_LIMIT: u64 = 1_000;
/// How many threads a page has when the client does not say.
const DEFAULT_THREADS: u64 = 20;

/// What is asked, in each of the three forms.
struct Wanted {
    room: OwnedRoomId,
    event: OwnedEventId,
    rel: Option<String>,
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    dir: Dir,
    limit: Option<UInt>,
    recurse: bool,
}

/// What is answered.
struct Found<T> {
    chunk: Vec<Raw<T>>,
    next: Option<String>,
    prev: Option<String>,
    depth: Option<UInt>,
}

fn limit(asked: Option<UInt>, default: u64) -> usize {
    asked.map_or(default, u64::from).clamp(1, MAX_LIMIT) as usize
}

/// The room, if `caller` may read anything of it, and what.
fn readable(
    view: &ReadView<'_>,
    id: &RoomId,
    caller: &Caller,
) -> rusqlite::Result<Option<(Room, Visible)>> {
    let Some(room) = Room::by_id(view.db(), id)? else {
        return Ok(None);
    };
    let visible =
        Visible::of(view.db(), room.n, caller.user.as_str())?.without_ignored(view.db())?;
    Ok(visible.may_look_into(&room).then_some((room, visible)))
}

fn shown(
    view: &ReadView<'_>,
    page: RelatingPage,
    visible: &Visible,
) -> rusqlite::Result<(Vec<Shown>, Option<i64>)> {
    let events = page.events.into_iter();
    let shown = events.map(|event| show_to(view.db(), event, visible));
    Ok((shown.collect::<Result<_, _>>()?, page.next))
}

/// `None` where the event is not there or may not be read.
fn look(
    view: &ReadView<'_>,
    wanted: &Wanted,
    (room, visible): &(Room, Visible),
    (from, to): (Option<i64>, Option<i64>),
) -> rusqlite::Result<Option<(Vec<Shown>, Option<i64>)>> {
    let db = view.db();
    let target = Event::by_id(db, wanted.event.as_str())?
        .filter(|event| event.room == room.n && visible.admits(event));
    let Some(target) = target else {
        return Ok(None);
    };
    let (direction, range) = if wanted.dir == Dir::Forward {
        let range = (from.unwrap_or(0), to.unwrap_or(i64::MAX));
        (Direction::Forward, range)
    } else {
        let range = (to.unwrap_or(0), from.unwrap_or(i64::MAX));
        (Direction::Backward, range)
    };
    let is = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    let page = query::relating(
        db,
        target.position.as_i64(),
        range,
        (
            direction,
            limit(wanted.limit, DEFAULT_LIMIT),
            if wanted.recurse { query::RECURSION } else { 1 },
        ),
        (
            // What was written instead of what was redacted tells what that was.
            |rel: &str, kind: &str| {
                let told = rel != REPLACE || target.redacted_by.is_none();
                told && is(&wanted.rel, rel) && is(&wanted.kind, kind)
            },
            |event: &Event| visible.admits(event),
        ),
    )?;
    shown(view, page, visible).map(Some)
}

async fn find<T>(api: &Api, caller: &Caller, wanted: Wanted) -> Result<Found<T>, MatrixError> {
    let id: RoomId = ours(&wanted.room)?;
    let number = |token: Option<Token>| token.map(|token| token.position.as_i64());
    let from = api.place_if_any(wanted.from.as_deref()).await?;
    let to = api.place_if_any(wanted.to.as_deref()).await?;
    let places = (number(from), number(to));
    let found = api.lane.read(|view| {
        let room = readable(view, &id, caller)?;
        let found = room.map(|room| look(view, &wanted, &room, places));
        found.transpose()
    });
    let not_found = || MatrixError::not_found("there is no such event, or you may not read it");
    let found = found.await?.ok_or_else(not_in_room)?;
    let (shown, next) = found.ok_or_else(not_found)?;
    let (room_id, seer) = (Some(id.as_str()), api.seer(caller));
    let chunk = shown.iter();
    Ok(Found {
        chunk: chunk
            .map(|shown| event(shown, room_id, seer))
            .collect::<Result<_, _>>()?,
        next: next.map(|at| api.token_at(at).to_string()),
        prev: wanted.from,
        depth: wanted
            .recurse
            .then(|| UInt::new_saturating(query::RECURSION as u64)),
    })
}

/// The three forms differ in their paths alone.
macro_rules! relations {
    ($name:ident, $form:ident, $request:ident => $rel:expr, $kind:expr) => {
        pub async fn $name(
            State(api): State<Api>,
            Matrix {
                request: $request,
                caller,
            }: Matrix<$form::v1::Request>,
        ) -> Answer<$form::v1::Response> {
            let wanted = Wanted {
                rel: $rel,
                kind: $kind,
                room: $request.room_id,
                event: $request.event_id,
                from: $request.from,
                to: $request.to,
                dir: $request.dir,
                limit: $request.limit,
                recurse: $request.recurse,
            };
            let found = find(&api, &caller, wanted).await?;
            let mut response = $form::v1::Response::new(found.chunk);
            response.next_batch = found.next;
            response.prev_batch = found.prev;
            response.recursion_depth = found.depth;
            Ok(Reply(response))
        }
    };
}

relations!(relations, all, request => None, None);
relations!(with_rel_type, of_rel, request => Some(request.rel_type.to_string()), None);
relations!(with_event_type, of_type, request =>
    Some(request.rel_type.to_string()), Some(request.event_type.to_string()));

pub async fn threads(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_threads::Request>,
) -> Answer<get_threads::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let from = api.place_if_any(request.from.as_deref()).await?;
    let from = from.map_or(i64::MAX, |token| token.position.as_i64());
    let participated = match request.include {
        get_threads::IncludeThreads::All => None,
        get_threads::IncludeThreads::Participated => Some(caller.user.as_str()),
        _ => {
            let message = "`include` is all or participated";
            return Err(MatrixError::invalid_param(message));
        }
    };
    need_some(request.limit)?;
    let limit = limit(request.limit, DEFAULT_THREADS);
    let found = api.lane.read(|view| {
        let Some((room, visible)) = readable(view, &id, &caller)? else {
            return Ok(None);
        };
        let place = (room.n, from);
        let page = query::threads(view.db(), place, participated, limit, &visible)?;
        shown(view, page, &visible).map(Some)
    });
    let (shown, next) = found.await?.ok_or_else(not_in_room)?;
    let (room_id, seer) = (Some(id.as_str()), api.seer(&caller));
    let chunk = shown.iter().map(|shown| event(shown, room_id, seer));
    let mut response = get_threads::Response::new(chunk.collect::<Result<_, _>>()?);
    response.next_batch = next.map(|at| api.token_at(at).to_string());
    Ok(Reply(response))
}
