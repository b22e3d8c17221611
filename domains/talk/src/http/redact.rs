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
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::OwnedEventId;
use ruma::api::client::redact::redact_event::v3::{Request, Response};
use serde_json::json;

impl Api {
    /// Takes the content of `event` away. `txn` is the client's name for this, within `scope`.
    pub(super) async fn redact(
        &self,
        caller: &Caller,
        (room, event): (RoomId, EventId),
        content: String,
        (scope, txn): (&str, &str),
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
        let name = [scope, room.as_str(), event.as_str()];
        let command = Command::Redact(Redact {
            room: room.clone(),
            event: event.clone(),
            content,
            txn: Some(txn.to_owned()),
        });
        match self
            .submit(caller, Priority::Normal, Some((&name, txn)), command)
            .await?
        {
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
    let id = api.redact(&caller, place, content, txn).await?;
    Ok(Reply(Response::new(id)))
}
