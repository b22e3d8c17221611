//! What the provider can do (OpenID Connect Discovery 1.0; RFC 8414).

use super::error::OauthError;
use crate::provider::claims::PASSWORD;
use crate::provider::{Provider, SelfRegistration};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_jose::Algorithm;
use bongsu_web_kit::matrix::no_such_endpoint;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people can be sent to their account for.
const ACTIONS: [&str; 3] = [
    "org.matrix.devices_list",
    "org.matrix.device_view",
    "org.matrix.device_delete",
];
/// The claims that can be had.
const CLAIMS: [&str; 7] = [
    "sub",
    "name",
    "preferred_username",
    "auth_time",
    "acr",
    "amr",
    "sid",
];
/// How answers come back through the browser.
const RESPONSE_MODES: [&str; 7] = [
    "query",
    "fragment",
    "form_post",
    "jwt",
    "query.jwt",
    "fragment.jwt",
    "form_post.jwt",
];
/// The algorithms of what clients sign. Ed25519 has two names.
const VERIFIED: [&str; 4] = ["EdDSA", "Ed25519", "ES256", "RS256"];

/// What the provider says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Discovery {
    /// The name in all tokens.
    pub issuer: String,
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where tokens are had.
    pub token_endpoint: String,
    /// Where it is told who somebody is.
    pub userinfo_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// Where clients register, if they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Where sessions are ended.
    pub revocation_endpoint: String,
    /// Where tokens are explained.
    pub introspection_endpoint: String,
    /// Where requests are pushed.
    pub pushed_authorization_request_endpoint: String,
    /// Where devices without a browser ask.
    pub device_authorization_endpoint: String,
    /// Where people sign out.
    pub end_session_endpoint: String,
    /// Where people look after their account (MSC4191).
    pub account_management_uri: String,
    /// What they can be sent there for.
    pub account_management_actions_supported: Vec<String>,
    /// The scopes that all clients may ask for.
    pub scopes_supported: Vec<String>,
    /// `code` alone.
    pub response_types_supported: Vec<String>,
    /// How answers come back.
    pub response_modes_supported: Vec<String>,
    /// What tokens are had with.
    pub grant_types_supported: Vec<String>,
    /// Everybody is told the same about one person.
    pub subject_types_supported: Vec<String>,
    /// How ID tokens are signed.
    #[schema(value_type = Vec<String>)]
    pub id_token_signing_alg_values_supported: Vec<Algorithm>,
    /// How answers of the userinfo endpoint are signed where that is wanted.
    #[schema(value_type = Vec<String>)]
    pub userinfo_signing_alg_values_supported: Vec<Algorithm>,
    /// How answers of the introspection endpoint are (RFC 9701).
    #[schema(value_type = Vec<String>)]
    pub introspection_signing_alg_values_supported: Vec<Algorithm>,
    /// How answers of the authorization endpoint are (JARM).
    #[schema(value_type = Vec<String>)]
    pub authorization_signing_alg_values_supported: Vec<Algorithm>,
    /// How clients show that they are the ones.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// How their assertions are signed.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// As at the token endpoint.
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    /// As at the token endpoint.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// As at the token endpoint.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// As at the token endpoint.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How verifiers are hashed.
    pub code_challenge_methods_supported: Vec<String>,
    /// How proofs of keys are signed.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether answers say whose they are (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
    /// The claims that can be had.
    pub claims_supported: Vec<String>,
    /// Whether they can be asked for one by one.
    pub claims_parameter_supported: bool,
    /// Whether requests come as tokens.
    pub request_parameter_supported: bool,
    /// Whether they are fetched.
    pub request_uri_parameter_supported: bool,
    /// How people show who they are.
    pub acr_values_supported: Vec<String>,
    /// What people are asked.
    pub prompt_values_supported: Vec<String>,
    /// The languages of the pages.
    pub ui_locales_supported: Vec<String>,
    /// Whether clients are told that somebody signed out.
    pub backchannel_logout_supported: bool,
    /// Whether they are told in which browser.
    pub backchannel_logout_session_supported: bool,
}

