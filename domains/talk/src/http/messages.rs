//! `GET /rooms/{roomId}/messages`: a room's history, a page at a time.

use super::Api;
use super::convert::ours;
use super::filters::event_filter;
use super::json::event;
use super::members::not_in_room;
use super::token::Token;
use crate::query::{self, Direction, Visible, page, show};
use crate::state::rooms::{Room, Visibility};
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::Direction as Dir;
use ruma::api::client::filter::LazyLoadOptions;
use ruma::api::client::message::get_message_events::v3::{Request, Response};
use std::collections::BTreeSet;

/// The longest page.
const MAX_LIMIT: u64 = 1_000;

pub async fn messages(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let id: RoomId = ours(&request.room_id)?;
    let place = |token: &Option<String>| token.as_deref().map(Token::parse).transpose();
    let (from, to) = (place(&request.from)?, place(&request.to)?);
    let limit = u64::from(request.limit).clamp(1, MAX_LIMIT) as usize;
    let filter = event_filter(&request.filter);
    let direction = if request.dir == Dir::Forward {
        Direction::Forward
    } else {
        Direction::Backward
    };
    let user = caller.user.as_str();
    let found = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(None);
        };
        let visible = Visible::of(db, room.n, user)?;
        if !visible.ever_joined() && room.visibility != Visibility::WorldReadable {
            return Ok(None);
        }
        let number = |token: Option<Token>| token.map(|token| token.position.as_i64());
        let last = view
            .applied()
            .map(|seq| bongsu_base::Position::end_of(seq).as_i64())?;
        let (start, range) = match direction {
            Direction::Backward => {
                let start = number(from).unwrap_or(last);
                (start, (number(to).unwrap_or(0), start))
            }
            Direction::Forward => {
                let start = number(from).unwrap_or(0);
                (start, (start, number(to).unwrap_or(last)))
            }
        };
        let admit =
            |event: &crate::state::events::Event| visible.admits(event) && filter.admits(event);
        let page = page(db, room.n, range, direction, limit, admit)?;
        let end = page.more.then_some(page.end);
        let senders: BTreeSet<String> = page
            .events
            .iter()
            .map(|event| event.sender.clone())
            .collect();
        let chunk = page
            .events
            .into_iter()
            .map(|event| show(db, event))
            .collect::<Result<Vec<_>, _>>()?;
        let mut state = Vec::new();
        if request.filter.lazy_load_options != LazyLoadOptions::Disabled && !chunk.is_empty() {
            let wanted = |kind: &str, key: &str| kind == "m.room.member" && senders.contains(key);
            for event in query::state_at(db, &room, start, wanted)? {
                state.push(show(db, event)?);
            }
        }
        Ok(Some((start, end, chunk, state)))
    });
    let (start, end, chunk, state) = found.await?.ok_or_else(not_in_room)?;
    let mut response = Response::new();
    response.start = request.from.unwrap_or_else(|| Token::at(start).to_string());
    response.end = end.map(|end| Token::at(end).to_string());
    let room_id = Some(id.as_str());
    response.chunk = chunk
        .iter()
        .map(|shown| event(shown, room_id, &caller))
        .collect::<Result<_, _>>()?;
    response.state = state
        .iter()
        .map(|shown| event(shown, room_id, &caller))
        .collect::<Result<_, _>>()?;
    Ok(Reply(response))
}
