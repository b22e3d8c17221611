//! `POST /refresh`: replacing a session's tokens.

use super::Api;
use super::address::Address;
use crate::command::{Accepted, Command, Refresh};
use crate::secret::{Token, TokenHash};
use axum::extract::State;
use bongsu_base::RecordId;
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::AuthError;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use data_encoding::HEXLOWER;
use ruma::api::client::session::refresh_token::v3::{Request, Response};
use std::time::Duration;

/// How often one refresh token may be presented within the time for which outcomes are remembered.
const TIMES: u32 = 64;

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    let presented = TokenHash::of(&request.refresh_token);
    let (tokens, accepted) = api.replace(presented, &address).await?;
    match accepted {
        Accepted::Done => {}
        Accepted::Reused => return Err(AuthError::Unknown.into()),
        Accepted::Denied(_) | Accepted::Oauth(_) | Accepted::SignedIn(_) => {
            return Err(MatrixError::internal("a refresh has no password"));
        }
    }
    let (access, refresh) = tokens;
    let access_lifetime = api.accounts.config().access_token_lifetime;
    let mut response = Response::new(access.reveal().to_owned());
    response.refresh_token = Some(refresh.reveal().to_owned());
    response.expires_in_ms = u64::try_from(access_lifetime.0)
        .ok()
        .map(Duration::from_millis);
    Ok(Reply(response))
}

impl Api {
    /// Presents a refresh token for the first time, or for the next time that nobody presented it for. A request
    /// whose answer was lost may still reach the log when its sender has long had other tokens from another data
    /// centre. Then it must not look as if somebody had stolen the old one: it is the first time again.
    async fn replace(
        &self,
        presented: TokenHash,
        address: &str,
    ) -> Result<((Token, Token), Accepted), MatrixError> {
        let lane = self.accounts.lane();
        let name = HEXLOWER.encode(presented.as_bytes());
        for time in 0..TIMES {
            let (access, refresh) = (Token::fresh(lane), Token::fresh(lane));
            let command = Refresh {
                presented,
                access: access.hash(),
                access_lifetime: self.accounts.config().access_token_lifetime,
                refresh: refresh.hash(),
                address: address.to_owned(),
            };
            let id = RecordId::named(&["refresh", &name], &time.to_string());
            let command = Command::Refresh(command);
            let asked = self
                .accounts
                .ask_as(id, Actor::Nobody, Priority::Vital, command);
            let accepted = asked.await?;
            // Another request under this name may have been first; then its tokens were given out, and not these.
            if accepted != Accepted::Done || self.accounts.was_given(&refresh.hash()).await? {
                return Ok(((access, refresh), accepted));
            }
        }
        Err(MatrixError::limited(
            Duration::from_secs(60),
            "this refresh token was presented too often",
        ))
    }
}
