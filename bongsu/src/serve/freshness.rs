//! How old what is read here may be.

use crate::health::Watch;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};

/// Seconds since the last proof that this data centre knew all that was acknowledged anywhere.
const FRESHNESS: HeaderName = HeaderName::from_static("bongsu-freshness");

/// Says in every answer how old the view is that it was made of. One that is cut off goes on answering.
pub async fn say(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(age) = watch.age()
        && let Ok(value) = HeaderValue::from_str(&format!("{:.3}", age.as_secs_f64()))
    {
        response.headers_mut().insert(FRESHNESS, value);
    }
    response
}
