//! Downloads: whole, in part, or only told that nothing has changed.

use super::super::Api;
use super::headers::{describe, is_known, tag};
use super::range::{Part, asked};
use super::refused;
use crate::state::media::MediaItem;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_media::{BlobId, Media, MediaError, Pieces};
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use futures_util::StreamExt;
use futures_util::stream::try_unfold;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use ruma::api::client::authenticated_media::{get_content, get_content_as_filename};
use ruma::api::error::ErrorKind;
use std::ops::Range;
use std::time::Duration;

/// How much of a part is in memory at once, in bytes.
const PIECE: u64 = 1 << 20;

/// What a download is asked for.
pub struct Wanted<'a> {
    pub server: &'a str,
    pub id: &'a str,
    pub name: Option<String>,
    pub patience: Duration,
}

pub async fn download(
    State(api): State<Api>,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content::v1::Request>,
) -> Result<Response, MatrixError> {
    let wanted = Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        name: None,
        patience: request.timeout_ms,
    };
    api.serve_media(&headers, wanted).await
}

pub async fn download_as(
    State(api): State<Api>,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_as_filename::v1::Request>,
) -> Result<Response, MatrixError> {
    let wanted = Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        name: Some(request.filename),
        patience: request.timeout_ms,
    };
    api.serve_media(&headers, wanted).await
}

impl Api {
    /// What is asked for, as `headers` ask for it.
    pub(super) async fn serve_media(
        &self,
        headers: &HeaderMap,
        wanted: Wanted<'_>,
    ) -> Result<Response, MatrixError> {
        let item = self
            .find_media(wanted.server, wanted.id, wanted.patience)
            .await?;
        let mut response = self.content(headers, &item).await?;
        if response.status() != StatusCode::RANGE_NOT_SATISFIABLE {
            describe(response.headers_mut(), &item, wanted.name);
        }
        Ok(response)
    }

    /// The content of `item` as `headers` ask for it.
    pub(super) async fn content(
        &self,
        headers: &HeaderMap,
        item: &MediaItem,
    ) -> Result<Response, MatrixError> {
        let tag = tag(item, "");
        if is_known(headers, &tag) {
            return Ok(StatusCode::NOT_MODIFIED.into_response());
        }
        let blob: BlobId = item.blob.parse().map_err(MatrixError::internal)?;
        let (pieces, range) = match asked(headers, item.bytes, &tag) {
            Part::Whole => (self.media.get(blob).await.map_err(refused)?.1, None),
            Part::Bytes(range) => (part(self.media.clone(), blob, range.clone()), Some(range)),
            Part::Outside => return Ok(outside(item.bytes)),
        };
        let mut response = Response::new(Body::from_stream(pieces));
        let length = match range {
            None => item.bytes,
            Some(Range { start, end }) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let place = format!("bytes {start}-{}/{}", end - 1, item.bytes);
                set(&mut response, header::CONTENT_RANGE, &place);
                end - start
            }
        };
        set(&mut response, header::CONTENT_LENGTH, &length.to_string());
        set(&mut response, header::ACCEPT_RANGES, "bytes");
        Ok(response)
    }
}

/// The bytes `range` of a blob, piece by piece.
fn part(media: Media, blob: BlobId, range: Range<u64>) -> Pieces {
    try_unfold((media, range), move |(media, range)| async move {
        if range.is_empty() {
            return Ok::<_, MediaError>(None);
        }
        let end = range.end.min(range.start + PIECE);
        let piece = media.get_range(blob, range.start..end).await?;
        Ok(Some((piece, (media, end..range.end))))
    })
    .boxed()
}

/// 416: the media has no such bytes, but this many.
fn outside(bytes: u64) -> Response {
    let mut response = MatrixError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorKind::Unknown,
        format!("the media has {bytes} bytes; ask for some of them"),
    )
    .into_response();
    set(
        &mut response,
        header::CONTENT_RANGE,
        &format!("bytes */{bytes}"),
    );
    response
}

fn set(response: &mut Response, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}
