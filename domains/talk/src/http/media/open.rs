//! The deprecated downloads that know no token, for whoever runs clients from before Matrix v1.11. They
//! answer 404 unless the operator opened them, as the specification asks of servers that have closed them
//! (Matrix v1.19, content repository).

#![expect(
    deprecated,
    reason = "clients from before Matrix v1.11 know no other downloads"
)]

use super::super::Api;
use super::thumbnail::size;
use super::{download, no_such_media, thumbnail};
use axum::extract::State;
use axum::response::Response;
use bongsu_web_kit::matrix::{Endpoints, Matrix, MatrixError};
use http::HeaderMap;
use ruma::api::client::media::{get_content, get_content_as_filename, get_content_thumbnail};

/// Serves the deprecated downloads.
pub fn serve_open(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<get_content::v3::Request, _, _>(get)
        .serve::<get_content_as_filename::v3::Request, _, _>(get_as)
        .serve::<get_content_thumbnail::v3::Request, _, _>(get_thumbnail)
}

fn need_open(api: &Api) -> Result<(), MatrixError> {
    if api.config.media.open_downloads {
        Ok(())
    } else {
        Err(no_such_media())
    }
}

async fn get(
    State(api): State<Api>,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content::v3::Request>,
) -> Result<Response, MatrixError> {
    need_open(&api)?;
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
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_as_filename::v3::Request>,
) -> Result<Response, MatrixError> {
    need_open(&api)?;
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
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_thumbnail::v3::Request>,
) -> Result<Response, MatrixError> {
    need_open(&api)?;
    let wanted = thumbnail::Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        size: size(request.width, request.height, request.method.as_ref())?,
        animated: request.animated.unwrap_or(false),
        patience: request.timeout_ms,
    };
    api.serve_thumbnail(&headers, wanted).await
}
