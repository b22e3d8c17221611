//! `POST /oauth2/introspect`: what a token is (RFC 7662). For clients that show that they are the ones.

use super::client_auth::{Credentials, authenticate};
use super::error::{OauthError, no_store};
use super::form::Form;
use crate::command::oauth::ClientId;
use crate::provider::Provider;
use crate::provider::client::Client;
use crate::provider::scope::Scope;
use crate::provider::tokens::{Confirmation, TokenType, seconds};
use crate::query;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_jose::Algorithm;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// The token.
#[derive(Debug, Deserialize)]
pub struct IntrospectForm {
    token: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

/// What a token is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Introspected {
    /// Whether it is good.
    pub active: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The person's user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How it is presented; a refresh token is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    /// When it expires, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The key that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The kind of a signed answer (RFC 9701, section 5).
const KIND: &str = "token-introspection+jwt";
/// How it is called where it is asked for.
const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// What a signed answer says.
#[derive(Serialize)]
struct SignedClaims<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    iat: i64,
    token_introspection: Introspected,
}

/// Learn what a token is (RFC 7662).
#[utoipa::path(post, path = "/oauth2/introspect", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = 401, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<IntrospectForm>,
) -> Result<Response, OauthError> {
    let client = authenticate(&provider, &headers, form.credentials, "/oauth2/introspect").await?;
    if client.is_public() {
        let why = "tokens are explained to clients that show that they are the ones";
        return Err(OauthError::client(why));
    }
    let token = form.token;
    let token = token.ok_or_else(|| OauthError::invalid("token is missing"))?;
    let found = explain(&provider, &client, &token)
        .await?
        .unwrap_or_default();
    let signed = headers.get_all(header::ACCEPT).iter().any(wants_token);
    let mut response = if signed {
        let now = provider.now();
        let claims = SignedClaims {
            iss: &provider.config().issuer,
            aud: &client.id,
            iat: seconds(now),
            token_introspection: found,
        };
        let said = client.metadata.introspection_signed_response_alg;
        let algorithm = said.unwrap_or(Algorithm::Rs256);
        let keys = provider.keys().await?;
        let token = provider.sign(&keys, algorithm, KIND, now, &claims)?;
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], token).into_response()
    } else {
        Json(found).into_response()
    };
    no_store(response.headers_mut());
    Ok(response)
}

/// Whether the answer is to be a signed token (RFC 9701, section 4).
fn wants_token(accept: &HeaderValue) -> bool {
    let text = accept.to_str().unwrap_or_default();
    text.split(',').any(|kind| {
        let bare = kind.split(';').next().unwrap_or_default().trim();
        bare.eq_ignore_ascii_case(MEDIA_TYPE)
    })
}

/// What the token is, if it is good and this client may know: its own tokens, and for a service whatever is
/// presented to it that has one of its scopes.
async fn explain(
    provider: &Provider,
    client: &Client,
    token: &str,
) -> Result<Option<Introspected>, OauthError> {
    if let Some(access) = provider.access(token).await? {
        let claims = access.claims;
        let serves = |scope: &Scope| {
            client.trusted || matches!(scope, Scope::Other(_)) && client.scopes.has(scope)
        };
        if claims.client_id != client.id && !access.scopes.iter().any(serves) {
            return Ok(None);
        }
        let bound = claims.cnf.is_some();
        return Ok(Some(Introspected {
            active: true,
            scope: Some(claims.scope),
            client_id: Some(claims.client_id),
            username: access.user.map(|user| user.localpart().to_owned()),
            token_type: Some(if bound {
                TokenType::DPoP
            } else {
                TokenType::Bearer
            }),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            cnf: claims.cnf,
        }));
    }
    let keys = provider.keys().await?;
    let Some(says) = keys.read(token) else {
        return Ok(None);
    };
    let found = provider
        .accounts()
        .read(|view| query::live_session(view, says.session))
        .await?;
    // Only who holds it may ask about a refresh token.
    let found = found
        .filter(|session| session.client == client.id && session.generation == says.generation);
    let idle = provider.config().session_idle;
    let found = found.filter(|session| session.refreshed + idle > provider.now());
    Ok(found.map(|session| Introspected {
        active: true,
        scope: Some(session.scope),
        client_id: Some(session.client),
        username: Some(session.user.localpart().to_owned()),
        exp: Some(seconds(session.refreshed + idle)),
        iat: Some(seconds(session.refreshed)),
        sub: Some(session.user.to_string()),
        iss: Some(provider.config().issuer.clone()),
        // Only clients that show that they are the ones get here: their refresh tokens are bound to themselves.
        ..Introspected::default()
    }))
}
