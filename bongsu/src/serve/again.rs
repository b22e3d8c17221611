//! Refusals of a view that is behind. A client that comes from another data centre may bring a token, or name
//! a room, of which this one's view has not heard yet: before it is told that there is no such thing, the view
//! catches up with the log, and the client is answered anew.

use crate::wiring::House;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bongsu_identity::Identity;
use bongsu_lane::{Lane, SubmitError};
use bongsu_talk::Talk;
use bongsu_web_kit::matrix::MatrixError;
use http::request::Parts;
use http::{Method, StatusCode};
use std::time::Duration;
use tokio::try_join;

/// How long a change waits for the view to catch up, and when its client asks again if it does not.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same for a read.
const GLANCE: Duration = Duration::from_millis(200);
/// The longest body that is kept to be handled a second time, in bytes.
const KEPT: u64 = 1 << 20;

/// What has to catch up.
#[derive(Clone)]
pub struct Views {
    identity: Lane<Identity>,
    talk: Lane<Talk>,
}

impl Views {
    /// Those of `house`.
    pub fn of(house: &House) -> Self {
        Self {
            identity: house.identity.lane.clone(),
            talk: house.talk.lane.clone(),
        }
    }

    async fn catch_up(&self, within: Duration) -> Result<(), SubmitError> {
        try_join!(self.identity.catch_up(within), self.talk.catch_up(within)).map(drop)
    }
}

/// Handles a request a second time if the view refused it and was behind.
pub async fn ask_again(State(views): State<Views>, request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET;
    if proves_a_secret(request.method(), request.uri().path()) {
        // A guess must not count twice. Should the view not catch up, the answer needs the log anyway.
        let _ = views.catch_up(PATIENCE).await;
        return next.run(request).await;
    }
    let (request, second) = match twice(request).await {
        Ok(both) => both,
        Err(refusal) => return refusal.into_response(),
    };
    let first = next.clone().run(request).await;
    if !may_be_behind(first.status()) {
        return first;
    }
    let patience = if reads { GLANCE } else { PATIENCE };
    match (views.catch_up(patience).await, second) {
        (Ok(()), Some(second)) => next.run(second).await,
        // Whether there is such a token is not known here.
        _ if !reads || first.status() == StatusCode::UNAUTHORIZED => not_known().into_response(),
        _ => first,
    }
}

/// Whether a view that is behind may have given this answer for that reason.
fn may_be_behind(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// Whether a request may carry a password, of which wrong ones are counted.
fn proves_a_secret(method: &Method, path: &str) -> bool {
    let Some(path) = path.strip_prefix("/_matrix/client/") else {
        return false;
    };
    let verb = path.split_once('/').map_or("", |(_, verb)| verb);
    match *method {
        Method::POST => matches!(
            verb,
            "login" | "register" | "account/password" | "account/deactivate" | "delete_devices"
        ),
        Method::DELETE => verb.starts_with("devices/"),
        _ => false,
    }
}

/// The request, and the same once more unless it is too long.
async fn twice(request: Request) -> Result<(Request, Option<Request>), MatrixError> {
    let (parts, body) = request.into_parts();
    if body.size_hint().upper().is_none_or(|most| most > KEPT) {
        return Ok((Request::from_parts(parts, body), None));
    }
    let most = usize::try_from(KEPT).unwrap_or(usize::MAX);
    let bytes = to_bytes(body, most)
        .await
        .map_err(|error| MatrixError::bad_json(error.to_string()))?;
    let second = with_body(parts.clone(), bytes.clone());
    Ok((with_body(parts, bytes), Some(second)))
}

fn with_body(parts: Parts, bytes: Bytes) -> Request {
    Request::from_parts(parts, Body::from(bytes))
}

fn not_known() -> MatrixError {
    MatrixError::unavailable(
        PATIENCE,
        "this data centre may not have heard of it yet; try again in a moment",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_carry_a_password_is_handled_once() {
        for (method, path, may) in [
            (Method::POST, "/_matrix/client/v3/login", true),
            (Method::POST, "/_matrix/client/r0/account/password", true),
            (Method::DELETE, "/_matrix/client/v3/devices/ABC", true),
            (Method::GET, "/_matrix/client/v3/login", false),
            (Method::GET, "/_matrix/client/v3/devices/ABC", false),
            (Method::POST, "/_matrix/client/v3/refresh", false),
            (Method::PUT, "/_matrix/client/v3/rooms/!a/send/b/c", false),
            (Method::POST, "/admin/v1/users", false),
        ] {
            assert_eq!(proves_a_secret(&method, path), may, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_long_body_is_passed_on_as_it_comes() {
        let request = |length: usize| Request::new(Body::from(vec![7; length]));
        let (first, second) = twice(request(100)).await.expect("read");
        let second = second.expect("kept");
        for request in [first, second] {
            let bytes = to_bytes(request.into_body(), 1_000).await.expect("read");
            assert_eq!(*bytes, [7; 100]);
        }
        let (long, second) = twice(request(KEPT as usize + 1)).await.expect("passed on");
        assert!(second.is_none() && long.into_body().size_hint().exact() == Some(KEPT + 1));
    }
}
