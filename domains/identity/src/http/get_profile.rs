//! `GET /profile/{user_id}`: how a person shows themselves.

use super::{Api, ids};
use crate::command::Rejected;
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::profile::get_profile::v3::{Request, Response};
use serde_json::Value;

pub async fn handle(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    Ok(Reply(
        fields(&api, &request.user_id).await?.into_iter().collect(),
    ))
}

/// All fields of a profile.
pub async fn fields(api: &Api, user: &ruma::UserId) -> Result<Vec<(String, Value)>, MatrixError> {
    let user = ids::user(user)?;
    let found = api
        .accounts
        .read(|view| query::profile(view, &user))
        .await?;
    let found = found.ok_or(Rejected::NoSuchAccount)?;
    let parsed = found
        .into_iter()
        .map(|(name, json)| Ok((name, serde_json::from_str(&json)?)));
    parsed
        .collect::<serde_json::Result<_>>()
        .map_err(MatrixError::internal)
}
