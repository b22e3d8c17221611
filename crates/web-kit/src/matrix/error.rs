//! Refusals in Matrix's own form (Matrix v1.19, client-server API, standard error response).

use crate::auth::AuthError;
use axum::response::{IntoResponse, Response};
use bongsu_lane::{ReachError, ReadError, SubmitError};
use http::StatusCode;
use ruma::api::OutgoingResponseExt;
use ruma::api::client::uiaa::{UiaaInfo, UiaaResponse};
use ruma::api::error::{
    DeserializationError, Error, ErrorBody, ErrorKind, FromHttpRequestError,
    LimitExceededErrorData, RetryAfter, StandardErrorBody, UnknownTokenErrorData,
};
use std::time::Duration;

/// A body in which the list of stages that are completed stands even where it is empty: clients look into it.
fn with_completed(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut info) = serde_json::from_slice::<serde_json::Map<_, _>>(&body) else {
        return body;
    };
    info.entry("completed")
        .or_insert_with(|| serde_json::Value::Array(Vec::new()));
    serde_json::Value::Object(info).to_string().into_bytes()
}

/// When to come back while this replica does not know or is busy.
const SOON: Duration = Duration::from_secs(1);

/// A refusal of a Matrix request.
#[derive(Debug)]
pub enum MatrixError {
    /// An error code with a text that says what to do.
    Standard {
        /// HTTP status.
        status: StatusCode,
        /// Matrix's error code with its own fields.
        kind: ErrorKind,
        /// For a person.
        message: String,
        /// When to try again, if that may help; becomes `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The client has to authenticate further (user-interactive authentication).
    Interactive(Box<UiaaInfo>),
}

impl MatrixError {
    /// A refusal with this status and code.
    pub fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Standard {
            status,
            kind,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 403 `M_FORBIDDEN`.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorKind::Forbidden, message)
    }

    /// 404 `M_NOT_FOUND`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, message)
    }

    /// 400 `M_INVALID_PARAM`.
    pub fn invalid_param(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidParam, message)
    }

    /// 400 `M_BAD_JSON`.
    pub fn bad_json(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::BadJson, message)
    }

    /// 400 `M_NOT_JSON`.
    pub fn not_json(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::NotJson, message)
    }

    /// 413 `M_TOO_LARGE`.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge, message)
    }

    /// 429 `M_LIMIT_EXCEEDED`, to be tried again after `retry_after`.
    pub fn limited(retry_after: Duration, message: impl Into<String>) -> Self {
        let mut data = LimitExceededErrorData::new();
        data.retry_after = Some(RetryAfter::Delay(retry_after));
        Self::Standard {
            status: StatusCode::TOO_MANY_REQUESTS,
            kind: ErrorKind::LimitExceeded(data),
            message: message.into(),
            retry_after: Some(retry_after),
        }
    }

    /// 503 `M_UNKNOWN`, to be tried again after `retry_after`.
    pub fn unavailable(retry_after: Duration, message: impl Into<String>) -> Self {
        Self::Standard {
            status: StatusCode::SERVICE_UNAVAILABLE,
            kind: ErrorKind::Unknown,
            message: message.into(),
            retry_after: Some(retry_after),
        }
    }

    /// 500 `M_UNKNOWN`, for a defect of ours; `why` goes to the log alone.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a request failed on a defect");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::Unknown,
            "the platform has a defect in handling this",
        )
    }

    /// 403 `M_USER_SUSPENDED`.
    #[must_use]
    pub fn suspended() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            ErrorKind::UserSuspended,
            "this account is suspended: it can read and leave rooms, and say nothing",
        )
    }

    /// 403 `M_GUEST_ACCESS_FORBIDDEN`.
    #[must_use]
    pub fn not_for_guests() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            ErrorKind::GuestAccessForbidden,
            "guests cannot do this; an account of your own can",
        )
    }

    /// 401 `M_MISSING_TOKEN`.
    pub(crate) fn missing_token() -> Self {
        let message = "this needs an access token in the Authorization header";
        Self::new(StatusCode::UNAUTHORIZED, ErrorKind::MissingToken, message)
    }
}

impl From<AuthError> for MatrixError {
    fn from(error: AuthError) -> Self {
        let unknown = |soft_logout| {
            let mut data = UnknownTokenErrorData::new();
            data.soft_logout = soft_logout;
            Self::new(
                StatusCode::UNAUTHORIZED,
                ErrorKind::UnknownToken(data),
                error.to_string(),
            )
        };
        match error {
            AuthError::Unknown => unknown(false),
            AuthError::Expired => unknown(true),
            AuthError::Scope => Self::forbidden(error.to_string()),
            AuthError::Locked => Self::new(
                StatusCode::UNAUTHORIZED,
                ErrorKind::UserLocked,
                error.to_string(),
            ),
            AuthError::Unavailable { retry_after } => {
                Self::unavailable(retry_after, error.to_string())
            }
        }
    }
}

impl From<SubmitError> for MatrixError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Overloaded => Self::limited(SOON, error.to_string()),
            SubmitError::Unknown
            | SubmitError::Detached
            | SubmitError::NotYet
            | SubmitError::Stopped(_) => Self::unavailable(SOON, error.to_string()),
            SubmitError::TooLarge => Self::too_large(error.to_string()),
            SubmitError::Defect => Self::internal(error),
        }
    }
}

impl From<ReadError> for MatrixError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Overloaded => Self::limited(SOON, error.to_string()),
            ReadError::Sqlite(error) => Self::internal(error),
        }
    }
}

impl From<ReachError> for MatrixError {
    fn from(error: ReachError) -> Self {
        Self::unavailable(SOON, error.to_string())
    }
}

impl From<FromHttpRequestError> for MatrixError {
    fn from(error: FromHttpRequestError) -> Self {
        let message = error.to_string();
        match error {
            FromHttpRequestError::Deserialization(DeserializationError::Json(json)) => {
                let kind = if json.is_data() {
                    ErrorKind::BadJson
                } else {
                    ErrorKind::NotJson
                };
                Self::new(StatusCode::BAD_REQUEST, kind, message)
            }
            FromHttpRequestError::Deserialization(DeserializationError::Utf8(_)) => {
                Self::not_json(message)
            }
            FromHttpRequestError::Deserialization(DeserializationError::Query(_))
                if message.contains("missing field") =>
            {
                Self::new(StatusCode::BAD_REQUEST, ErrorKind::MissingParam, message)
            }
            FromHttpRequestError::MethodMismatch { .. } => Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorKind::Unrecognized,
                message,
            ),
            _ => Self::invalid_param(message),
        }
    }
}

impl IntoResponse for MatrixError {
    fn into_response(self) -> Response {
        let (rendered, retry_after) = match self {
            Self::Standard {
                status,
                kind,
                message,
                retry_after,
            } => {
                let body = ErrorBody::Standard(StandardErrorBody::new(kind, message));
                (
                    Error::new(status, body).try_into_http_response::<Vec<u8>>(),
                    retry_after,
                )
            }
            Self::Interactive(info) => {
                let rendered = UiaaResponse::AuthResponse(*info).try_into_http_response();
                (rendered.map(|response| response.map(with_completed)), None)
            }
        };
        let mut response = match rendered {
            Ok(response) => response.map(axum::body::Body::from),
            Err(error) => {
                tracing::error!(%error, "an error body cannot be written");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        if let Some(after) = retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, (seconds as u64).into());
        }
        response
    }
}
