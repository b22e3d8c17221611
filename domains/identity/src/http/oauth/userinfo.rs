//! `/oauth2/userinfo`: who somebody is (OpenID Connect Core 1.0, section 5.3).

use super::error::{ErrorCode, OauthError, no_store};
use crate::provider::Provider;
use crate::provider::claims::Claim;
use crate::provider::dpop::Proven;
use crate::provider::scope::Scope;
use crate::provider::tokens::{Access, thumbprint};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where it is.
const PATH: &str = "/oauth2/userinfo";

/// Who somebody is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserInfo {
    /// Their id.
    pub sub: String,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What stands between `@` and `:` in their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
}

/// Learn who somebody is (OpenID Connect Core 1.0, section 5.3).
#[utoipa::path(get, path = "/oauth2/userinfo", tag = "sign-in",
    responses((status = 200, body = UserInfo), (status = 401, body = super::error::ErrorBody)))]
pub async fn get(
    State(provider): State<Provider>,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    answer(&provider, &headers, &Method::GET).await
}

/// Learn who somebody is, asked with POST.
#[utoipa::path(post, path = "/oauth2/userinfo", tag = "sign-in",
    responses((status = 200, body = UserInfo), (status = 401, body = super::error::ErrorBody)))]
pub async fn post(
    State(provider): State<Provider>,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    answer(&provider, &headers, &Method::POST).await
}

async fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    method: &Method,
) -> Result<Response, OauthError> {
    let access = presented(provider, headers, method).await?;
    let bound = access.claims.cnf.is_some();
    let Some(user) = access
        .user
        .as_ref()
        .filter(|_| access.scopes.has(&Scope::OpenId))
    else {
        let why = "this is for tokens with the scope openid";
        return Err(OauthError::token(ErrorCode::InsufficientScope, why, bound));
    };
    let profile = Provider::shows_profile(&access.scopes);
    let wants = |claim| profile || access.wanted.userinfo.contains_key(&claim);
    let name = if wants(Claim::Name) {
        provider.display_name(user).await?
    } else {
        None
    };
    let info = UserInfo {
        sub: user.to_string(),
        name,
        preferred_username: wants(Claim::PreferredUsername).then(|| user.localpart().to_owned()),
    };
    let mut response = Json(info).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// The access token that is presented, by itself or with a proof, if it is good.
async fn presented(
    provider: &Provider,
    headers: &HeaderMap,
    method: &Method,
) -> Result<Access, OauthError> {
    let missing = || {
        let why = "this needs an access token in the Authorization header";
        OauthError::token(ErrorCode::InvalidToken, why, false)
    };
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    let with_proof = scheme.eq_ignore_ascii_case("dpop");
    if !with_proof && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let access = provider.access(token).await?;
    let access = access.ok_or_else(|| {
        let why = "the access token has expired, was revoked or is unknown";
        OauthError::token(ErrorCode::InvalidToken, why, with_proof)
    })?;
    match (&access.claims.cnf, with_proof) {
        (None, false) => Ok(access),
        (Some(bound), true) => {
            let refused = |why: String| OauthError::token(ErrorCode::InvalidDpopProof, why, true);
            let proof = headers.get("dpop").and_then(|proof| proof.to_str().ok());
            let proof = proof.ok_or_else(|| refused("there is no DPoP proof".to_owned()))?;
            let request = Proven {
                method: method.as_str(),
                path: PATH,
                token: Some(token),
            };
            let jkt = provider
                .prove_key(proof, request)
                .map_err(|error| refused(error.to_string()))?;
            if thumbprint(&jkt) == bound.jkt {
                Ok(access)
            } else {
                Err(refused("the token is bound to another key".to_owned()))
            }
        }
        // A bound token by itself is a stolen one (RFC 9449, section 7.1); one that is not bound proves nothing.
        (Some(_), false) | (None, true) => {
            let why = "the access token is presented in the wrong way";
            Err(OauthError::token(ErrorCode::InvalidToken, why, true))
        }
    }
}
