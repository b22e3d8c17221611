//! `GET /room_summary/{roomIdOrAlias}`: what a room is about, before one is in it.

use super::Api;
use super::convert::ours;
use super::describe::summary_of;
use super::directory::no_such_room;
use crate::query::describe;
use crate::state::entrance::may_know;
use crate::state::members::membership;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::room::get_summary::v1::{Request, Response};

pub async fn summary(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let id: RoomId = ours(api.room_named(&request.room_id_or_alias).await?)?;
    let user = caller.as_ref().map(|caller| caller.user.as_str());
    let found = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(None);
        };
        if !may_know(db, &room, user)? {
            return Ok(None);
        }
        let membership = user.map(|user| membership(db, room.n, user)).transpose()?;
        Ok(Some((describe(db, room)?, membership)))
    });
    let (room, membership) = found.await?.ok_or_else(no_such_room)?;
    let mut response = Response::new(summary_of(&room)?);
    response.membership = membership.map(Into::into);
    Ok(Reply(response))
}
