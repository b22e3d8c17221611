//! `PUT /rooms/{roomId}/send/{eventType}/{txnId}`: sending a message event; and the form of the first
//! versions, a `POST` without a transaction id.

use super::Api;
use super::convert::{ours, theirs};
use super::json::{check_fields, content};
use super::plain::Plain;
use super::refuse::{refusal, ruled};
use crate::apply::{self, rules_topic};
use crate::command::{Command, Send};
use crate::state::relations::relation;
use crate::state::rooms::Room;
use crate::{Accepted, Rejected};
use axum::Json;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::OwnedEventId;
use ruma::api::client::message::send_message_event::v3::{Request, Response};
use serde_json::{Value, json};

pub async fn send(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let room = ours(&request.room_id)?;
    let kind = request.event_type.to_string();
    let content = content(request.body.json().get())?;
    let txn = Some(request.txn_id.as_str());
    let id = api.send(&caller, room, (kind, content), txn).await?;
    Ok(Reply(Response::new(id)))
}

/// Sends without a transaction id: what is sent again is another event.
pub async fn send_once(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let room = ours(plain.param("room_id"))?;
    let kind = plain.param("event_type").to_owned();
    let content = content(&Value::Object(plain.object()?).to_string())?;
    let id = api.send(&plain.caller, room, (kind, content), None).await?;
    Ok(Json(json!({ "event_id": id })))
}

impl Api {
    /// Sends an event. `txn` is the client's name for this.
    async fn send(
        &self,
        caller: &Caller,
        room: RoomId,
        (kind, content): (String, String),
        txn: Option<&str>,
    ) -> Result<OwnedEventId, MatrixError> {
        if let Some(event) = redacts(&kind, &content) {
            let txn = txn.map(|txn| ("send", txn));
            return self
                .redact(caller, (room, ours(event)?), content, txn)
                .await;
        }
        check_tombstone(&room, &kind, &content)?;
        self.may_send(caller, &room, (&kind, &content), txn).await?;
        check_fields(&self.config.server_name, &kind, &content)?;
        let scope = ["send", room.as_str(), &kind];
        let command = Command::Send(Send {
            room: room.clone(),
            kind: kind.clone(),
            content,
            txn: txn.map(str::to_owned),
        });
        let name = txn.map(|txn| (&scope[..], txn));
        match self.submit(caller, Priority::Normal, name, command).await? {
            Accepted::Event(id) => theirs(id.as_str()),
            other => Err(MatrixError::internal(format!("sending gave {other:?}"))),
        }
    }
}

impl Api {
    /// Asks the room's rules before anything is written; applying it asks them again.
    async fn may_send(
        &self,
        caller: &Caller,
        id: &RoomId,
        (kind, content): (&str, &str),
        txn: Option<&str>,
    ) -> Result<(), MatrixError> {
        let user = caller.user.as_str();
        let fits = || apply::may_fit(kind, None, content);
        let asked = (id.as_str(), user, kind);
        let outdated = self.lane.outdated(rules_topic(id.as_str()));
        if relation(content).is_none() && self.allowed.still(asked, outdated) {
            return fits().map_err(refusal);
        }
        let look = self.lane.read(|view| {
            let db = view.db();
            let Some(room) = Room::by_id(db, id)? else {
                return Ok(Err(Refusal::Rejected(Rejected::NoSuchRoom)));
            };
            let repeat = txn.map(|txn| (caller.device.as_str(), txn));
            let may = apply::may_be_sent_by_people(kind)
                .and_then(|()| apply::may_send(db, &room, user, kind));
            if may.is_ok() {
                self.allowed.note(asked, view.applied()?);
            }
            let relates = || apply::may_relate(db, &room, user, (kind, content), repeat);
            Ok(may.and_then(|()| fits()).and_then(|()| relates()))
        });
        ruled(look.await)
    }
}

/// No event says that a room was replaced by itself, also where it is no state.
fn check_tombstone(room: &RoomId, kind: &str, content: &str) -> Result<(), MatrixError> {
    if kind != "m.room.tombstone" {
        return Ok(());
    }
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    if content["replacement_room"] == room.as_str() {
        let message = "a room cannot be replaced by itself";
        return Err(MatrixError::invalid_param(message));
    }
    Ok(())
}

/// The event that a redaction sent as an event is about (Matrix v1.19, room version 11).
fn redacts(kind: &str, content: &str) -> Option<String> {
    if kind != "m.room.redaction" {
        return None;
    }
    let content: Value = serde_json::from_str(content).ok()?;
    content.get("redacts")?.as_str().map(str::to_owned)
}
