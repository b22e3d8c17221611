//! The deprecated downloads that ask for no token, for whoever runs clients from before Matrix v1.11. Whoever
//! shows none gets 404 unless the operator opened them, as the specification asks of servers that have closed
//! them (Matrix v1.19, content repository); a client that shows its token could as well ask at the other paths.

#![expect(
    deprecated,
    reason = "clients from before Matrix v1.11 know no other downloads"
)]

use super::super::Api;
use super::thumbnail::size;
use super::{download, no_such_media, thumbnail};
use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use bongsu_web_kit::matrix::{Endpoints, Matrix, MatrixError, Scheme};
use http::HeaderMap;
use http::request::Parts;
use ruma::api::auth_scheme::AccessTokenOptional;
use ruma::api::client::media::{get_content, get_content_as_filename, get_content_thumbnail};

/// Serves the deprecated downloads.
pub fn serve_open(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<get_content::v3::Request, _, _>(get)
        .serve::<get_content_as_filename::v3::Request, _, _>(get_as)
        .serve::<get_content_thumbnail::v3::Request, _, _>(get_thumbnail)
}

/// A request that may be answered: the downloads are open, or it shows somebody's token.
struct Opened;

impl FromRequestParts<Api> for Opened {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, MatrixError> {
        if api.config.media.open_downloads
            || AccessTokenOptional::admit(parts, &*api.authenticator)
                .await?
                .is_some()
        {
            return Ok(Self);
        }
        Err(no_such_media())
    }
}

async fn get(
    State(api): State<Api>,
    _: Opened,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content::v3::Request>,
) -> Result<Response, MatrixError> {
    let wanted = download::Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        name: None,
        patience: request.timeout_ms,
    };
    api.serve_media(&headers, wanted).await
}

async fn get_as(
    State(api): State<Api>,
    _: Opened,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_as_filename::v3::Request>,
) -> Result<Response, MatrixError> {
    let wanted = download::Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        name: Some(request.filename),
        patience: request.timeout_ms,
    };
    api.serve_media(&headers, wanted).await
}

async fn get_thumbnail(
    State(api): State<Api>,
    _: Opened,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_thumbnail::v3::Request>,
) -> Result<Response, MatrixError> {
    let wanted = thumbnail::Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        size: size(request.width, request.height, request.method.as_ref())?,
        animated: request.animated.unwrap_or(false),
        patience: request.timeout_ms,
    };
    api.serve_thumbnail(&headers, wanted).await
}
