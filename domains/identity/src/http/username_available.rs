//! `GET /register/available`: whether a name can be had.

use super::Api;
use crate::command::Rejected;
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::get_username_availability::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    let user = api
        .accounts
        .new_user(&request.username.to_ascii_lowercase())?;
    if !api
        .accounts
        .read(|view| query::is_free(view, &user))
        .await?
    {
        return Err(Rejected::UserInUse.into());
    }
    Ok(Reply(Response::new(true)))
}
