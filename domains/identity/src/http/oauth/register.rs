//! `POST /oauth2/register`: clients that register themselves (RFC 7591), where the operator lets them.

use super::error::{ErrorCode, OauthError, no_store};
use super::form::body;
use crate::command::oauth::{ClientId, NewClient, Oauth, RegisterClient};
use crate::provider::client::{Grant, Metadata, MetadataError, ResponseType, SubjectType};
use crate::provider::{Provider, SelfRegistration};
use crate::secret::Token;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bongsu_jose::Algorithm;
use bongsu_lane::Priority;
use bongsu_web_kit::json::object;
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A client that is registered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// Its id.
    pub client_id: String,
    /// When that was given, in seconds since 1970.
    pub client_id_issued_at: i64,
    /// Its secret, shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// When the secret expires: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_expires_at: Option<i64>,
    /// What it said, as far as it is heeded.
    #[serde(flatten)]
    pub metadata: Metadata,
}

/// Register a client (RFC 7591).
#[utoipa::path(post, path = "/oauth2/register", tag = "sign-in", request_body = Metadata,
    responses((status = 201, body = Registered), (status = 400, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    request: Request,
) -> Result<Response, OauthError> {
    let SelfRegistration::Open { most } = provider.config().registration else {
        let why = "clients are added by the operator here";
        return Err(OauthError::new(ErrorCode::UnauthorizedClient, why));
    };
    let text = body(request).await?;
    let metadata: Metadata = object(text.as_bytes()).map_err(|error| {
        let why = MetadataError::Form(error.to_string());
        OauthError::new(ErrorCode::InvalidClientMetadata, why.to_string())
    })?;
    let metadata = Metadata {
        // Scopes of other services are for the operator to give.
        scope: None,
        ..metadata
    };
    metadata.check().map_err(|error| {
        let code = match error {
            MetadataError::RedirectUri(_) | MetadataError::NoRedirectUri => {
                ErrorCode::InvalidRedirectUri
            }
            _ => ErrorCode::InvalidClientMetadata,
        };
        OauthError::new(code, error.to_string())
    })?;
    let (id, secret, new) = prepare(&provider, &metadata)?;
    let command = RegisterClient {
        client: id.clone(),
        new,
        most,
    };
    provider
        .ask(Priority::Normal, Oauth::RegisterClient(command))
        .await?;
    let registered = Registered {
        client_id: id.to_string(),
        client_id_issued_at: crate::provider::tokens::seconds(provider.now()),
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret,
        metadata: completed(metadata),
    };
    let mut response = (StatusCode::CREATED, Json(registered)).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// With what holds where it said nothing (RFC 7591, section 3.2.1).
fn completed(metadata: Metadata) -> Metadata {
    let grants = metadata.grants().to_vec();
    let codes = grants.contains(&Grant::AuthorizationCode);
    Metadata {
        response_types: Some(codes.then_some(ResponseType::Code).into_iter().collect()),
        grant_types: Some(grants),
        id_token_signed_response_alg: metadata
            .id_token_signed_response_alg
            .or(Some(Algorithm::Rs256)),
        subject_type: Some(SubjectType::Public),
        ..metadata
    }
}

/// The client's id, its secret and what is kept of it. One without a secret that says the same is the same client.
pub fn prepare(
    provider: &Provider,
    metadata: &Metadata,
) -> Result<(ClientId, Option<String>, NewClient), OauthError> {
    let json = serde_json::to_string(metadata).map_err(OauthError::defect)?;
    let with_secret = metadata.token_endpoint_auth_method.has_secret();
    let secret = with_secret.then(|| Token::fresh(provider.accounts().lane()));
    let id: [u8; 16] = if with_secret {
        provider.random()
    } else {
        let hash = blake3::derive_key("bongsu 2026-11 id of a client", json.as_bytes());
        let (id, _) = hash.split_first_chunk().expect("32 bytes have 16");
        *id
    };
    let id = BASE64URL_NOPAD.encode(&id).parse();
    let new = NewClient {
        logout_uri: metadata.backchannel_logout_uri.clone(),
        metadata: json,
        secret: secret.as_ref().map(Token::hash),
        trusted: false,
    };
    let secret = secret.map(|secret| secret.reveal().to_owned());
    Ok((id.map_err(OauthError::defect)?, secret, new))
}