/// What the provider can do.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "sign-in",
    responses((status = 200, body = Discovery)))]
pub async fn openid(State(provider): State<Provider>) -> Result<Response, OauthError> {
    answer(&provider).await
}

/// What the provider can do, under the name of RFC 8414.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "sign-in",
    responses((status = 200, body = Discovery)))]
pub async fn oauth(State(provider): State<Provider>) -> Result<Response, OauthError> {
    answer(&provider).await
}

/// What the provider can do, for Matrix clients (Matrix v1.19, client-server API, server metadata discovery).
#[utoipa::path(get, path = "/_matrix/client/v1/auth_metadata", tag = "sign-in",
    responses((status = 200, body = Discovery), (status = 404, description = "Clients may not register themselves")))]
pub async fn matrix(State(provider): State<Provider>) -> Response {
    for_matrix(&provider).await
}

/// The same, under the name that it had before it was specified (MSC2965).
#[utoipa::path(get, path = "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    tag = "sign-in",
    responses((status = 200, body = Discovery), (status = 404, description = "Clients may not register themselves")))]
pub async fn matrix_before(State(provider): State<Provider>) -> Response {
    for_matrix(&provider).await
}

/// Matrix clients are registered by nobody but themselves: where they may not, there is nothing for them here.
async fn for_matrix(provider: &Provider) -> Response {
    if provider.config().registration == SelfRegistration::Closed {
        return no_such_endpoint().await.into_response();
    }
    answer(provider).await.into_response()
}

async fn answer(provider: &Provider) -> Result<Response, OauthError> {
    let mut response = Json(describe(provider).await?).into_response();
    let kept = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What the provider can do.
pub async fn describe(provider: &Provider) -> Result<Discovery, OauthError> {
    let config = provider.config();
    let algorithms = provider.keys().await?.algorithms();
    let methods = words(&[
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ]);
    let open = config.registration != SelfRegistration::Closed;
    Ok(Discovery {
        issuer: config.issuer.clone(),
        authorization_endpoint: config.url(super::authorize::PATH),
        token_endpoint: config.url(super::token::PATH),
        userinfo_endpoint: config.url("/oauth2/userinfo"),
        jwks_uri: config.url("/oauth2/keys.json"),
        registration_endpoint: open.then(|| config.url("/oauth2/register")),
        revocation_endpoint: config.url("/oauth2/revoke"),
        introspection_endpoint: config.url("/oauth2/introspect"),
        pushed_authorization_request_endpoint: config.url("/oauth2/par"),
        device_authorization_endpoint: config.url("/oauth2/device_authorization"),
        end_session_endpoint: config.url("/oauth2/logout"),
        account_management_uri: config.url("/account"),
        account_management_actions_supported: words(&ACTIONS),
        scopes_supported: words(&[
            "openid",
            "profile",
            "offline_access",
            "urn:matrix:client:api:*",
        ]),
        response_types_supported: words(&["code"]),
        response_modes_supported: words(&RESPONSE_MODES),
        grant_types_supported: words(&[
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ]),
        subject_types_supported: words(&["public"]),
        id_token_signing_alg_values_supported: algorithms.clone(),
        userinfo_signing_alg_values_supported: algorithms.clone(),
        introspection_signing_alg_values_supported: algorithms.clone(),
        authorization_signing_alg_values_supported: algorithms,
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: words(&VERIFIED),
        introspection_endpoint_auth_methods_supported: methods[..3].to_vec(),
        introspection_endpoint_auth_signing_alg_values_supported: words(&VERIFIED),
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: words(&VERIFIED),
        code_challenge_methods_supported: words(&["S256"]),
        dpop_signing_alg_values_supported: words(&VERIFIED),
        authorization_response_iss_parameter_supported: true,
        claims_supported: words(&CLAIMS),
        claims_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        acr_values_supported: words(&[PASSWORD]),
        prompt_values_supported: words(&["none", "login", "consent", "select_account", "create"]),
        ui_locales_supported: words(&["ko", "en"]),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
    })
}
