//! `DELETE /profile/{user_id}/{field}`: removing one field of a profile.

use super::{Api, set_profile_field};
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::profile::delete_profile_field::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let field = request.field.as_str().to_owned();
    set_profile_field::change(&api, &caller, &request.user_id, field, None).await?;
    Ok(Reply(Response::new()))
}
