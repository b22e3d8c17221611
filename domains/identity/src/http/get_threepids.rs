//! `GET /account/3pid`: mail addresses and phone numbers of the account. There are none.

use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::account::get_3pids::v3::{Request, Response};

pub async fn handle(_: Matrix<Request>) -> Answer<Response> {
    Ok(Reply(Response::new(Vec::new())))
}
