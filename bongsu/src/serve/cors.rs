//! What lets web clients from anywhere use the Matrix API (Matrix v1.19, client-server API, web
//! browser clients).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

const HEADERS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, POST, PUT, DELETE, OPTIONS",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "X-Requested-With, Content-Type, Authorization, DPoP",
    ),
    // Beside the few that a program in a browser may always read.
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "WWW-Authenticate, DPoP-Nonce, Retry-After",
    ),
];
/// What clients of sign-in ask without a person.
const SIGN_IN: [&str; 10] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/oauth2/keys.json",
    "/oauth2/par",
    "/oauth2/device_authorization",
    "/oauth2/token",
    "/oauth2/introspect",
    "/oauth2/revoke",
    "/oauth2/userinfo",
    "/oauth2/register",
];
/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Answers preflights and adds the headers, for what programs in browsers ask from anywhere: never for pages, nor for
/// what a cookie could open.
pub async fn allow(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let public = SIGN_IN.contains(&path) || path.starts_with("/oauth2/status/");
    if !is_matrix(path) && !public {
        return next.run(request).await;
    }
    if request.method() == Method::OPTIONS {
        let mut response = StatusCode::OK.into_response();
        add(response.headers_mut());
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        return response;
    }
    let mut response = next.run(request).await;
    add(response.headers_mut());
    response
}

/// Whether Matrix's rules hold for this path.
pub fn is_matrix(path: &str) -> bool {
    path.starts_with("/_matrix/") || path == "/_matrix" || path.starts_with("/.well-known/matrix")
}

fn add(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
