//! Which blobs are media, for whoever keeps blobs.

use crate::Talk;
use async_trait::async_trait;
use bongsu_base::LogTime;
use bongsu_lane::Lane;
use bongsu_media::{BlobId, Named, NamedError};
use std::fmt;

/// Tells which blobs talk's media name. Cloning it gives another handle.
#[derive(Clone)]
pub struct NamedMedia {
    lane: Lane<Talk>,
}

impl NamedMedia {
    /// As `lane` has it.
    #[must_use]
    pub fn new(lane: Lane<Talk>) -> Self {
        Self { lane }
    }
}

impl fmt::Debug for NamedMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamedMedia")
    }
}

#[async_trait]
impl Named for NamedMedia {
    async fn as_of(&self) -> Result<LogTime, NamedError> {
        Ok(self.lane.progress().time)
    }

    async fn is_named(&self, id: BlobId) -> Result<bool, NamedError> {
        let blob = id.to_string();
        let look =
            |view: &bongsu_lane::ReadView<'_>| crate::state::media::is_named(view.db(), &blob);
        Ok(self.lane.read(look).await?)
    }

    async fn page(&self, after: Option<BlobId>, most: usize) -> Result<Vec<BlobId>, NamedError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let look = move |view: &bongsu_lane::ReadView<'_>| {
            crate::state::media::blobs_after(view.db(), &after, most)
        };
        let blobs = self.lane.read_long(look).await?;
        Ok(blobs
            .iter()
            .map(|blob| blob.parse())
            .collect::<Result<_, _>>()?)
    }
}
