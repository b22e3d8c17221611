//! `GET /login`: how one can sign in.

use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::session::get_login_types::v3::{
    LoginType, PasswordLoginType, Request, Response,
};

pub async fn handle(_: Matrix<Request>) -> Answer<Response> {
    Ok(Reply(Response::new(vec![LoginType::Password(
        PasswordLoginType::new(),
    )])))
}
