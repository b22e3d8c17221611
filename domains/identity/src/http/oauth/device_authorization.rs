//! `POST /oauth2/device_authorization`: a device without a browser asks to be let in (RFC 8628, section 3.1).

use super::client_auth::{Credentials, authenticate};
use super::error::{ErrorCode, OauthError, no_store};
use super::form::Form;
use crate::command::oauth::{BeginDevice, Oauth};
use crate::provider::Provider;
use crate::provider::client::Grant;
use crate::provider::scope::Scopes;
use crate::secret::Token;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_base::Millis;
use bongsu_lane::Priority;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a device waits between two questions.
const INTERVAL: Millis = Millis::seconds(5);
/// What codes that people type are made of: no vowels, so that no words come of it (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// What a device wants.
#[derive(Debug, Deserialize)]
pub struct DeviceForm {
    scope: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

/// What a device shows, and asks with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceAnswer {
    /// What it asks with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// Where it need not be typed.
    pub verification_uri_complete: String,
    /// How long there is, in seconds.
    pub expires_in: i64,
    /// How long it waits between two questions, in seconds.
    pub interval: i64,
}

/// Ask for a device without a browser to be let in (RFC 8628).
#[utoipa::path(post, path = "/oauth2/device_authorization", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = DeviceAnswer), (status = 400, body = super::error::ErrorBody)))]
pub async fn handle(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<DeviceForm>,
) -> Result<Response, OauthError> {
    let path = "/oauth2/device_authorization";
    let client = authenticate(&provider, &headers, form.credentials, path).await?;
    if !client.may(Grant::DeviceCode) {
        let why = "the client did not register device codes";
        return Err(OauthError::new(ErrorCode::UnauthorizedClient, why));
    }
    let scope = form.scope.as_deref().unwrap_or_default();
    let invalid = |why: String| OauthError::new(ErrorCode::InvalidScope, why);
    let scopes = Scopes::parse(scope).map_err(|error| invalid(error.to_string()))?;
    let scopes = client.allowed(scopes);
    if scopes.is_empty() {
        let why = "there is no scope that this client may have";
        return Err(invalid(why.to_owned()));
    }
    let code = Token::fresh(provider.accounts().lane());
    let typed = user_code(&provider);
    let config = provider.config();
    let command = BeginDevice {
        client: client.id,
        scope: scopes.to_string(),
        code: code.hash(),
        user_code: typed.clone(),
        lasts: config.device_code,
        interval: INTERVAL,
        most: config.devices_waiting,
    };
    provider
        .ask(Priority::Background, Oauth::AwaitDevice(command))
        .await?;
    let shown = format!("{}-{}", &typed[..4], &typed[4..]);
    let answer = DeviceAnswer {
        device_code: code.reveal().to_owned(),
        verification_uri: config.url("/account/device"),
        verification_uri_complete: config.url(&format!("/account/device?user_code={shown}")),
        user_code: shown,
        expires_in: config.device_code.0 / 1000,
        interval: INTERVAL.0 / 1000,
    };
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// Eight letters, each as likely as the others: 34 bits, tried by people who are signed in and are slowed down.
fn user_code(provider: &Provider) -> String {
    let mut letters = String::new();
    while letters.len() < 8 {
        let bytes: [u8; 16] = provider.random();
        // 240 is a multiple of 20: what lies beyond would make some letters likelier.
        let fair = bytes.iter().filter(|byte| **byte < 240);
        letters.extend(fair.map(|byte| char::from(LETTERS[usize::from(byte % 20)])));
    }
    letters.truncate(8);
    letters
}
