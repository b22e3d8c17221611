//! `POST /delete_devices`: ending the sessions on several devices.

use super::address::Address;
use super::interactive::{Asking, PasswordStage};
use super::{Api, ids};
use crate::command::{Command, DeleteDevices};
use axum::extract::State;
use bongsu_base::DeviceId;
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::device::delete_devices::v3::{Request, Response};
use ruma::api::client::uiaa::AuthData;
use std::collections::BTreeSet;

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Asking(request),
        caller,
        ..
    }: Matrix<Asking<Request>>,
) -> Answer<Response> {
    let devices = request.devices.iter().map(|id| ids::device(id));
    let devices = devices.collect::<Result<_, _>>()?;
    let asking = (&caller, request.auth, &*address);
    delete(&api, "POST /delete_devices", devices, asking).await?;
    Ok(Reply(Response::new()))
}

/// Deletes `devices` of the caller's at `endpoint`, once the password was given.
pub async fn delete(
    api: &Api,
    endpoint: &str,
    devices: Vec<DeviceId>,
    (caller, auth, address): (&Caller, Option<AuthData>, &str),
) -> Result<(), MatrixError> {
    // In whatever order: it is the same that is done.
    let names: BTreeSet<&str> = devices.iter().map(DeviceId::as_str).collect();
    let operation = format!("{endpoint} {names:?}");
    let (stage, proof) = PasswordStage::verify(api, caller, &operation, auth, address).await?;
    let command = DeleteDevices {
        user: caller.user.clone(),
        devices,
        proof: Some(proof),
    };
    let command = Command::DeleteDevices(command);
    stage.settle(
        api.accounts
            .ask(caller.actor(), Priority::Vital, command)
            .await?,
    )
}
