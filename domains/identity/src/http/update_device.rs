//! `PUT /devices/{device_id}`: renaming a device.

use super::{Api, ids};
use crate::apply::may_be_called;
use crate::command::{Command, Rejected, RenameDevice};
use crate::query;
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::device::update_device::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let device = ids::device(&request.device_id)?;
    may_be_called(request.display_name.as_deref())?;
    let found = api
        .accounts
        .read(|view| query::device(view, &caller.user, &device))
        .await?;
    found.ok_or(Rejected::NoSuchDevice)?;
    if request.display_name.is_none() {
        // "If not given, the display name is unchanged"; the device must exist all the same.
        return Ok(Reply(Response::new()));
    }
    let actor = caller.actor();
    let command = RenameDevice {
        user: caller.user,
        device,
        display_name: request.display_name,
    };
    api.accounts
        .ask(actor, Priority::Normal, Command::RenameDevice(command))
        .await?;
    Ok(Reply(Response::new()))
}
