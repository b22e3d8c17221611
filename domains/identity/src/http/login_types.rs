//! `GET /login`: how one can sign in.

use bongsu_web_kit::matrix::{Answer, Matrix, Reply};
use ruma::api::client::session::get_login_types::v3::{
    LoginType, PasswordLoginType, Request, Response, TokenLoginType,
};
use ruma::assign;

pub async fn handle(_: Matrix<Request>) -> Answer<Response> {
    let token = assign!(TokenLoginType::new(), { get_login_token: true });
    Ok(Reply(Response::new(vec![
        LoginType::Password(PasswordLoginType::new()),
        LoginType::Token(token),
    ])))
}
