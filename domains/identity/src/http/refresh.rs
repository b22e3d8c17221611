//! `POST /refresh`: replacing a session's tokens.

use super::Api;
use super::address::Address;
use crate::command::{Accepted, Command, Refresh};
use crate::secret::{Token, TokenHash};
use axum::extract::State;
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::AuthError;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::session::refresh_token::v3::{Request, Response};
use std::time::Duration;

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    let lane = api.accounts.lane();
    let (access, refresh) = (Token::fresh(lane), Token::fresh(lane));
    let access_lifetime = api.accounts.config().access_token_lifetime;
    let command = Refresh {
        presented: TokenHash::of(&request.refresh_token),
        access: access.hash(),
        access_lifetime,
        refresh: refresh.hash(),
        address,
    };
    match api
        .accounts
        .ask(Actor::Nobody, Priority::Vital, Command::Refresh(command))
        .await?
    {
        Accepted::Done => {}
        Accepted::Reused => return Err(AuthError::Unknown.into()),
        Accepted::Denied(_) | Accepted::Oauth(_) => {
            return Err(MatrixError::internal("a refresh has no password"));
        }
    }
    let mut response = Response::new(access.reveal().to_owned());
    response.refresh_token = Some(refresh.reveal().to_owned());
    response.expires_in_ms = u64::try_from(access_lifetime.0)
        .ok()
        .map(Duration::from_millis);
    Ok(Reply(response))
}
