//! `/oauth2/userinfo`: who somebody is (OpenID Connect Core 1.0, section 5.3).

use super::error::{ErrorCode, OauthError, no_store};
use super::form::{body, is_form, parse};
use crate::command::oauth::ClientId;
use crate::provider::Provider;
use crate::provider::claims::Claim;
use crate::provider::dpop::Proven;
use crate::provider::scope::Scope;
use crate::provider::tokens::{Access, thumbprint};
use axum::Json;
use axum::extract::{Request, State};
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

/// The kind of a signed answer: with neither a time nor an end it is no ID token, and nothing else gives it that name.
const KIND: &str = "userinfo+jwt";

/// Who somebody is, signed.
#[derive(Serialize)]
struct SignedInfo<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    #[serde(flatten)]
    info: &'a UserInfo,
}

/// What a form may have.
#[derive(Debug, Default, Deserialize)]
struct TokenForm {
    access_token: Option<String>,
}

/// Learn who somebody is (OpenID Connect Core 1.0, section 5.3).
#[utoipa::path(get, path = "/oauth2/userinfo", tag = "sign-in",
    responses((status = 200, body = UserInfo), (status = 401, body = super::error::ErrorBody)))]
pub async fn get(
    State(provider): State<Provider>,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    answer(&provider, &headers, &Method::GET, None).await
}

/// Learn who somebody is, asked with POST; the access token may stand in the form (RFC 6750, section 2.2).
#[utoipa::path(post, path = "/oauth2/userinfo", tag = "sign-in",
    responses((status = 200, body = UserInfo), (status = 401, body = super::error::ErrorBody)))]
pub async fn post(
    State(provider): State<Provider>,
    request: Request,
) -> Result<Response, OauthError> {
    let headers = request.headers().clone();
    let form: TokenForm = if is_form(&headers) {
        parse(&body(request).await?)?
    } else {
        TokenForm::default()
    };
    answer(&provider, &headers, &Method::POST, form.access_token).await
}

async fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    method: &Method,
    in_form: Option<String>,
) -> Result<Response, OauthError> {
    let access = presented(provider, headers, method, in_form).await?;
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
    let mut response = signed(provider, &access, &info)
        .await?
        .unwrap_or_else(|| Json(info).into_response());
    no_store(response.headers_mut());
    Ok(response)
}

/// The answer as a token, if that is how the client registered (section 5.3.2).
async fn signed(
    provider: &Provider,
    access: &Access,
    info: &UserInfo,
) -> Result<Option<Response>, OauthError> {
    let client = provider.client(&access.claims.client_id).await?;
    let said = client.and_then(|client| client.metadata.userinfo_signed_response_alg);
    let Some(algorithm) = said else {
        return Ok(None);
    };
    let claims = SignedInfo {
        iss: &provider.config().issuer,
        aud: &access.claims.client_id,
        info,
    };
    let keys = provider.keys().await?;
    let token = provider.sign(&keys, algorithm, KIND, provider.now(), &claims)?;
    let kind = [(header::CONTENT_TYPE, "application/jwt")];
    Ok(Some((kind, token).into_response()))
}

/// The access token that is presented, by itself or with a proof, if it is good.
async fn presented(
    provider: &Provider,
    headers: &HeaderMap,
    method: &Method,
    in_form: Option<String>,
) -> Result<Access, OauthError> {
    let (token, with_proof) = token(headers, in_form)?;
    let token = token.as_str();
    let access = provider.access(token).await?;
    let access = access.ok_or_else(|| {
        let why = "the access token has expired, was revoked or is unknown";
        OauthError::token(ErrorCode::InvalidToken, why, with_proof)
    })?;
    match (&access.claims.cnf, with_proof) {
        (None, false) => Ok(access),
        (Some(bound), true) => {
            let refused = |why: &str| OauthError::token(ErrorCode::InvalidDpopProof, why, true);
            let mut proofs = headers.get_all("dpop").iter();
            let (Some(proof), None) = (proofs.next(), proofs.next()) else {
                return Err(refused("there has to be one DPoP proof"));
            };
            let proof = proof.to_str().unwrap_or_default();
            let request = Proven {
                method: method.as_str(),
                path: PATH,
                token: Some(token),
            };
            let keys = provider.keys().await?;
            let jkt = provider
                .prove_key(&keys, proof, request)
                .map_err(|error| OauthError::proof(&error, provider.dpop_nonce(&keys), true))?;
            if thumbprint(&jkt) == bound.jkt {
                Ok(access)
            } else {
                Err(refused("the token is bound to another key"))
            }
        }
        // A bound token by itself is a stolen one (RFC 9449, section 7.1); one that is not bound proves nothing.
        (Some(_), false) | (None, true) => {
            let why = "the access token is presented in the wrong way";
            Err(OauthError::token(ErrorCode::InvalidToken, why, true))
        }
    }
}

/// The text of the token, and whether it comes with a proof: in one way alone (RFC 6750, section 2).
fn token(headers: &HeaderMap, in_form: Option<String>) -> Result<(String, bool), OauthError> {
    let missing = || OauthError::no_token("this needs an access token in the Authorization header");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next(), in_form) {
        (None, _, None) => Err(missing()),
        (None, _, Some(token)) => Ok((token, false)),
        (Some(value), None, None) => {
            let text = value.to_str().map_err(|_| missing())?;
            let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
            let with_proof = scheme.eq_ignore_ascii_case("dpop");
            if !with_proof && !scheme.eq_ignore_ascii_case("bearer") {
                return Err(missing());
            }
            Ok((token.to_owned(), with_proof))
        }
        (Some(_), ..) => {
            let why = "an access token is presented in one way alone";
            Err(OauthError::token(ErrorCode::InvalidRequest, why, false))
        }
    }
}
