//! `GET /rooms/{roomId}/event/{eventId}`: one event.

use super::Api;
use super::convert::ours;
use super::json::event;
use crate::query::{Visible, show_to};
use crate::state::events::Event;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::room::get_room_event::v3::{Request, Response};

pub async fn get(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let id: RoomId = ours(&request.room_id)?;
    let found = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(None);
        };
        let event =
            Event::by_id(db, request.event_id.as_str())?.filter(|event| event.room == room.n);
        let visible = Visible::of(db, room.n, caller.user.as_str())?.without_ignored(db)?;
        event
            .filter(|event| visible.admits(event))
            .map(|event| show_to(db, event, &visible))
            .transpose()
    });
    let not_found = || MatrixError::not_found("there is no such event, or you may not read it");
    let shown = found.await?.ok_or_else(not_found)?;
    Ok(Reply(Response::new(event(
        &shown,
        Some(id.as_str()),
        api.seer(&caller),
    )?)))
}
