//! `GET /devices`: the account's devices.

use super::{Api, ids};
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::MilliSecondsSinceUnixEpoch;
use ruma::api::client::device::Device;
use ruma::api::client::device::get_devices::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Answer<Response> {
    let devices = api
        .accounts
        .read(|view| query::devices(view, &caller.user))
        .await?;
    Ok(Reply(Response::new(
        devices.into_iter().map(device_out).collect(),
    )))
}

/// A device as the wire has it.
pub fn device_out(device: query::Device) -> Device {
    let mut out = Device::new(ids::device_out(&device.device));
    out.display_name = device.display_name;
    out.last_seen_ip = Some(device.seen_from);
    out.last_seen_ts = device
        .seen
        .0
        .try_into()
        .ok()
        .map(MilliSecondsSinceUnixEpoch);
    out
}
