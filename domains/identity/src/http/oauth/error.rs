//! Refusals of the OAuth endpoints (RFC 6749, section 5.2).

use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::Refused;
use crate::provider::dpop::ProofError;
use crate::provider::tokens::NoKey;
use axum::response::{IntoResponse, Response};
use bongsu_lane::{ReadError, SubmitError};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is wrong, for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Something is missing, or not of its form.
    InvalidRequest,
    /// The client did not show that it is the one.
    InvalidClient,
    /// A code or token is not good.
    InvalidGrant,
    /// Not for this client.
    UnauthorizedClient,
    /// Tokens are not to be had with this.
    UnsupportedGrantType,
    /// Not a scope that can be had.
    InvalidScope,
    /// Nobody has answered the device yet (RFC 8628).
    AuthorizationPending,
    /// It asks too often.
    SlowDown,
    /// It was turned away.
    AccessDenied,
    /// Its time ran out.
    ExpiredToken,
    /// The proof of a key is not good (RFC 9449).
    InvalidDpopProof,
    /// The proof has to repeat a word of ours (RFC 9449, section 8).
    UseDpopNonce,
    /// Something else than a code was wanted.
    UnsupportedResponseType,
    /// Requests as tokens are not taken.
    RequestNotSupported,
    /// Nobody can show who they are in the way that is wanted.
    UnmetAuthenticationRequirements,
    /// The access token is not good (RFC 6750).
    InvalidToken,
    /// It is good for something else.
    InsufficientScope,
    /// A client's redirect URI cannot be used (RFC 7591).
    InvalidRedirectUri,
    /// A client's description cannot be used.
    InvalidClientMetadata,
    /// Not now.
    TemporarilyUnavailable,
    /// A defect of ours.
    ServerError,
}

/// How a refusal looks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: ErrorCode,
    /// For whoever wrote the client.
    pub error_description: String,
}

/// A refusal.
#[derive(Debug, Clone)]
pub struct OauthError {
    status: StatusCode,
    code: ErrorCode,
    description: String,
    challenge: Option<&'static str>,
    retry: bool,
    nonce: Option<String>,
}

impl OauthError {
    /// A refusal with status 400.
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            description: description.into(),
            challenge: None,
            retry: false,
            nonce: None,
        }
    }

    /// Something is missing, or not of its form.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// The client did not show that it is the one. However it tried, a challenge belongs to the status (RFC 9110, section
    /// 15.5.2), and this is the one way of all of them that is a scheme of HTTP.
    pub fn client(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"sign-in\""),
            ..Self::new(ErrorCode::InvalidClient, description)
        }
    }

    /// The client did not present an access token (RFC 6750, section 3.1).
    pub fn no_token(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer, DPoP algs=\"EdDSA Ed25519 ES256 RS256\""),
            ..Self::new(ErrorCode::InvalidToken, description)
        }
    }

    /// A DPoP proof is not good; at a resource `challenge` says how it has to be.
    pub fn proof(error: &ProofError, nonce: Option<String>, challenge: bool) -> Self {
        let fresh = matches!(error, ProofError::Nonce);
        let code = if fresh {
            ErrorCode::UseDpopNonce
        } else {
            ErrorCode::InvalidDpopProof
        };
        let plain = if challenge {
            Self::token(code, error.to_string(), true)
        } else {
            Self::new(code, error.to_string())
        };
        Self {
            nonce: nonce.filter(|_| fresh),
            ..plain
        }
    }

    /// The access token is not good; how it has to be presented is said.
    pub fn token(code: ErrorCode, description: impl Into<String>, dpop: bool) -> Self {
        let status = match code {
            ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
            ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        let challenge = match (code, dpop) {
            (ErrorCode::InvalidDpopProof, _) => {
                "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA Ed25519 ES256 RS256\""
            }
            (ErrorCode::UseDpopNonce, _) => {
                "DPoP error=\"use_dpop_nonce\", algs=\"EdDSA Ed25519 ES256 RS256\""
            }
            (ErrorCode::InvalidRequest, _) => "Bearer error=\"invalid_request\"",
            (ErrorCode::InsufficientScope, _) => "Bearer error=\"insufficient_scope\"",
            (_, true) => "DPoP error=\"invalid_token\", algs=\"EdDSA Ed25519 ES256 RS256\"",
            (_, false) => "Bearer error=\"invalid_token\"",
        };
        Self {
            status,
            challenge: Some(challenge),
            ..Self::new(code, description)
        }
    }

    /// Not now.
    pub fn later(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry: true,
            ..Self::new(ErrorCode::TemporarilyUnavailable, description)
        }
    }

    /// Too much at once.
    pub fn busy(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            ..Self::later(description)
        }
    }

    /// A body that is too long.
    pub fn too_large(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..Self::invalid(description)
        }
    }

    /// The same, for whoever sees it on a page.
    pub fn told(&self) -> (StatusCode, &str) {
        (self.status, &self.description)
    }

    /// A defect of ours; `why` goes to the log alone.
    pub fn defect(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a request of sign-in failed on a defect");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::new(
                ErrorCode::ServerError,
                "the platform has a defect in handling this",
            )
        }
    }
}

