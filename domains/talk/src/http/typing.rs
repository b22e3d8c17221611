//! `PUT /rooms/{roomId}/typing/{userId}`.

use super::Api;
use super::convert::ours;
use super::refuse::rejected;
use crate::Rejected;
use crate::state::members::membership;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::typing::create_typing_event::v3::{Request, Response, Typing};

pub async fn typing(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    if request.user_id.as_str() != caller.user.as_str() {
        return Err(MatrixError::forbidden(
            "you can say of yourself alone that you are typing",
        ));
    }
    let room: RoomId = ours(&request.room_id)?;
    let look = api.lane.read(|view| {
        let Some(room) = Room::by_id(view.db(), &room)? else {
            return Ok(false);
        };
        Ok(membership(view.db(), room.n, caller.user.as_str())? == "join")
    });
    if !look.await? {
        return Err(rejected(&Rejected::NotJoined));
    }
    let span = match request.state {
        Typing::Yes(info) => Some(info.timeout),
        Typing::No => None,
    };
    api.typing.set(&room, &caller.user, span, api.position());
    api.far.typing(&room, &caller.user, span).await;
    Ok(Reply(Response::new()))
}
