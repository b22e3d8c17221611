//! `POST /oauth2/par`: pushing an authorization request (RFC 9126). Nothing is kept until it gave a code: what comes back is the
//! request, sealed.

use super::client_auth::{Credentials, authenticate};
use super::error::{ErrorCode, OauthError, no_store};
use super::form::Form;
use super::token::proven;
use crate::command::oauth::Spend;
use crate::provider::request::{self, Params, RequestError};
use crate::provider::tokens::{NoKey, thumbprint};
use crate::provider::{Keys, Provider};
use crate::secret::TokenHash;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_base::Millis;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where it is.
const PATH: &str = "/oauth2/par";
/// What pushed requests are named with (RFC 9126, section 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// What they are sealed for.
const PURPOSE: &str = "pushed request";
/// How long one is good: long enough for the browser to come, and for the person to sign in and agree.
const LASTS: Millis = Millis::minutes(5);
/// The longest name, in bytes: it goes into an address.
const MAX_NAME: usize = 6_000;

/// A request to be pushed.
#[derive(Debug, Deserialize)]
pub struct ParForm {
    #[serde(flatten)]
    params: Params,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
}

/// A request that was pushed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Pushed {
    /// Its name.
    pub request_uri: String,
    /// How long it is good, in seconds.
    pub expires_in: i64,
}

/// Push an authorization request (RFC 9126).
#[utoipa::path(post, path = "/oauth2/par", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201, body = Pushed), (status = 400, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<ParForm>,
) -> Result<Response, OauthError> {
    let mut params = form.params;
    let credentials = Credentials {
        client_id: params.client_id.clone(),
        client_secret: form.client_secret,
        client_assertion: form.client_assertion,
        client_assertion_type: form.client_assertion_type,
    };
    let client = authenticate(&provider, &headers, credentials, PATH).await?;
    if params.request_uri.is_some() {
        return Err(OauthError::invalid("request_uri cannot be pushed"));
    }
    params.client_id = Some(client.id.to_string());
    if let Some(jkt) = proven(&provider, &headers, PATH).await? {
        let proven = thumbprint(&jkt);
        if params.dpop_jkt.as_ref().is_some_and(|said| *said != proven) {
            let why = "dpop_jkt is not the key of the proof";
            return Err(OauthError::new(ErrorCode::InvalidDpopProof, why));
        }
        params.dpop_jkt = Some(proven);
    }
    let reply = request::reply_to(&params, &client).map_err(OauthError::invalid)?;
    request::read(&params, &client, reply).map_err(|(error, why)| refused(error, why))?;
    let keys = provider.keys().await?;
    let sealed = provider.enclose(&keys, (PURPOSE, LASTS), &params);
    let request_uri = format!("{PREFIX}{}", sealed.ok_or(NoKey)?);
    if request_uri.len() > MAX_NAME {
        return Err(OauthError::too_large("the request is too long"));
    }
    let pushed = Pushed {
        request_uri,
        expires_in: LASTS.0 / 1000,
    };
    let mut response = (StatusCode::CREATED, Json(pushed)).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// Whether this is how pushed requests are named.
pub fn is_name(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The request that was pushed under this name, whoever's it is.
pub fn open(provider: &Provider, keys: &Keys, name: &str) -> Option<Params> {
    let sealed = name.strip_prefix(PREFIX)?;
    provider.disclose(keys, PURPOSE, sealed)
}

/// What uses up the pushed request of this name.
pub fn use_up(provider: &Provider, name: &str) -> Spend {
    Spend {
        what: TokenHash::of(&format!("pushed request {name}")),
        // It was pushed before now, and is good no longer than that.
        until: provider.now() + LASTS,
    }
}

fn refused(error: RequestError, why: &str) -> OauthError {
    let code = match error {
        RequestError::InvalidScope => ErrorCode::InvalidScope,
        RequestError::UnauthorizedClient => ErrorCode::UnauthorizedClient,
        RequestError::UnsupportedResponseType => ErrorCode::UnsupportedResponseType,
        RequestError::RequestNotSupported => ErrorCode::RequestNotSupported,
        RequestError::UnmetAuthenticationRequirements => ErrorCode::UnmetAuthenticationRequirements,
        _ => ErrorCode::InvalidRequest,
    };
    OauthError::new(code, why)
}