impl From<SubmitError> for OauthError {
    fn from(error: SubmitError) -> Self {
        let text = error.to_string();
        match error {
            SubmitError::Overloaded => Self::busy(text),
            SubmitError::Unknown
            | SubmitError::Detached
            | SubmitError::NotYet
            | SubmitError::Stopped(_) => Self::later(text),
            SubmitError::TooLarge => Self::too_large(text),
            SubmitError::Defect => Self::defect(text),
        }
    }
}

impl From<ReadError> for OauthError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Overloaded => Self::busy(error.to_string()),
            ReadError::Sqlite(error) => Self::defect(error),
        }
    }
}

impl From<NoKey> for OauthError {
    fn from(error: NoKey) -> Self {
        Self::later(error.to_string())
    }
}

impl From<AccountError> for OauthError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Rejected(rejected) => rejected.into(),
            AccountError::Submit(error) => error.into(),
            AccountError::Read(error) => error.into(),
            AccountError::Busy | AccountError::Locked { .. } => Self::busy(error.to_string()),
            AccountError::NameCharacters | AccountError::Name(_) | AccountError::Password => {
                Self::invalid(error.to_string())
            }
            AccountError::Defect => Self::defect(error),
        }
    }
}

impl From<Rejected> for OauthError {
    fn from(rejected: Rejected) -> Self {
        let text = rejected.to_string();
        let code = match &rejected {
            Rejected::Oauth(refused) => match refused {
                Refused::NoSuchClient => return Self::client(text),
                Refused::CodeExpired => ErrorCode::ExpiredToken,
                Refused::TooManyClients | Refused::TooManyDevices => return Self::busy(text),
                Refused::OtherKey => ErrorCode::InvalidDpopProof,
                _ => ErrorCode::InvalidGrant,
            },
            Rejected::Locked | Rejected::Deactivated | Rejected::NoSuchAccount => {
                ErrorCode::InvalidGrant
            }
            _ => ErrorCode::InvalidRequest,
        };
        Self::new(code, text)
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: self.code,
            error_description: printable(&self.description),
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        no_store(headers);
        if let Some(challenge) = self.challenge {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        let nonce = self
            .nonce
            .and_then(|nonce| HeaderValue::try_from(nonce).ok());
        if let Some(nonce) = nonce {
            headers.insert("dpop-nonce", nonce);
        }
        if self.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// The text with the characters alone that a description may have (RFC 6749, section 5.2).
fn printable(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    text.chars()
        .map(|c| if plain(c) { c } else { '?' })
        .collect()
}

/// Nobody on the way keeps what is answered (RFC 6749, section 5.1).
pub fn no_store(headers: &mut http::HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
