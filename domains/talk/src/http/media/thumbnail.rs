//! `GET /thumbnail`: a smaller picture, made when it is first asked for.
//!
//! What was made can be made again at any time; it is kept in memory alone.

use super::super::Api;
use super::gallery::{Key, Picture};
use super::headers::{describe, describe_as, is_known, tag};
use super::picture::{self, NoPicture, Size};
use super::refused;
use crate::state::media::MediaItem;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use http::{HeaderMap, StatusCode};
use ruma::UInt;
use ruma::api::client::authenticated_media::get_content_thumbnail;
use ruma::api::error::ErrorKind;
use ruma::media::Method;
use std::time::Duration;
use tokio::time::timeout;

/// The largest source, in bytes: it is in memory whole.
const MAX_SOURCE: u64 = 50 << 20;
/// How long somebody waits until theirs is made.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a thumbnail is asked for.
pub struct Wanted<'a> {
    pub server: &'a str,
    pub id: &'a str,
    pub size: Size,
    pub animated: bool,
    pub patience: Duration,
}

pub async fn thumbnail(
    State(api): State<Api>,
    headers: HeaderMap,
    Matrix { request, .. }: Matrix<get_content_thumbnail::v1::Request>,
) -> Result<Response, MatrixError> {
    let wanted = Wanted {
        server: request.server_name.as_str(),
        id: &request.media_id,
        size: size(request.width, request.height, request.method.as_ref())?,
        animated: request.animated.unwrap_or(false),
        patience: request.timeout_ms,
    };
    api.serve_thumbnail(&headers, wanted).await
}

/// The size that is made for what is wanted.
pub fn size(width: UInt, height: UInt, method: Option<&Method>) -> Result<Size, MatrixError> {
    let side = |side: UInt| u32::try_from(u64::from(side)).unwrap_or(u32::MAX);
    let (width, height) = (side(width), side(height));
    if width == 0 || height == 0 {
        return Err(MatrixError::invalid_param(
            "`width` and `height` are at least 1",
        ));
    }
    let crop = match method {
        None | Some(Method::Scale) => false,
        Some(Method::Crop) => true,
        Some(_) => {
            return Err(MatrixError::invalid_param("`method` is scale or crop"));
        }
    };
    let wanted = Size {
        width,
        height,
        crop,
    };
    Ok(wanted.made())
}

/// What was made of a source.
enum Made {
    /// A picture that stands still.
    Still(Picture),
    /// Nothing: the source moves and was asked for as such.
    Moves,
}

impl Api {
    /// The thumbnail, or the source if that moves and may.
    pub(super) async fn serve_thumbnail(
        &self,
        headers: &HeaderMap,
        wanted: Wanted<'_>,
    ) -> Result<Response, MatrixError> {
        let item = self
            .find_media(wanted.server, wanted.id, wanted.patience)
            .await?;
        let Size {
            width,
            height,
            crop,
        } = wanted.size;
        let how = format!("-{width}x{height}{}", if crop { "c" } else { "s" });
        let tag = tag(&item, &how);
        if !wanted.animated && is_known(headers, &tag) {
            return Ok(StatusCode::NOT_MODIFIED.into_response());
        }
        let key = Key {
            blob: item.blob.clone(),
            how,
        };
        let made = timeout(PATIENCE, self.made(&item, key, &wanted)).await;
        match made.map_err(|_| busy("making the thumbnail takes too long"))?? {
            Made::Still(picture) => {
                let mut response = Response::new(Body::from(picture.bytes));
                let name = "thumbnail".to_owned();
                describe_as(response.headers_mut(), picture.kind, Some(name), &tag);
                Ok(response)
            }
            Made::Moves => {
                let mut response = self.content(&HeaderMap::new(), &item).await?;
                describe(response.headers_mut(), &item, None);
                Ok(response)
            }
        }
    }

    /// The thumbnail, as it was made before or made now when it is this one's turn.
    async fn made(
        &self,
        item: &MediaItem,
        key: Key,
        wanted: &Wanted<'_>,
    ) -> Result<Made, MatrixError> {
        if !wanted.animated
            && let Some(picture) = self.gallery.made(&key)
        {
            return Ok(Made::Still(picture));
        }
        let turn = self.gallery.turn().await;
        let turn = turn.ok_or_else(|| busy("too many thumbnails are being made"))?;
        // Somebody else may have had it made in the meantime.
        if !wanted.animated
            && let Some(picture) = self.gallery.made(&key)
        {
            return Ok(Made::Still(picture));
        }
        let blob = item.blob.parse().map_err(MatrixError::internal)?;
        let source = self.media.read_verified(blob, MAX_SOURCE).await;
        let source = source.map_err(refused)?;
        let (size, animated) = (wanted.size, wanted.animated);
        // The turn ends with the work, not with whoever waits for it: no more work than turns.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            if animated && picture::is_animated(&source) {
                return Ok(Made::Moves);
            }
            picture::thumbnail(&source, size).map(Made::Still)
        });
        let made = work.await.map_err(MatrixError::internal)?;
        let made = made.map_err(|why| impossible(&why))?;
        if let Made::Still(picture) = &made {
            self.gallery.keep(key, picture.clone());
        }
        Ok(made)
    }
}

fn busy(why: &str) -> MatrixError {
    MatrixError::limited(Duration::from_secs(2), why)
}

/// The specification's 400 for what no thumbnail can be made of.
fn impossible(why: &NoPicture) -> MatrixError {
    MatrixError::new(StatusCode::BAD_REQUEST, ErrorKind::Unknown, why.to_string())
}
