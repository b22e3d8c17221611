//! `GET /register/available`: whether a name can be had.

use super::Api;
use super::register::named;
use crate::command::Rejected;
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::get_username_availability::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    let user = named(&api, &request.username)?;
    if !api
        .accounts
        .read(|view| query::is_free(view, &user))
        .await?
    {
        return Err(Rejected::UserInUse.into());
    }
    Ok(Reply(Response::new(true)))
}
