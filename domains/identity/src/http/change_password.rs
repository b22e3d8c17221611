//! `POST /account/password`: changing the password.

use super::Api;
use super::address::Address;
use super::interactive::{Asking, PasswordStage, signed_in};
use crate::command::{Command, SetPassword};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::change_password::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Asking(request),
        caller,
        ..
    }: Matrix<Asking<Request>>,
) -> Answer<Response> {
    let caller = signed_in(caller)?;
    let operation = format!("POST /account/password {}", request.new_password);
    let (stage, proof) =
        PasswordStage::verify(&api, &caller, &operation, request.auth, &address).await?;
    let command = Command::SetPassword(SetPassword {
        user: caller.user.clone(),
        proof: Some(proof),
        password: api.accounts.hash(&request.new_password).await?,
        logout_devices: request.logout_devices,
    });
    stage.settle(
        api.accounts
            .ask(caller.actor(), Priority::Vital, command)
            .await?,
    )?;
    Ok(Reply(Response::new()))
}
