//! What another data centre is told when it does not get what it asks for.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Seconds after which to try again when there is too much to do.
const LATER: HeaderValue = HeaderValue::from_static("1");

/// Why it does not get it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("there is no such store for other data centres")]
    NotOffered,
    #[error("this store may only be read")]
    MayNotPut,
    #[error("this is not the name of a file in a store")]
    NoName,
    #[error("the range cannot be read: one part is given, in bytes")]
    NoRange,
    #[error("too many files are on their way; try again in a moment")]
    Overloaded,
    #[error("a file may have {0} bytes at most")]
    TooLong(u64),
    #[error("the file did not come whole: {0}")]
    BrokeOff(String),
    #[error("{0}")]
    Store(#[from] object_store::Error),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        use object_store::Error;
        let status = match &self {
            Self::NotOffered | Self::MayNotPut => StatusCode::FORBIDDEN,
            Self::NoName | Self::NoRange | Self::BrokeOff(_) => StatusCode::BAD_REQUEST,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Store(Error::NotFound { .. }) => StatusCode::NOT_FOUND,
            Self::Store(Error::Precondition { .. }) => StatusCode::PRECONDITION_FAILED,
            Self::Store(Error::NotSupported { .. } | Error::PermissionDenied { .. }) => {
                StatusCode::FORBIDDEN
            }
            Self::Store(error) => {
                tracing::error!(%error, "a store failed for another data centre");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let mut response = (status, self.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, LATER);
        }
        response
    }
}
