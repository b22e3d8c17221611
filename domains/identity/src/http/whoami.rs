//! `GET /account/whoami`: whose the token is.

use super::{Api, ids};
use axum::extract::State;
use bongsu_web_kit::Authenticate;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::whoami::v3::{Request, Response};

pub async fn handle(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Answer<Response> {
    let guest = api.accounts.standing(&caller.user).await?.guest;
    let mut response = Response::new(ids::user_out(&caller.user)?, guest);
    response.device_id = Some(ids::device_out(&caller.device));
    Ok(Reply(response))
}
