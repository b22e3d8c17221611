//! `GET /devices/{device_id}`: one of the account's devices.

use super::{Api, get_devices, ids};
use crate::command::Rejected;
use crate::query;
use axum::Json;
use axum::extract::State;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use ruma::api::client::device::get_device::v3::Request;
use serde_json::Value;

pub async fn handle(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let id = ids::device(&request.device_id)?;
    let found = api
        .accounts
        .read(|view| query::device(view, &caller.user, &id))
        .await?;
    let device = found.ok_or(Rejected::NoSuchDevice)?;
    Ok(Json(get_devices::device_out(&caller.user, device)))
}
