//! `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`: taking an event's content away.

use super::Api;
use super::convert::{ours, theirs};
use super::refuse::ruled;
use crate::apply;
use crate::command::{Command, Redact};
use crate::state::rooms::Room;
use crate::{Accepted, Rejected};
use axum::extract::State;
use bongsu_base::{EventId, RoomId};
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::redact::redact_event::v3::{Request, Response};
use serde_json::json;

pub async fn redact(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let room: RoomId = ours(&request.room_id)?;
    let event: EventId = ours(&request.event_id)?;
    let look = api.lane.read(|view| {
        Ok(match Room::by_id(view.db(), &room)? {
            Some(room) => {
                apply::may_redact(view.db(), &room, caller.user.as_str(), event.as_str()).map(drop)
            }
            None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
        })
    });
    ruled(look.await)?;
    let content = request
        .reason
        .map_or_else(|| json!({}), |reason| json!({ "reason": reason }))
        .to_string();
    let txn = request.txn_id.as_str();
    let scope = ["redact", room.as_str(), event.as_str()];
    let command = Command::Redact(Redact {
        room: room.clone(),
        event: event.clone(),
        content,
        txn: Some(txn.to_owned()),
    });
    match api
        .submit(&caller, Priority::Normal, Some((&scope, txn)), command)
        .await?
    {
        Accepted::Event(id) => Ok(Reply(Response::new(theirs(id.as_str())?))),
        other => Err(MatrixError::internal(format!("redacting gave {other:?}"))),
    }
}
