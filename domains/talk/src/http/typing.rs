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
use bongsu_web_kit::stands_for;
use ruma::api::client::typing::create_typing_event::v3::{Request, Response, Typing};
use ruma::api::error::DeserializationError;
use ruma::api::{IncomingRequest, Metadata};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long somebody types who does not say how long.
const USUAL: Duration = Duration::from_secs(30);

/// The request; `timeout` may be missing, which `ruma` does not know of.
pub struct Told(Request);

stands_for!(Told, Request, <Request as Metadata>::Authentication);

impl IncomingRequest for Told {
    type EndpointError = <Request as IncomingRequest>::EndpointError;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path_args: &[&str],
    ) -> Result<Self, DeserializationError> {
        let (parts, body) = request.into_parts();
        let mut told: Map<String, Value> = serde_json::from_slice(body)?;
        let usual = || Value::from(USUAL.as_millis() as u64);
        told.entry("timeout").or_insert_with(usual);
        let told = serde_json::to_vec(&told)?;
        let request = http::Request::from_parts(parts, &*told);
        Request::try_from_http_request_inner(request, path_args).map(Self)
    }
}

pub async fn typing(
    State(api): State<Api>,
    Matrix {
        request: Told(request),
        caller,
        ..
    }: Matrix<Told>,
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
