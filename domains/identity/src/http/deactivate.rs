//! `POST /account/deactivate`: ending the account for good.

use super::Api;
use super::address::Address;
use super::interactive::{Asking, PasswordStage, signed_in};
use crate::command::{Command, Deactivate};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::ThirdPartyIdRemovalStatus;
use ruma::api::client::account::deactivate::v3::{Request, Response};

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
    // Clients say only with the password what is to become of what the person wrote.
    let operation = "POST /account/deactivate";
    let (stage, proof) =
        PasswordStage::verify(&api, &caller, operation, request.auth, &address).await?;
    let command = Command::Deactivate(Deactivate {
        user: caller.user.clone(),
        proof: Some(proof),
        erase: request.erase,
    });
    stage.settle(
        api.accounts
            .ask(caller.actor(), Priority::Vital, command)
            .await?,
    )?;
    // Nobody has an address that is bound to an identity server: there is nothing to unbind.
    Ok(Reply(Response::new(ThirdPartyIdRemovalStatus::Success)))
}
