//! `GET /oauth2/status/{list}`: which tokens were revoked (IETF Token Status List, section 8).

use super::error::{ErrorCode, OauthError};
use crate::provider::Provider;
use crate::provider::status::StatusError;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Which tokens were revoked, as a signed list that anybody may keep.
#[utoipa::path(get, path = "/oauth2/status/{list}", tag = "sign-in",
    params(("list" = i64, Path)),
    responses((status = 200, content_type = "application/statuslist+jwt", body = String), (status = 404)))]
pub async fn handle(
    State(provider): State<Provider>,
    Path(list): Path<String>,
) -> Result<Response, OauthError> {
    let none = || {
        let why = "there is no such list";
        let body = OauthError::new(ErrorCode::InvalidRequest, why).into_response();
        (StatusCode::NOT_FOUND, body).into_response()
    };
    let Some(list) = list.parse::<i64>().ok().filter(|list| *list >= 0) else {
        return Ok(none());
    };
    let keys = provider.keys().await?;
    let token = match provider.status_list(&keys, list).await {
        Ok(token) => token,
        Err(StatusError::None) => return Ok(none()),
        Err(StatusError::Read(error)) => return Err(error.into()),
        Err(StatusError::Key(error)) => return Err(error.into()),
        Err(error @ StatusError::Unsure) => return Err(OauthError::later(error.to_string())),
    };
    let mut response = token.to_string().into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/statuslist+jwt");
    headers.insert(header::CONTENT_TYPE, kind);
    let kept = HeaderValue::from_static("public, max-age=30");
    headers.insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
