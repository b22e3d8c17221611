//! Ending long polls when the server stops: whoever waits for news is told to come back.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bongsu_web_kit::matrix::MatrixError;
use http::Method;
use std::time::Duration;
use tokio::sync::watch;

/// When to come back: a restart takes about as long.
const SOON: Duration = Duration::from_secs(1);

/// Gives up reads when it is time to stop. What changes something is answered to its end.
pub async fn end_reads(
    State(mut stopping): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    tokio::select! {
        biased;
        response = next.run(request) => response,
        _ = stopping.wait_for(|stop| *stop) => {
            MatrixError::unavailable(SOON, "the server is stopping; try again in a moment").into_response()
        }
    }
}
