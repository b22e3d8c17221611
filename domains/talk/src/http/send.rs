//! `PUT /rooms/{roomId}/send/{eventType}/{txnId}`: sending a message event.

use super::Api;
use super::convert::{ours, theirs};
use super::json::content;
use super::refuse::ruled;
use crate::apply;
use crate::command::{Command, Send};
use crate::state::rooms::Room;
use crate::{Accepted, Rejected};
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::message::send_message_event::v3::{Request, Response};
use serde_json::Value;

pub async fn send(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let room: RoomId = ours(&request.room_id)?;
    let kind = request.event_type.to_string();
    let content = content(request.body.json().get())?;
    if let Some(event) = redacts(&kind, &content) {
        let txn = ("send", request.txn_id.as_str());
        let id = api.redact(&caller, (room, ours(event)?), content, txn);
        return Ok(Reply(Response::new(id.await?)));
    }
    // What the room's rules refuse is refused before it is written; applying it asks them again.
    let look = api.lane.read(|view| {
        Ok(match Room::by_id(view.db(), &room)? {
            Some(room) => {
                let user = caller.user.as_str();
                let repeat = Some((caller.device.as_str(), request.txn_id.as_str()));
                apply::may_send(view.db(), &room, user, &kind)
                    .and_then(|()| apply::may_fit(&kind, None, &content))
                    .and_then(|()| {
                        apply::may_relate(view.db(), &room, user, (&kind, &content), repeat)
                    })
            }
            None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
        })
    });
    ruled(look.await)?;
    let txn = request.txn_id.as_str();
    let scope = ["send", room.as_str(), &kind];
    let command = Command::Send(Send {
        room: room.clone(),
        kind: kind.clone(),
        content,
        txn: Some(txn.to_owned()),
    });
    match api
        .submit(&caller, Priority::Normal, Some((&scope, txn)), command)
        .await?
    {
        Accepted::Event(id) => Ok(Reply(Response::new(theirs(id.as_str())?))),
        other => Err(MatrixError::internal(format!("sending gave {other:?}"))),
    }
}

/// The event that a redaction sent as an event is about (Matrix v1.19, room version 11).
fn redacts(kind: &str, content: &str) -> Option<String> {
    if kind != "m.room.redaction" {
        return None;
    }
    let content: Value = serde_json::from_str(content).ok()?;
    content.get("redacts")?.as_str().map(str::to_owned)
}
