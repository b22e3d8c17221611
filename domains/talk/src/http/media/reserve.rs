//! `POST /create`: a media id before its content.

use super::super::Api;
use super::super::refuse::ruled;
use crate::apply::may_reserve;
use crate::command::{Command, ReserveMedia};
use crate::state::media;
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::media::create_mxc_uri;
use ruma::{MilliSecondsSinceUnixEpoch, UInt};

pub async fn reserve(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<create_mxc_uri::v1::Request>,
) -> Answer<create_mxc_uri::v1::Response> {
    let rules = &api.config.media;
    let (user, now) = (caller.user.as_str(), api.lane.progress().time);
    let look = api
        .lane
        .read(|view| Ok(may_reserve(view.db(), user, now, rules.most_reserved)));
    ruled(look.await)?;
    let id = api.random_name();
    let command = ReserveMedia {
        id: id.clone(),
        lifetime_ms: i64::try_from(rules.reserved_for.as_millis()).unwrap_or(i64::MAX),
        most: rules.most_reserved,
    };
    let command = Command::ReserveMedia(command);
    api.submit(&caller, Priority::Normal, None, command).await?;
    let reserved = api
        .lane
        .read(|view| media::reserved(view.db(), &id))
        .await?;
    let uri = format!("mxc://{}/{id}", api.config.server_name);
    let mut response = create_mxc_uri::v1::Response::new(uri.into());
    response.unused_expires_at = reserved
        .and_then(|reserved| UInt::try_from(reserved.expires.0).ok())
        .map(MilliSecondsSinceUnixEpoch);
    Ok(Reply(response))
}
