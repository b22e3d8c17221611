//! `DELETE /devices/{device_id}`: ending the session on a device.

use super::address::Address;
use super::interactive::Asking;
use super::{Api, delete_devices, ids};
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::device::delete_device::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Asking(request),
        caller,
        ..
    }: Matrix<Asking<Request>>,
) -> Answer<Response> {
    let devices = vec![ids::device(&request.device_id)?];
    let asking = (&caller, request.auth, &*address);
    delete_devices::delete(&api, "DELETE /devices", devices, asking).await?;
    Ok(Reply(Response::new()))
}
