//! `POST /rooms/{roomId}/upgrade`: replacing a room by one of another version.

use super::Api;
use super::convert::ours;
use super::directory::no_such_room;
use super::plain::Plain;
use super::refuse::ruled;
use crate::command::{Command, Upgrade};
use crate::state::rooms::Room;
use crate::state::version::VERSIONS;
use crate::{Accepted, apply};
use axum::Json;
use axum::extract::State;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::MatrixError;
use http::StatusCode;
use ruma::api::error::ErrorKind;
use serde_json::{Value, json};

/// The version is read as it came: to `ruma`, one that cannot be is none, and to the specification it is one
/// that is not supported.
pub async fn upgrade(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let mut body = plain.object()?;
    let Some(Value::String(version)) = body.remove("new_version") else {
        return Err(MatrixError::bad_json("`new_version` is missing"));
    };
    if !VERSIONS.contains(&version.as_str()) {
        return Err(no_such_version(&version));
    }
    let caller = &plain.caller;
    let room: RoomId = ours(plain.param("room_id"))?;
    let look = api.lane.read(|view| {
        let found = Room::by_id(view.db(), &room)?;
        let user = caller.user.as_str();
        let may = found.map(|found| apply::may_upgrade(view.db(), &found, user));
        Ok(may.transpose())
    });
    ruled(look.await)?.ok_or_else(no_such_room)?;
    let creators = body.remove("additional_creators").unwrap_or(json!([]));
    let additional_creators: Vec<UserId> = serde_json::from_value(creators)
        .map_err(|error| MatrixError::bad_json(format!("`additional_creators`: {error}")))?;
    let command = Command::Upgrade(Upgrade {
        room,
        replacement: api.room_id(&version)?,
        version,
        additional_creators,
        profile: api.profile_of(&caller.user).await?,
    });
    match api.submit(caller, Priority::Normal, None, command).await? {
        Accepted::Room(room) => {
            api.take_push_rule_along(caller, &room).await?;
            Ok(Json(json!({ "replacement_room": room.as_str() })))
        }
        other => Err(MatrixError::internal(format!("upgrading gave {other:?}"))),
    }
}

/// The refusal for a room version that cannot be made.
pub fn no_such_version(version: &str) -> MatrixError {
    let message = format!("room version {version} cannot be made here; see /capabilities");
    MatrixError::new(
        StatusCode::BAD_REQUEST,
        ErrorKind::UnsupportedRoomVersion,
        message,
    )
}
