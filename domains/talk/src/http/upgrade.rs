//! `POST /rooms/{roomId}/upgrade`: replacing a room by one of another version.

use super::Api;
use super::convert::{ours, theirs};
use super::directory::no_such_room;
use super::refuse::ruled;
use crate::command::{Command, Upgrade};
use crate::state::rooms::Room;
use crate::state::version::VERSIONS;
use crate::{Accepted, apply};
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::room::upgrade_room::v3::{Request, Response};
use ruma::api::error::ErrorKind;

pub async fn upgrade(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let version = request.new_version.as_str();
    if !VERSIONS.contains(&version) {
        return Err(no_such_version(version));
    }
    let room: RoomId = ours(&request.room_id)?;
    let look = api.lane.read(|view| {
        let found = Room::by_id(view.db(), &room)?;
        let user = caller.user.as_str();
        let may = found.map(|found| apply::may_upgrade(view.db(), &found, user));
        Ok(may.transpose())
    });
    ruled(look.await)?.ok_or_else(no_such_room)?;
    let additional_creators = request
        .additional_creators
        .iter()
        .map(ours)
        .collect::<Result<_, _>>()?;
    let command = Command::Upgrade(Upgrade {
        room,
        replacement: api.room_id(version)?,
        version: version.to_owned(),
        additional_creators,
        profile: api.profile_of(&caller.user).await?,
    });
    match api.submit(&caller, Priority::Normal, None, command).await? {
        Accepted::Room(room) => {
            api.take_push_rule_along(&caller, &room).await?;
            Ok(Reply(Response::new(theirs(room.as_str())?)))
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
