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
use bongsu_pay::Pay;
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
    pay: Lane<Pay>,
}

impl Views {
    /// Those of `house`.
    pub fn of(house: &House) -> Self {
        Self {
            identity: house.identity.lane.clone(),
            talk: house.talk.lane.clone(),
            pay: house.pay.lane.clone(),
        }
    }

    /// Catches up with all that `asked` may be about: each costs an append.
    async fn catch_up(&self, asked: About, within: Duration) -> Result<(), SubmitError> {
        let talk = async {
            match asked {
                About::Talk | About::Anything => self.talk.catch_up(within).await,
                About::Accounts | About::Money => Ok(()),
            }
        };
        let pay = async {
            match asked {
                About::Money | About::Anything => self.pay.catch_up(within).await,
                About::Accounts | About::Talk => Ok(()),
            }
        };
        try_join!(self.identity.catch_up(within), talk, pay).map(drop)
    }
}

/// What a request is about; all are about whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Accounts,
    Talk,
    Money,
    Anything,
}

impl About {
    fn of(path: &str) -> Self {
        let begins = |with: &str| path.starts_with(with);
        if is_pay(path) {
            Self::Money
        } else if begins("/oauth2/") || begins("/account") {
            Self::Accounts
        } else if begins("/_matrix/") {
            Self::Talk
        } else {
            Self::Anything
        }
    }
}

/// Handles a request a second time if the view refused it and was behind.
pub async fn ask_again(State(views): State<Views>, request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET;
    let about = About::of(request.uri().path());
    let pays = about == About::Money;
    if let Some(need) = catches_up_first(request.method(), request.uri().path()) {
        let caught_up = views.catch_up(about, PATIENCE).await;
        if caught_up.is_err() && need == Need::Must {
            return not_known(pays);
        }
        return next.run(request).await;
    }
    let file = is_file(request.uri().path());
    let (request, second) = match twice(request).await {
        Ok(both) => both,
        Err(_) if pays => return bongsu_pay::http::no_body(),
        Err(refusal) => return refusal.into_response(),
    };
    if second.is_none() {
        // What is too long to be kept is handled once, by a view that has caught up before: what it refuses is refused.
        let caught_up = views.catch_up(about, PATIENCE).await;
        let only = next.run(request).await;
        return match caught_up {
            Err(_) if may_be_behind(only.status()) => not_known(pays),
            _ => only,
        };
    }
    let first = next.clone().run(request).await;
    if !may_be_behind(first.status()) {
        return first;
    }
    // Who would be told that their token is none may wait; others who read are answered at once. Nobody guesses what a
    // file is called: who asks for one was told of it.
    let unknown = first.status() == StatusCode::UNAUTHORIZED;
    let patience = if reads && !unknown { GLANCE } else { PATIENCE };
    match (views.catch_up(about, patience).await, second) {
        (Ok(()), Some(second)) => next.run(second).await,
        // Whether there is such a token is not known here.
        _ if !reads || unknown || file => not_known(pays),
        _ => first,
    }
}

/// Whether a path leads to an uploaded file.
fn is_file(path: &str) -> bool {
    ["/_matrix/media/", "/_matrix/client/v1/media/"]
        .iter()
        .any(|media| path.starts_with(media))
}

/// Whether a view that is behind may have given this answer for that reason.
fn may_be_behind(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// Why a request is handled once, by a view that has caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// It would be wrong to answer otherwise: a token that was revoked anywhere is good nowhere.
    Must,
    /// A guess must not count twice; should the view not catch up, the answer needs the log anyway.
    Should,
}

/// Whether a request is handled once, and only when the view has caught up.
fn catches_up_first(method: &Method, path: &str) -> Option<Need> {
    if matches!(path, "/oauth2/introspect" | "/oauth2/userinfo") {
        return Some(Need::Must);
    }
    let posts = *method == Method::POST;
    if path.starts_with("/account")
        || path == "/oauth2/authorize"
        || posts && path.starts_with("/oauth2/")
    {
        return Some(Need::Should);
    }
    let verb = path.strip_prefix("/_matrix/client/")?.split_once('/')?.1;
    let password = match *method {
        Method::POST => matches!(
            verb,
            "login"
                | "login/get_token"
                | "register"
                | "account/password"
                | "account/deactivate"
                | "delete_devices"
        ),
        Method::DELETE => verb.starts_with("devices/"),
        _ => false,
    };
    password.then_some(Need::Should)
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

/// Whether a path is of the protocol of money, whose refusals look otherwise than a messenger's.
fn is_pay(path: &str) -> bool {
    path.starts_with("/pay/")
}

fn not_known(pays: bool) -> Response {
    let detail = "this data centre may not have heard of it yet; try again in a moment";
    if pays {
        bongsu_pay::http::unavailable(PATIENCE, detail)
    } else {
        MatrixError::unavailable(PATIENCE, detail).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    #[test]
    fn what_counts_guesses_or_says_whether_a_token_is_good_is_handled_once() {
        let should = Some(Need::Should);
        for (method, path, need) in [
            (Method::POST, "/oauth2/introspect", Some(Need::Must)),
            (Method::GET, "/oauth2/userinfo", Some(Need::Must)),
            (Method::POST, "/oauth2/token", should),
            (Method::GET, "/oauth2/authorize", should),
            (Method::GET, "/oauth2/keys.json", None),
            (Method::POST, "/account/sign-in", should),
            (Method::POST, "/_matrix/client/v3/login", should),
            (Method::POST, "/_matrix/client/v1/login/get_token", should),
            (Method::POST, "/_matrix/client/r0/account/password", should),
            (Method::DELETE, "/_matrix/client/v3/devices/ABC", should),
            (Method::GET, "/_matrix/client/v3/login", None),
            (Method::GET, "/_matrix/client/v3/devices/ABC", None),
            (Method::POST, "/_matrix/client/v3/refresh", None),
            (Method::PUT, "/_matrix/client/v3/rooms/!a/send/b/c", None),
            (Method::POST, "/admin/v1/users", None),
        ] {
            assert_eq!(catches_up_first(&method, path), need, "{method} {path}");
        }
    }

    #[test]
    fn only_what_a_request_is_about_has_to_catch_up() {
        for (path, about) in [
            ("/oauth2/introspect", About::Accounts),
            ("/account", About::Accounts),
            ("/account/sign-in", About::Accounts),
            ("/_matrix/client/v3/sync", About::Talk),
            ("/pay/v1/wallet", About::Money),
            ("/admin/v1/users", About::Anything),
        ] {
            assert_eq!(About::of(path), about, "{path}");
        }
    }

    #[tokio::test]
    async fn each_protocol_is_told_in_its_own_words_that_nothing_is_known() {
        for (path, kind, said) in [
            (
                "/pay/v1/wallet",
                "application/problem+json",
                "urn:bongsu:pay:unavailable",
            ),
            ("/_matrix/client/v3/sync", "application/json", "M_UNKNOWN"),
        ] {
            let told = not_known(is_pay(path));
            assert_eq!(told.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(told.headers()[header::RETRY_AFTER], "1", "{path}");
            assert_eq!(told.headers()[header::CONTENT_TYPE], kind, "{path}");
            let body = to_bytes(told.into_body(), 1_000).await.expect("read");
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains(said), "{path}: {body}");
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
