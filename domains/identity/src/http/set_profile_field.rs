//! `PUT /profile/{user_id}/{field}`: setting one field of a profile.

use super::{Api, ids};
use crate::apply::{MAX_NAME, has_room, may_hold};
use crate::command::{Command, Rejected, SetProfile};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use bongsu_web_kit::stands_for;
use http::StatusCode;
use ruma::OwnedUserId;
use ruma::api::client::profile::set_profile_field::v3::{Request, Response};
use ruma::api::error::{DeserializationError, ErrorKind};
use ruma::api::{IncomingRequest, Metadata};
use ruma::profile::ProfileFieldValue;
use serde::Deserialize;
use serde::de::value::{Error as PathError, SeqDeserializer};
use serde_json::{Map, Value};

/// The request with its value as it came: `ruma`'s own has no place for the `null` and the empty text
/// by which clients take their name or picture away.
pub struct SetField {
    user: OwnedUserId,
    field: String,
    body: Map<String, Value>,
}

stands_for!(SetField, Request, <Request as Metadata>::Authentication);

impl IncomingRequest for SetField {
    type EndpointError = <Request as IncomingRequest>::EndpointError;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path_args: &[&str],
    ) -> Result<Self, DeserializationError> {
        let args = SeqDeserializer::<_, PathError>::new(path_args.iter().copied());
        let (user, field) = Deserialize::deserialize(args)?;
        Ok(Self {
            user,
            field,
            body: serde_json::from_slice(request.body())?,
        })
    }
}

pub async fn handle(
    State(api): State<Api>,
    Matrix {
        request: SetField {
            user,
            field,
            mut body,
        },
        caller,
        ..
    }: Matrix<SetField>,
) -> Answer<Response> {
    check_name(&field)?;
    let Some(value) = body.remove(&field) else {
        let message = format!(
            "the body has no `{}`",
            field.chars().take(64).collect::<String>()
        );
        return Err(MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::MissingParam,
            message,
        ));
    };
    let first_form = matches!(field.as_str(), "displayname" | "avatar_url");
    let value = if first_form && (value.is_null() || value == "") {
        None
    } else {
        let checked = ProfileFieldValue::new(&field, value)
            .map_err(|error| MatrixError::bad_json(error.to_string()))?;
        Some(checked.value().to_string())
    };
    change(&api, &caller, &user, field, value).await?;
    Ok(Reply(Response::new()))
}

/// Sees that a field may have this name (Matrix v1.19, appendices, common namespaced identifier grammar). Fields that
/// were named otherwise before can still be taken away.
fn check_name(field: &str) -> Result<(), MatrixError> {
    if field.len() > MAX_NAME {
        return Err(Rejected::FieldName.into());
    }
    let begins = field.starts_with(|first: char| first.is_ascii_lowercase());
    let may_follow =
        |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-_.".contains(one);
    if begins && field.chars().all(may_follow) {
        return Ok(());
    }
    Err(MatrixError::invalid_param(
        "a field's name is of the letters a to z, digits, `-`, `_` and `.`, and begins with a letter",
    ))
}

/// Sets or removes a field of the caller's own profile.
pub async fn change(
    api: &Api,
    caller: &Caller,
    user: &ruma::UserId,
    field: String,
    value: Option<String>,
) -> Result<(), MatrixError> {
    let user = ids::user(user)?;
    if user != caller.user {
        return Err(Rejected::NotAllowed.into());
    }
    may_hold(&field, value.as_deref())?;
    let room = api
        .accounts
        .read(|view| has_room(view.db(), &user, &field, value.as_deref()));
    if !room.await? {
        return Err(Rejected::ProfileTooLarge.into());
    }
    let command = Command::SetProfile(SetProfile { user, field, value });
    api.accounts
        .ask(caller.actor(), Priority::Normal, command)
        .await?;
    Ok(())
}
