//! Aliases.

use super::Api;
use super::convert::{ours, theirs};
use super::members::{known_room, not_in_room};
use super::refuse::{rejected, ruled};
use crate::command::{Command, SetAlias};
use crate::state::rooms::{self, Room, Visibility};
use crate::{Rejected, apply};
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::alias::{create_alias, delete_alias, get_alias};
use ruma::api::client::room::aliases;
use ruma::api::error::ErrorKind;

pub async fn create(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<create_alias::v3::Request>,
) -> Answer<create_alias::v3::Response> {
    if request.room_alias.server_name().as_str() != api.config.server_name.as_str() {
        let message = format!("aliases here end in :{}", api.config.server_name);
        return Err(MatrixError::invalid_param(message));
    }
    api.alias(request.room_alias.alias())?;
    let command = SetAlias {
        alias: request.room_alias.to_string(),
        room: ours(&request.room_id)?,
    };
    match api.set_alias(&caller, command).await {
        // Here the specification asks for 409.
        Err(MatrixError::Standard {
            kind: ErrorKind::RoomInUse,
            message,
            ..
        }) => Err(MatrixError::new(
            StatusCode::CONFLICT,
            ErrorKind::Unknown,
            message,
        )),
        other => other.map(|_| Reply(create_alias::v3::Response::new())),
    }
}

impl Api {
    async fn set_alias(&self, caller: &Caller, command: SetAlias) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| {
            let (db, user) = (view.db(), caller.user.as_str());
            Ok(match Room::by_id(db, &command.room)? {
                Some(room) => apply::may_set_alias(db, &room, user, &command.alias),
                None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
            })
        });
        ruled(look.await)?;
        let command = Command::SetAlias(command);
        self.submit(caller, Priority::Normal, None, command)
            .await
            .map(drop)
    }
}

pub async fn delete(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<delete_alias::v3::Request>,
) -> Answer<delete_alias::v3::Response> {
    let alias = request.room_alias.to_string();
    let look = api.lane.read(|view| {
        let user = caller.user.as_str();
        Ok(apply::may_delete_alias(view.db(), user, &alias).map(drop))
    });
    ruled(look.await)?;
    let command = Command::DeleteAlias(alias);
    api.submit(&caller, Priority::Normal, None, command).await?;
    Ok(Reply(delete_alias::v3::Response::new()))
}

pub async fn get(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_alias::v3::Request>,
) -> Answer<get_alias::v3::Response> {
    let room = api
        .lane
        .read(|view| Room::by_alias(view.db(), request.room_alias.as_str()))
        .await?;
    let room = room.ok_or_else(|| rejected(&Rejected::NoSuchAlias))?;
    let servers = vec![theirs(api.config.server_name.as_str())?];
    Ok(Reply(get_alias::v3::Response::new(
        theirs(room.id.as_str())?,
        servers,
    )))
}

pub async fn of_room(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<aliases::v3::Request>,
) -> Answer<aliases::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let found = api.lane.read(|view| {
        // What the whole world may read tells the whole world its aliases.
        let open = Room::by_id(view.db(), &id)?
            .filter(|room| room.visibility == Visibility::WorldReadable);
        let room = match known_room(view, &id, &caller)? {
            Some((room, i64::MAX)) => Some(room),
            _ => open,
        };
        room.map(|room| rooms::aliases(view.db(), room.n))
            .transpose()
    });
    let found = found.await?.ok_or_else(not_in_room)?;
    let aliases = found
        .iter()
        .map(|alias| theirs(alias))
        .collect::<Result<_, _>>()?;
    Ok(Reply(aliases::v3::Response::new(aliases)))
}
