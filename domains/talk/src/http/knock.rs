//! `POST /knock/{roomIdOrAlias}`: asking to be asked in.

use super::Api;
use super::convert::ours;
use crate::command::Action;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::knock::knock_room::v3::{Request, Response};

pub async fn knock(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let room = api.room_named(&request.room_id_or_alias).await?;
    let user = caller.user.clone();
    api.change(&caller, ours(&room)?, user, Action::Knock, request.reason)
        .await?;
    Ok(Reply(Response::new(room)))
}
