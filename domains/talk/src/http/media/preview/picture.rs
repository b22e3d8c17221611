//! A page's picture: fetched as guardedly as the page, looked at, and kept as media for a while.

use super::super::super::Api;
use super::super::picture::measure;
use super::MAX_PICTURE;
use crate::apply::PICTURES_FORGOTTEN;
use crate::command::{AddMedia, Command, KeepPicture};
use crate::state::kept;
use bongsu_fetch::{Fetched, Fetcher, Url, Wanted};
use bongsu_lane::{Actor, Priority};
use bongsu_media::MediaError;
use bongsu_web_kit::matrix::MatrixError;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Map, Value, json};

/// How long a picture is kept at least: far longer than a preview that names it is remembered.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// How long a picture that is there already has to be kept yet, to be named again.
const LEFT_MS: i64 = 24 * 60 * 60 * 1_000;

const PICTURE: Wanted = Wanted {
    types: &[("image/*", MAX_PICTURE)],
};

impl Api {
    /// What is said of the picture at `url`; nothing, if there is none that can be shown.
    pub(super) async fn fetch_picture(
        &self,
        fetcher: &Fetcher,
        url: &Url,
    ) -> Result<Map<String, Value>, MatrixError> {
        match fetcher.get(url, &PICTURE).await {
            Ok(fetched) => self.keep_picture(fetched).await,
            Err(error) => {
                tracing::debug!(%error, "a page's picture could not be fetched");
                Ok(Map::new())
            }
        }
    }

    /// Keeps a picture as media, and says of it what a preview says.
    pub(super) async fn keep_picture(
        &self,
        fetched: Fetched,
    ) -> Result<Map<String, Value>, MatrixError> {
        let bytes = fetched.bytes.len() as u64;
        if !fetched.whole || bytes > self.config.max_upload_bytes {
            return Ok(Map::new());
        }
        let Ok((kind, width, height)) = measure(&fetched.bytes) else {
            return Ok(Map::new());
        };
        let Some(id) = self.store_picture(kind, fetched.bytes).await? else {
            return Ok(Map::new());
        };
        let told = json!({
            "og:image": format!("mxc://{}/{id}", self.config.server_name),
            "og:image:type": kind,
            "og:image:width": width,
            "og:image:height": height,
            "matrix:image:size": bytes,
        });
        match told {
            Value::Object(told) => Ok(told),
            _ => Ok(Map::new()),
        }
    }

    /// The media id of a picture, which may be there already; none, if the operator withholds it.
    async fn store_picture(
        &self,
        kind: &'static str,
        content: Vec<u8>,
    ) -> Result<Option<String>, MatrixError> {
        let uploading = self.gallery.uploading().await;
        let max = self.config.max_upload_bytes;
        let content = stream::iter([Ok::<_, String>(Bytes::from(content))]);
        let blob = match self.media.put(content, max).await {
            Ok(blob) => blob,
            Err(MediaError::Overloaded) => return Ok(None),
            Err(error) => return Err(super::super::refused(error)),
        };
        let (hash, now) = (blob.hash.to_string(), self.lane.progress().time);
        let look = self.lane.read(|view| {
            let there = kept::of_blob(view.db(), &hash)?;
            Ok((there, kept::expired(view.db(), now, PICTURES_FORGOTTEN)?))
        });
        let (there, expired) = look.await?;
        match there {
            Some(there) if there.quarantined => return Ok(None),
            Some(there) if there.expires.0 > now.0.saturating_add(LEFT_MS) => {
                return Ok(Some(there.id));
            }
            _ => {}
        }
        let id = self.random_name();
        let media = AddMedia {
            id: id.clone(),
            blob: hash,
            bytes: blob.bytes,
            content_type: Some(kind.to_owned()),
            filename: None,
        };
        let command = Command::KeepPicture(KeepPicture {
            media,
            lifetime_ms: KEPT_MS,
        });
        let request = self
            .lane
            .request(Actor::Platform, Priority::Background, command);
        let told = self.decide(request).await;
        drop(uploading);
        if told.is_err() {
            self.drop_unnamed(blob.hash).await;
        }
        told?;
        for blob in expired.into_iter().filter_map(|(_, blob)| blob) {
            if let Ok(blob) = blob.parse() {
                self.drop_unnamed(blob).await;
            }
        }
        Ok(Some(id))
    }
}
