//! `POST /oauth2/revoke`: ending a session (RFC 7009). It answers once no data centre takes its tokens any more.

use super::client_auth::{Credentials, authenticate};
use super::error::OauthError;
use super::form::Form;
use crate::command::oauth::{Oauth, Revoke};
use crate::provider::Provider;
use axum::extract::State;
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
    let session = match keys.read(&token) {
        Some(says) => Some(says.session),
        None => {
            let said = provider.said_by(&token).await?;
            said.and_then(|claims| claims.session)
        }
    };
    // What is no token of a session is as good as revoked (section 2.2).
    if let Some(session) = session {
        let command = Oauth::Revoke(Revoke {
            client: client.id,
            session,
        });
        provider.ask(Priority::Vital, command).await?;
    }
    Ok(StatusCode::OK)
}
