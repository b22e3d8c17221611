//! What people's clients keep here, for the account or for a room.

use super::Api;
use super::convert::ours;
use super::json::any_object;
use super::refuse::rejected;
use crate::Rejected;
use crate::command::{Command, SetAccountData};
use crate::query::{IGNORED, PUSH_RULES, Ruleset};
use crate::state::account;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::UserId;
use ruma::api::client::config::{
    get_global_account_data, get_room_account_data, set_global_account_data, set_room_account_data,
};
use ruma::api::error::ErrorKind;
use ruma::serde::Raw;
use serde_json::Value;
use serde_json::value::RawValue;

fn need_own(caller: &Caller, user: &UserId) -> Result<(), MatrixError> {
    if caller.user.as_str() == user.as_str() {
        return Ok(());
    }
    Err(MatrixError::forbidden("account data is its owner's alone"))
}

impl Api {
    /// Sees that there is such a room, before anything is kept for it.
    ///
    /// # Errors
    /// 403 when there is none, as for a room that one is not in.
    pub(super) async fn need_room(&self, id: &RoomId) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| Room::by_id(view.db(), id));
        match look.await? {
            Some(_) => Ok(()),
            None => Err(rejected(&Rejected::NoSuchRoom)),
        }
    }

    async fn account_data(
        &self,
        caller: &Caller,
        room: Option<&RoomId>,
        kind: &str,
    ) -> Result<Box<RawValue>, MatrixError> {
        let found = self.lane.read(|view| {
            let room = match room {
                None => Some(0),
                Some(id) => Room::by_id(view.db(), id)?.map(|room| room.n),
            };
            let Some(room) = room else { return Ok(None) };
            let user = caller.user.as_str();
            let data = account::data(view.db(), user, room, kind)?;
            let default = room == 0 && kind == PUSH_RULES && data.is_none();
            Ok(if default {
                Some(Ruleset::server_default(user).to_content())
            } else {
                data
            })
        });
        let content = found
            .await?
            .ok_or_else(|| MatrixError::not_found("there is no such account data"))?;
        RawValue::from_string(content).map_err(MatrixError::internal)
    }

    async fn set_account_data(
        &self,
        caller: &Caller,
        room: Option<RoomId>,
        kind: String,
        raw: &RawValue,
    ) -> Result<(), MatrixError> {
        if matches!(kind.as_str(), "m.fully_read" | "m.push_rules") {
            let message = format!("{kind} is set by endpoints of its own");
            return Err(MatrixError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorKind::BadJson,
                message,
            ));
        }
        let content = any_object(raw.get())?;
        if room.is_none() && kind == IGNORED {
            let content: Value = serde_json::from_str(&content).map_err(MatrixError::internal)?;
            if content["ignored_users"].get(caller.user.as_str()).is_some() {
                return Err(MatrixError::invalid_param("you cannot ignore yourself"));
            }
        }
        if let Some(room) = &room {
            self.need_room(room).await?;
        }
        let command = SetAccountData {
            room,
            kind,
            content,
        };
        self.submit(
            caller,
            Priority::Normal,
            None,
            Command::SetAccountData(command),
        )
        .await
        .map(drop)
    }
}

pub async fn get_global(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_global_account_data::v3::Request>,
) -> Answer<get_global_account_data::v3::Response> {
    need_own(&caller, &request.user_id)?;
    let found = api
        .account_data(&caller, None, &request.event_type.to_string())
        .await?;
    Ok(Reply(get_global_account_data::v3::Response::new(
        Raw::from_json(found),
    )))
}

pub async fn set_global(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<set_global_account_data::v3::Request>,
) -> Answer<set_global_account_data::v3::Response> {
    need_own(&caller, &request.user_id)?;
    api.set_account_data(
        &caller,
        None,
        request.event_type.to_string(),
        request.data.json(),
    )
    .await?;
    Ok(Reply(set_global_account_data::v3::Response::new()))
}

pub async fn get_of_room(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_room_account_data::v3::Request>,
) -> Answer<get_room_account_data::v3::Response> {
    need_own(&caller, &request.user_id)?;
    let room = ours(&request.room_id)?;
    let found = api
        .account_data(&caller, Some(&room), &request.event_type.to_string())
        .await?;
    Ok(Reply(get_room_account_data::v3::Response::new(
        Raw::from_json(found),
    )))
}

pub async fn set_of_room(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<set_room_account_data::v3::Request>,
) -> Answer<set_room_account_data::v3::Response> {
    need_own(&caller, &request.user_id)?;
    let room = Some(ours(&request.room_id)?);
    api.set_account_data(
        &caller,
        room,
        request.event_type.to_string(),
        request.data.json(),
    )
    .await?;
    Ok(Reply(set_room_account_data::v3::Response::new()))
}
