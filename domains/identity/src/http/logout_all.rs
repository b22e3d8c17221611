//! `POST /logout/all`: ending all sessions of the account.

use super::Api;
use crate::command::{Command, SignOutEverywhere};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::session::logout_all::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Answer<Response> {
    let actor = caller.actor();
    let command = Command::SignOutEverywhere(SignOutEverywhere { user: caller.user });
    api.accounts.ask(actor, Priority::Vital, command).await?;
    Ok(Reply(Response::new()))
}
