//! `POST /oauth2/token`: tokens, for a code, a refresh token, a device code, or for the client itself.

mod client_credentials;
mod code;
mod device;
mod refresh;

use super::client_auth::{Credentials, recognise};
use super::error::{ErrorCode, OauthError, no_store};
use super::form::Form;
use crate::command::oauth::{Beginning, Spend};
use crate::http::address::Address;
use crate::provider::client::{Client, Grant};
use crate::provider::dpop::Proven;
use crate::provider::tokens::TokenAnswer;
use crate::provider::{Keys, Provider};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;

/// Where it is.
pub const PATH: &str = "/oauth2/token";

/// What is asked for.
#[derive(Debug, Deserialize)]
pub struct TokenForm {
    grant_type: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
    device_code: Option<String>,
    scope: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

/// A client that showed that it is the one, and with what it asks.
struct Asking {
    provider: Provider,
    keys: Arc<Keys>,
    client: Client,
    address: String,
    jkt: Option<[u8; 32]>,
    /// The assertion with which the client showed that it is the one.
    assertion: Option<Spend>,
}

/// Tokens for a code, a refresh token, a device code, or for the client itself (RFC 6749, section 3.2).
#[utoipa::path(post, path = "/oauth2/token", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = 400, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    Address(address): Address,
    headers: HeaderMap,
    Form(mut form): Form<TokenForm>,
) -> Result<Response, OauthError> {
    let credentials = std::mem::take(&mut form.credentials);
    let (client, assertion) = recognise(&provider, &headers, credentials, PATH).await?;
    let grant = form.grant_type.as_deref();
    let grant = grant.ok_or_else(|| OauthError::invalid("grant_type is missing"))?;
    let grant = known(grant)?;
    if !client.may(grant) {
        let why = "the client did not register this grant_type";
        return Err(OauthError::new(ErrorCode::UnauthorizedClient, why));
    }
    let jkt = proven(&provider, &headers, PATH).await?;
    if jkt.is_none() && client.metadata.dpop_bound_access_tokens == Some(true) {
        let why = "the client registered that it proves to have a key";
        return Err(OauthError::new(ErrorCode::InvalidDpopProof, why));
    }
    let keys = provider.keys().await?;
    let asking = Asking {
        provider,
        keys,
        client,
        address,
        jkt,
        assertion,
    };
    let answer = match grant {
        Grant::AuthorizationCode => code::grant(&asking, form).await?,
        Grant::RefreshToken => refresh::grant(&asking, form).await?,
        Grant::ClientCredentials => client_credentials::grant(&asking, form).await?,
        Grant::DeviceCode => device::grant(&asking, form).await?,
    };
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

fn known(grant: &str) -> Result<Grant, OauthError> {
    let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(grant);
    Grant::deserialize(name).map_err(|_| {
        OauthError::new(
            ErrorCode::UnsupportedGrantType,
            "tokens are not to be had with this grant_type",
        )
    })
}

/// The key that the client proves to have, if it brings a proof.
pub async fn proven(
    provider: &Provider,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<[u8; 32]>, OauthError> {
    let mut proofs = headers.get_all("dpop").iter();
    let Some(proof) = proofs.next() else {
        return Ok(None);
    };
    if proofs.next().is_some() {
        let why = "there is more than one DPoP proof";
        return Err(OauthError::new(ErrorCode::InvalidDpopProof, why));
    }
    let proof = proof.to_str().unwrap_or_default();
    let request = Proven {
        method: "POST",
        path,
        token: None,
    };
    let keys = provider.keys().await?;
    let jkt = provider.prove_key(&keys, proof, request);
    let refused = |error| OauthError::proof(&error, provider.dpop_nonce(&keys), false);
    jkt.map(Some).map_err(refused)
}

impl Asking {
    /// How a session of the client's begins.
    fn beginning(&self) -> Beginning {
        let config = self.provider.config();
        let name: String = self.client.name().chars().take(60).collect();
        Beginning {
            device: self.provider.accounts().new_device(),
            name,
            address: self.address.clone(),
            refresh: self.client.may(Grant::RefreshToken),
            lasts: config.access_token,
            idle: config.session_idle,
            jkt: self.jkt,
        }
    }

    /// Whether everything can be signed that would have to be: before a code is used up.
    fn can_sign(&self) -> Result<(), OauthError> {
        let now = self.provider.now();
        let needed = [
            self.client.access_token_algorithm(),
            self.client.id_token_algorithm(),
        ];
        let all = needed
            .into_iter()
            .all(|one| self.keys.signing(one, now).is_some());
        if all && self.keys.secret(now).is_some() {
            Ok(())
        } else {
            Err(crate::provider::tokens::NoKey.into())
        }
    }

    /// What the client gets when its session begins.
    async fn begun(&self, begun: &crate::command::oauth::Begun) -> Result<TokenAnswer, OauthError> {
        let mut answer = self
            .provider
            .answer(&self.keys, &self.client, &begun.issued)?;
        let openid = begun.issued.scope.split(' ').any(|scope| scope == "openid");
        if openid {
            let wants_name = begun.claims.is_some();
            let name = if wants_name {
                self.provider.display_name(&begun.issued.user).await?
            } else {
                None
            };
            let token = self
                .provider
                .id_token(&self.keys, &self.client, begun, name)?;
            answer.id_token = Some(token);
        }
        Ok(answer)
    }
}
