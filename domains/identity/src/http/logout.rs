//! `POST /logout`: ending this session.

use super::Api;
use crate::command::{Command, SignOut};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::session::logout::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Answer<Response> {
    let actor = caller.actor();
    let command = SignOut {
        user: caller.user,
        device: caller.device,
    };
    api.accounts
        .ask(actor, Priority::Vital, Command::SignOut(command))
        .await?;
    Ok(Reply(Response::new()))
}
