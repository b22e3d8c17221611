//! `GET /admin/whois/{userId}`: where somebody is signed in. For administrators, and about oneself.

use super::moderation::need_admin;
use super::{Api, ids};
use crate::command::Rejected;
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::admin::get_user_info::v3::{
    ConnectionInfo, DeviceInfo, Request, Response, SessionInfo,
};
use ruma::{MilliSecondsSinceUnixEpoch, UInt};

pub async fn handle(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let user = ids::user(&request.user_id)?;
    if user != caller.user {
        need_admin(&api, &caller).await?;
    }
    let look = api.accounts.read(|view| {
        let known = query::listed(view, &user)?.is_some();
        Ok((known, query::devices(view, &user)?))
    });
    let (known, devices) = look.await?;
    if !known {
        return Err(Rejected::NoSuchAccount.into());
    }
    let mut response = Response::new();
    response.user_id = Some(request.user_id);
    for device in devices {
        let mut connection = ConnectionInfo::new();
        let seen = u64::try_from(device.seen.0).unwrap_or(0);
        connection.ip = Some(device.seen_from);
        connection.last_seen = Some(MilliSecondsSinceUnixEpoch(UInt::new_saturating(seen)));
        let mut session = SessionInfo::new();
        session.connections.push(connection);
        let mut info = DeviceInfo::new();
        info.sessions.push(session);
        response.devices.insert(device.device.to_string(), info);
    }
    Ok(Reply(response))
}
