//! `GET /account/whoami`: whose the token is.

use super::ids;
use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::whoami::v3::{Request, Response};

pub async fn handle(Matrix { caller, .. }: Matrix<Request>) -> Answer<Response> {
    let mut response = Response::new(ids::user_out(&caller.user)?, false);
    response.device_id = Some(ids::device_out(&caller.device));
    Ok(Reply(response))
}
