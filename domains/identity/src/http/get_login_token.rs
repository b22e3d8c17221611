//! `POST /login/get_token`: a token with which another device of the person signs in once.

use super::Api;
use super::address::Address;
use super::interactive::{Asking, PasswordStage};
use crate::command::{Command, LOGIN_TOKEN_LASTS, PermitSignIn};
use crate::secret::Token;
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::session::get_login_token::v1::{Request, Response};
use std::time::Duration;

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Asking(request),
        caller,
        ..
    }: Matrix<Asking<Request>>,
) -> Answer<Response> {
    let operation = "POST /login/get_token";
    let (stage, proof) =
        PasswordStage::verify(&api, &caller, operation, request.auth, &address).await?;
    let token = Token::fresh(api.accounts.lane());
    let command = Command::PermitSignIn(PermitSignIn {
        user: caller.user.clone(),
        proof,
        token: token.hash(),
    });
    stage.settle(
        api.accounts
            .ask(caller.actor(), Priority::Vital, command)
            .await?,
    )?;
    let lasts = Duration::from_millis(LOGIN_TOKEN_LASTS.0.unsigned_abs());
    Ok(Reply(Response::new(lasts, token.reveal().to_owned())))
}
