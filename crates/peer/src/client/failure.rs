//! Why another data centre did not do what it was asked.

use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use object_store::Error;
use object_store::path::Path;
use std::error::Error as _;
use std::time::Duration;
use tokio::time::timeout;

/// The longest reason that is read.
const MAX_REASON: usize = 1 << 10;

/// Why it did not; it can be told to several who wait.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failure {
    /// How it answered, if it did.
    status: Option<StatusCode>,
    text: String,
}

impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            status: None,
            text: text.into(),
        }
    }

    pub(super) fn late() -> Self {
        Self::new("it takes too long")
    }

    /// With all causes: the outermost says little more than that there is one.
    pub(super) fn of_client(error: hyper_util::client::legacy::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new(text)
    }

    pub(super) fn of_body(error: hyper::Error) -> Self {
        Self::new(format!("its answer broke off: {error}"))
    }

    /// The answer, unless it is a refusal.
    pub(super) async fn unless_good(
        answer: Response<Incoming>,
        patience: Duration,
    ) -> Result<Response<Incoming>, Self> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let reason = Limited::new(answer.into_body(), MAX_REASON).collect();
        let reason = match timeout(patience, reason).await {
            Ok(Ok(reason)) => String::from_utf8_lossy(&reason.to_bytes()).into_owned(),
            _ => String::new(),
        };
        Err(Self {
            status: Some(status),
            text: format!("{status}: {reason}"),
        })
    }

    /// What it means for the file `location`.
    pub(super) fn about(self, location: &Path) -> Error {
        let path = location.to_string();
        match self.status {
            Some(StatusCode::NOT_FOUND) => Error::NotFound {
                path,
                source: self.into(),
            },
            Some(StatusCode::FORBIDDEN) => Error::PermissionDenied {
                path,
                source: self.into(),
            },
            Some(StatusCode::PRECONDITION_FAILED) => Error::Precondition {
                path,
                source: self.into(),
            },
            _ => self.into(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Generic {
            store: "peer",
            source: Box::new(failure),
        }
    }
}
