//! `GET /register/m.login.registration_token/validity`: whether a registration token is right.

use super::{Api, register};
use crate::config::Registration;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::check_registration_token_validity::v1::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    // Where no token is asked for, none is right.
    let valid = match &api.accounts.config().registration {
        Registration::Token(expected) => register::same(&request.token, expected),
        Registration::Open | Registration::Closed => false,
    };
    Ok(Reply(Response::new(valid)))
}
