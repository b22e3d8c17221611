//! Refusals as problem details (RFC 9457), each with a type of its own.

use crate::answer::Refused;
use crate::command::Rejected;
use axum::response::{IntoResponse, Response};
use bongsu_lane::{ReadError, SubmitError};
use bongsu_web_kit::AuthError;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use utoipa::{IntoResponses, ToSchema};

/// When to come back while this data centre does not know or is busy.
const SOON: Duration = Duration::from_secs(1);

/// A refusal.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    /// Whether no token came with the request.
    anonymous: bool,
}

/// How a refusal looks (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = PayProblem)]
pub struct ProblemBody {
    /// What was wrong: `urn:bongsu:pay:` and a name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// For a person: what was wrong, and what to do.
    pub detail: String,
}

/// How every request may be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is for the description alone")]
pub enum Refusals {
    /// The request is not of the form that it should have.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// There is no token or key, or it is none that is good here.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// Not for whoever asks, or not allowed by a limit.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// What it is about is not there for whoever asks.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// What it is about is not in a state in which this can be done.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is too long.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is not said to be JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(ProblemBody),
    /// An amount, a currency or the use of a key makes no sense.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemBody),
    /// Too much is asked; `Retry-After` says when to ask again.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// Not now; whether it was done is unknown. Repeat the same request after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

impl Problem {
    /// A refusal with this status and name.
    pub fn new(
        status: StatusCode,
        name: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            name,
            detail: detail.into(),
            retry_after: None,
            anonymous: false,
        }
    }

    /// 400.
    pub fn bad(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, name, detail)
    }

    /// 422.
    pub fn senseless(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, name, detail)
    }

    /// 401 for whoever sent no token.
    pub fn anonymous(detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            anonymous: true,
            ..Self::unknown(detail)
        }
    }

    /// 401 for a token that is none that is good here.
    pub fn unknown(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-authenticated", detail)
    }

    /// 429 or 503.
    pub fn later(
        status: StatusCode,
        after: Duration,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = if status == StatusCode::TOO_MANY_REQUESTS {
            "too-many-requests"
        } else {
            "unavailable"
        };
        Self {
            retry_after: Some(after),
            ..Self::new(status, name, detail)
        }
    }

    /// 500, for a defect of ours; `why` goes to the log alone.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a request about money failed on a defect");
        let detail = "the platform has a defect in handling this";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", detail)
    }

    /// What is told.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:bongsu:pay:{}", self.name),
            title: self.name.replace('-', " "),
            status: self.status.as_u16(),
            detail: self.detail.clone().into_owned(),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.status()).expect("refusals have statuses");
        Self::new(status, refused.name(), refused.to_string())
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Refused(refused) => refused.into(),
            Rejected::UnknownKey => Self::unknown(rejected.to_string()),
            Rejected::NotAllowed => Refused::NotForYou.into(),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::Overloaded => Self::later(StatusCode::TOO_MANY_REQUESTS, SOON, detail),
            SubmitError::Unknown
            | SubmitError::Detached
            | SubmitError::NotYet
            | SubmitError::Stopped(_) => Self::later(StatusCode::SERVICE_UNAVAILABLE, SOON, detail),
            SubmitError::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
            }
            SubmitError::Defect => Self::internal(detail),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Overloaded => {
                Self::later(StatusCode::TOO_MANY_REQUESTS, SOON, error.to_string())
            }
            ReadError::Sqlite(error) => Self::internal(error),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::Unavailable { retry_after } => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, retry_after, detail)
            }
            AuthError::Scope => Self::new(StatusCode::FORBIDDEN, "insufficient-scope", detail),
            AuthError::Unknown | AuthError::Expired | AuthError::Locked => Self::unknown(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        // RFC 6750, sections 3 and 3.1.
        let challenge = match (self.status, self.name) {
            (StatusCode::UNAUTHORIZED, _) if self.anonymous => Some("Bearer"),
            (StatusCode::UNAUTHORIZED, _) => Some("Bearer error=\"invalid_token\""),
            (_, "insufficient-scope") => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, after.as_secs().max(1).into());
        }
        response
    }
}
