//! Refusals as problem details (RFC 9457).

use crate::auth::AuthError;
use axum::response::{IntoResponse, Response};
use bongsu_lane::{ReadError, SubmitError};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoResponses, ToSchema};

/// When to come back while this replica does not know or is busy.
const SOON: Duration = Duration::from_secs(1);

/// A refusal.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
}

/// How a refusal looks (RFC 9457). The type is always `about:blank`: the status says what it is, and
/// the detail what to do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// `about:blank`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the status means.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// For a person: what was wrong, and what to do.
    pub detail: String,
}

/// How every administrative request may be refused.
#[derive(Debug, IntoResponses)]
pub enum Refusals {
    /// The request is not of the form that it should have.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// There is no token of an account here; not through the control socket.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// Not for whoever asks, or not to be done to this one.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// What it is about is not there.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// What it is about is not in a state in which this can be done.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// Not now; whether it was done is unknown. `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

impl Problem {
    /// A refusal with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// 400: the request is not of the form that it should have.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403: not for whoever asks.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: what it is about is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: what it is about is not in a state in which this can be done.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 500, for a defect of ours; `why` goes to the log alone.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "an administrative request failed on a defect");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the platform has a defect in handling this",
        )
    }

    /// 429 or 503, to be tried again.
    pub fn later(status: StatusCode, retry_after: Duration, detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(status, detail)
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
            SubmitError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
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
            AuthError::Scope => Self::forbidden(detail),
            AuthError::Unknown | AuthError::Expired | AuthError::Locked => {
                Self::new(StatusCode::UNAUTHORIZED, detail)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank".to_owned(),
            title: self
                .status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, (seconds as u64).into());
        }
        response
    }
}
