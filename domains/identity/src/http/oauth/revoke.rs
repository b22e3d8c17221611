//! `POST /oauth2/revoke`: ending a session (RFC 7009). It answers once no data centre takes its tokens any more.

use super::client_auth::{Credentials, authenticate};
use super::error::OauthError;
use super::form::Form;
use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::{Oauth, Refused, Revoke, Spend};
use crate::provider::Provider;
use crate::provider::tokens::{AccessClaims, own_token};
use axum::extract::State;
use bongsu_base::LogTime;
use bongsu_lane::Priority;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// The token.
#[derive(Debug, Deserialize)]
pub struct RevokeForm {
    token: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

/// End the session of a refresh token or access token (RFC 7009).
#[utoipa::path(post, path = "/oauth2/revoke", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 401, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<RevokeForm>,
) -> Result<StatusCode, OauthError> {
    let client = authenticate(&provider, &headers, form.credentials, "/oauth2/revoke").await?;
    let token = form.token;
    let token = token.ok_or_else(|| OauthError::invalid("token is missing"))?;
    let keys = provider.keys().await?;
    let session = |session| {
        Oauth::Revoke(Revoke {
            client: client.id.clone(),
            session,
        })
    };
    let command = match keys.read(&token) {
        Some(says) => Some(session(says.session)),
        None => {
            let said = provider.said_by(&token).await?;
            let own = said.filter(|claims| claims.client_id == client.id);
            own.map(|claims| claims.session.map_or_else(|| spend(&claims), session))
        }
    };
    // What is no token is as good as revoked (section 2.2).
    let Some(command) = command else {
        return Ok(StatusCode::OK);
    };
    match provider.ask(Priority::Vital, command).await {
        Ok(_) | Err(AccountError::Rejected(Rejected::Oauth(Refused::Spent))) => Ok(StatusCode::OK),
        Err(error) => Err(error.into()),
    }
}

/// Ends a token that belongs to no session.
fn spend(claims: &AccessClaims) -> Oauth {
    Oauth::Spend(Spend {
        what: own_token(claims),
        until: LogTime(claims.exp.saturating_mul(1000)),
    })
}
