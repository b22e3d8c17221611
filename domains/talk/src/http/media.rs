//! Uploads and downloads. What is stored is the blob; that there is such media is a command.

use super::Api;
use crate::command::{AddMedia, Command};
use crate::state::account::{self, MediaItem};
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use bongsu_lane::Priority;
use bongsu_media::{BlobId, MediaError};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply, Scheme};
use futures_util::TryStreamExt;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use ruma::api::auth_scheme::AccessToken;
use ruma::api::client::authenticated_media::{
    get_content, get_content_as_filename, get_media_config,
};
use ruma::http_headers::{ContentDisposition, ContentDispositionType};
use serde::Deserialize;
use std::time::Duration;

/// Types that a browser may show rather than save, since they run no script (Matrix v1.19, content
/// repository, serving inline content).
const INLINE: [&str; 26] = [
    "text/css",
    "text/plain",
    "text/csv",
    "application/json",
    "application/ld+json",
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/apng",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "audio/mp4",
    "audio/webm",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wav",
    "audio/flac",
    "audio/x-flac",
];

/// What a page that shows media may do: nothing (Matrix v1.19, content repository, security).
const POLICY: &str = "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; \
                      style-src 'unsafe-inline'; media-src 'self'; object-src 'self';";

fn refused(error: MediaError) -> MatrixError {
    match error {
        MediaError::TooLarge { .. } => MatrixError::too_large(error.to_string()),
        MediaError::Overloaded => MatrixError::limited(Duration::from_secs(2), error.to_string()),
        MediaError::BrokeOff(_) => MatrixError::bad_json(error.to_string()),
        MediaError::NotFound(_) => MatrixError::not_found("there is no such media"),
        MediaError::Damaged { .. } | MediaError::Store(_) | MediaError::Folder { .. } => {
            MatrixError::internal(error)
        }
    }
}

#[derive(Deserialize)]
pub struct UploadQuery {
    filename: Option<String>,
}

/// `POST /upload`. The body is streamed, which `ruma`'s request type cannot; everything else is its.
pub async fn upload(
    State(api): State<Api>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, MatrixError> {
    let (parts, body) = request.into_parts();
    let caller = AccessToken::admit(&parts, &*api.authenticator).await?;
    let max = api.config.max_upload_bytes;
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(refused(MediaError::TooLarge { max }));
    }
    let blob = api
        .media
        .put(
            body.into_data_stream().map_err(|error| error.to_string()),
            max,
        )
        .await
        .map_err(refused)?;
    let id = api.random_name();
    let command = AddMedia {
        id: id.clone(),
        blob: blob.hash.to_string(),
        bytes: blob.bytes,
        content_type: text_header(&parts.headers, &header::CONTENT_TYPE),
        filename: query.filename,
    };
    api.submit(&caller, Priority::Normal, None, Command::AddMedia(command))
        .await?;
    let uri = format!("mxc://{}/{id}", api.config.server_name);
    Ok(
        Reply(ruma::api::client::media::create_content::v3::Response::new(
            uri.into(),
        ))
        .into_response(),
    )
}

fn text_header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

pub async fn download(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_content::v1::Request>,
) -> Result<Response, MatrixError> {
    api.serve_media(request.server_name.as_str(), &request.media_id, None)
        .await
}

pub async fn download_as(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_content_as_filename::v1::Request>,
) -> Result<Response, MatrixError> {
    api.serve_media(
        request.server_name.as_str(),
        &request.media_id,
        Some(request.filename),
    )
    .await
}

impl Api {
    async fn serve_media(
        &self,
        server: &str,
        id: &str,
        name: Option<String>,
    ) -> Result<Response, MatrixError> {
        if server != self.config.server_name.as_str() {
            return Err(MatrixError::not_found("media of other servers is not here"));
        }
        let item = self.lane.read(|view| account::media(view.db(), id)).await?;
        let item = item.ok_or_else(|| MatrixError::not_found("there is no such media"))?;
        let blob: BlobId = item.blob.parse().map_err(MatrixError::internal)?;
        let (_, pieces) = self.media.get(blob).await.map_err(refused)?;
        let mut response = Response::new(Body::from_stream(pieces));
        *response.status_mut() = StatusCode::OK;
        describe(response.headers_mut(), &item, name);
        Ok(response)
    }
}

/// Says what the media is, so that no browser runs it.
fn describe(headers: &mut HeaderMap, item: &MediaItem, name: Option<String>) {
    let kind = item
        .content_type
        .as_deref()
        .unwrap_or("application/octet-stream");
    let bare = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let inline = INLINE.contains(&bare.as_str());
    let how = if inline {
        ContentDispositionType::Inline
    } else {
        ContentDispositionType::Attachment
    };
    let disposition =
        ContentDisposition::new(how).with_filename(name.or_else(|| item.filename.clone()));
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(kind).unwrap_or(octets),
    );
    headers.insert(header::CONTENT_LENGTH, item.bytes.into());
    if let Ok(value) = HeaderValue::from_str(&disposition.to_string()) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let cross_origin = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(cross_origin, HeaderValue::from_static("cross-origin"));
    // A blob never changes; who may read it is asked again after a day.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400, immutable"),
    );
}

pub async fn config(
    State(api): State<Api>,
    _: Matrix<get_media_config::v1::Request>,
) -> Answer<get_media_config::v1::Response> {
    let max = i64::try_from(api.config.max_upload_bytes).unwrap_or(i64::MAX);
    Ok(Reply(get_media_config::v1::Response::new(
        super::convert::count(max),
    )))
}
