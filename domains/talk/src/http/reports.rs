//! Telling the administrators of an event, a room or a person.

use super::Api;
use super::convert::ours;
use super::plain::Plain;
use crate::command::{Command, Report};
use crate::query::Visible;
use crate::state::events::Event;
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::State;
use bongsu_base::{EventId, RoomId, UserId};
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use serde_json::{Value, json};

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 10_000;

impl Api {
    async fn report(&self, caller: &Caller, report: Report) -> Result<Json<Value>, MatrixError> {
        let command = Command::Report(report);
        self.submit(caller, Priority::Background, None, command)
            .await?;
        Ok(Json(json!({})))
    }
}

/// The reason that is given, if any is.
fn reason(plain: &Plain) -> Result<Option<String>, MatrixError> {
    let mut body = plain.object()?;
    // Earlier versions asked how offensive it is.
    if body.get("score").is_some_and(|score| !score.is_i64()) {
        return Err(MatrixError::bad_json("`score` is an integer"));
    }
    match body.remove("reason") {
        None => Ok(None),
        Some(Value::String(reason)) if reason.len() <= MAX_REASON => Ok(Some(reason)),
        Some(Value::String(_)) => Err(MatrixError::too_large(format!(
            "a `reason` has at most {MAX_REASON} bytes"
        ))),
        Some(_) => Err(MatrixError::bad_json("`reason` is a text")),
    }
}

/// The reason, which may be empty but not be left out.
fn some_reason(plain: &Plain) -> Result<Option<String>, MatrixError> {
    let reason = reason(plain)?;
    let missing = || MatrixError::bad_json("`reason` is missing");
    reason.ok_or_else(missing).map(Some)
}

pub async fn event(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let id: RoomId = ours(plain.param("room_id"))?;
    let event: EventId = ours(plain.param("event_id"))?;
    let reason = reason(&plain)?;
    let known = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(false);
        };
        let visible = Visible::of(db, room.n, plain.caller.user.as_str())?;
        let event = Event::by_id(db, event.as_str())?;
        Ok(event.is_some_and(|event| event.room == room.n && visible.admits(&event)))
    });
    if !known.await? {
        let message = "there is no such event, or you may not read it";
        return Err(MatrixError::not_found(message));
    }
    let report = Report {
        room: Some(id),
        event: Some(event),
        user: None,
        reason,
    };
    api.report(&plain.caller, report).await
}

pub async fn room(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let id: RoomId = ours(plain.param("room_id"))?;
    let reason = some_reason(&plain)?;
    let known = api.lane.read(|view| Room::by_id(view.db(), &id));
    if known.await?.is_none() {
        return Err(MatrixError::not_found("there is no such room here"));
    }
    let report = Report {
        room: Some(id),
        event: None,
        user: None,
        reason,
    };
    api.report(&plain.caller, report).await
}

pub async fn user(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let user: UserId = ours(plain.param("user_id"))?;
    let reason = some_reason(&plain)?;
    // Whether there is such a person here is nobody's business: the answer is the same.
    if api.people.profile(&user).await?.is_none() {
        return Ok(Json(json!({})));
    }
    let report = Report {
        room: None,
        event: None,
        user: Some(user),
        reason,
    };
    api.report(&plain.caller, report).await
}
