//! Uploads, downloads and thumbnails. What is stored is the blob; that there is such media is a command.

mod download;
mod gallery;
mod headers;
mod open;
mod picture;
mod preview;
mod range;
mod remove;
mod reserve;
mod thumbnail;
mod upload;

pub use download::{download, download_as};
pub use gallery::Gallery;
pub use open::serve_open;
pub use preview::{Previews, preview, preview_before_v1_11};
pub use reserve::reserve;
pub use thumbnail::thumbnail;
pub use upload::{upload, upload_to};

use super::Api;
use crate::apply::media_topic;
use crate::state::media::{self, MediaItem};
use axum::extract::State;
use bongsu_media::MediaError;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::authenticated_media::get_media_config;
use ruma::api::error::ErrorKind;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that a client waits for content that is still to come.
const LONGEST: Duration = Duration::from_secs(60);

/// What the operator decides about media.
#[derive(Debug, Clone)]
pub struct MediaRules {
    /// How many bytes one person's uploads may come to.
    pub quota_bytes: Option<u64>,
    /// How many media ids one person may have whose content has not come.
    pub most_reserved: u32,
    /// For how long such an id may be used.
    pub reserved_for: Duration,
    /// Whether media is given to whoever asks, at the deprecated paths that know no token. Clients from
    /// before Matrix v1.11 need it.
    pub open_downloads: bool,
}

impl Default for MediaRules {
    fn default() -> Self {
        Self {
            quota_bytes: None,
            most_reserved: 5,
            reserved_for: Duration::from_secs(24 * 60 * 60),
            open_downloads: false,
        }
    }
}

/// When to ask again: another data centre may have it at once.
const SOON: Duration = Duration::from_secs(1);

fn refused(error: MediaError) -> MatrixError {
    match error {
        MediaError::TooLarge { .. } => MatrixError::too_large(error.to_string()),
        MediaError::Overloaded => MatrixError::limited(SOON, error.to_string()),
        MediaError::BrokeOff(_) => MatrixError::bad_json(error.to_string()),
        MediaError::NotFound(_) => no_such_media(),
        MediaError::Unwritable(_)
        | MediaError::TooFewCopies
        | MediaError::Stalled(_)
        | MediaError::OutOfReach(_) => {
            tracing::error!(%error, "media can be neither stored nor read at the moment");
            MatrixError::unavailable(SOON, "media is out of reach; try again in a moment")
        }
        MediaError::Damaged { .. }
        | MediaError::Store(_)
        | MediaError::Folder { .. }
        | MediaError::Named(_) => MatrixError::internal(error),
    }
}

fn no_such_media() -> MatrixError {
    MatrixError::not_found("there is no such media")
}

impl Api {
    /// The media `id` of `server`; while its content is still to come, waits for it.
    async fn find_media(
        &self,
        server: &str,
        id: &str,
        patience: Duration,
    ) -> Result<MediaItem, MatrixError> {
        if server != self.config.server_name.as_str() {
            return Err(MatrixError::not_found("media of other servers is not here"));
        }
        let deadline = Instant::now() + patience.min(LONGEST);
        loop {
            let waiter = self.lane.wake().listen(&[media_topic(id)]);
            let look = self.lane.read(|view| {
                let item = media::item(view.db(), id)?;
                Ok((item, media::reserved(view.db(), id)?))
            });
            match look.await? {
                (Some(item), _) if !item.quarantined => return Ok(item),
                (None, Some(reserved)) if reserved.expires > self.lane.progress().time => {}
                _ => return Err(no_such_media()),
            }
            if timeout_at(deadline, waiter.woken()).await.is_err() {
                return Err(MatrixError::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    ErrorKind::NotYetUploaded,
                    "the content of this media has not come yet; try again",
                ));
            }
        }
    }
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
