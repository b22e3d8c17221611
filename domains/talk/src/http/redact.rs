//! `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`: taking an event's content away; and the form of the
//! first versions, a `POST` without a transaction id.

use super::Api;
use super::convert::{ours, theirs};
use super::plain::Plain;
use super::refuse::ruled;
use crate::apply;
use crate::command::{Command, Redact};
use crate::state::rooms::Room;
use crate::{Accepted, Rejected};
use axum::Json;
use axum::extract::State;
use bongsu_base::{EventId, RoomId};
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::OwnedEventId;
use ruma::api::client::redact::redact_event::v3::{Request, Response};
use serde_json::{Value, json};

impl Api {
    /// Takes the content of `event` away. `txn` is the client's name for this, within its scope.
    pub(super) async fn redact(
        &self,
        caller: &Caller,
        (room, event): (RoomId, EventId),
        content: String,
        txn: Option<(&str, &str)>,
    ) -> Result<OwnedEventId, MatrixError> {
        let look = self.lane.read(|view| {
            let user = caller.user.as_str();
            Ok(match Room::by_id(view.db(), &room)? {
                Some(room) => {
                    apply::may_redact(view.db(), &room, user, event.as_str()).and_then(|target| {
                        apply::may_fit("m.room.redaction", None, &content).map(|()| target)
                    })
                }
                None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
            })
        });
        let target = ruled(look.await)?;
        if target.sender != caller.user.as_str()
            && self.authenticator.standing(&caller.user).await?.suspended
        {
            return Err(MatrixError::suspended());
        }
        let scope = txn.map(|(scope, _)| [scope, room.as_str(), event.as_str()]);
        let command = Command::Redact(Redact {
            room: room.clone(),
            event: event.clone(),
            content,
            txn: txn.map(|(_, txn)| txn.to_owned()),
        });
        let name = scope.as_ref().zip(txn);
        let name = name.map(|(scope, (_, txn))| (&scope[..], txn));
        match self.submit(caller, Priority::Normal, name, command).await? {
            Accepted::Event(id) => theirs(id.as_str()),
            other => Err(MatrixError::internal(format!("redacting gave {other:?}"))),
        }
    }
}

pub async fn redact(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let place = (ours(&request.room_id)?, ours(&request.event_id)?);
    let content = request
        .reason
        .map_or_else(|| json!({}), |reason| json!({ "reason": reason }))
        .to_string();
    let txn = ("redact", request.txn_id.as_str());
    let id = api.redact(&caller, place, content, Some(txn)).await?;
    Ok(Reply(Response::new(id)))
}

/// Redacts without a transaction id.
pub async fn redact_once(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let place = (
        ours(plain.param("room_id"))?,
        ours(plain.param("event_id"))?,
    );
    let reason = match plain.object_or_nothing()?.remove("reason") {
        None => json!({}),
        Some(Value::String(reason)) => json!({ "reason": reason }),
        Some(_) => return Err(MatrixError::bad_json("`reason` is a text")),
    };
    let id = api
        .redact(&plain.caller, place, reason.to_string(), None)
        .await?;
    Ok(Json(json!({ "event_id": id })))
}
