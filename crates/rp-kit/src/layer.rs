//! A layer for axum: what lies behind it is reached with a good token alone.

use crate::verify::{Refusal, Verifier};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Lets those in whose access token is good; handlers find [`crate::Verified`] among the request's extensions. To be used with
/// `axum::middleware::from_fn_with_state`.
pub async fn require(
    State(verifier): State<Verifier>,
    mut request: Request,
    next: Next,
) -> Response {
    let value = request.headers().get(header::AUTHORIZATION);
    let token = value.and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.to_owned())
    });
    let Some(token) = token else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer");
    };
    match verifier.verify(&token).await {
        Ok(verified) => {
            request.extensions_mut().insert(verified);
            next.run(request).await
        }
        Err(Refusal::Stale) => {
            let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
        Err(Refusal::NotOurs | Refusal::Expired | Refusal::Revoked) => {
            refused(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"")
        }
    }
}

fn refused(status: StatusCode, challenge: &'static str) -> Response {
    let mut response = status.into_response();
    let challenge = HeaderValue::from_static(challenge);
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}
