//! `GET /oauth2/keys.json`: the public keys (RFC 7517).

use super::error::OauthError;
use crate::provider::Provider;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

/// The public keys. For as long as `Cache-Control` says, no token is signed with a key that is not among them.
#[utoipa::path(get, path = "/oauth2/keys.json", tag = "sign-in",
    responses((status = 200, body = Object, content_type = "application/jwk-set+json")))]
pub async fn handle(State(provider): State<Provider>) -> Result<Response, OauthError> {
    let keys = provider.keys().await?;
    let set = keys.set();
    if set.keys.is_empty() {
        return Err(crate::provider::tokens::NoKey.into());
    }
    let mut response = Json(set).into_response();
    let headers = response.headers_mut();
    let seconds = provider.config().keys_relied.0 / 1000;
    let kept = HeaderValue::from_str(&format!("public, max-age={seconds}"));
    headers.insert(header::CACHE_CONTROL, kept.map_err(OauthError::defect)?);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    Ok(response)
}
