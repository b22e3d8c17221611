//! `GET /devices`: the account's devices.

use super::Api;
use crate::query;
use axum::Json;
use axum::extract::State;
use bongsu_base::UserId;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use ruma::api::client::device::get_devices::v3::Request;
use serde_json::{Value, json};

pub async fn handle(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let devices = api
        .accounts
        .read(|view| query::devices(view, &caller.user))
        .await?;
    let devices = devices.into_iter();
    let devices: Vec<Value> = devices.map(|one| device_out(&caller.user, one)).collect();
    Ok(Json(json!({ "devices": devices })))
}

/// A device as the wire has it. Whose it is was told by the first versions, and is still read.
pub fn device_out(user: &UserId, device: query::Device) -> Value {
    let mut out = json!({
        "device_id": device.device.as_str(),
        "user_id": user.as_str(),
        "display_name": device.display_name,
        "last_seen_ip": device.seen_from,
    });
    if device.seen.0 >= 0 {
        out["last_seen_ts"] = device.seen.0.into();
    }
    out
}
