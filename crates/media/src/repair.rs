//! Keeping what is named, and nothing else, and all of it sound.

mod pass;
mod scrub;
mod sweep;

pub use pass::Passed;
pub use scrub::Scrubbed;

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::named::Named;
use crate::open::Media;
use bongsu_base::Millis;
use bongsu_store::Pace;
use futures_util::TryStreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How much the repair may do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The time between two passes over all named blobs, and between two scrubs.
    pub every: Duration,
    /// Blobs that are fetched at the same time.
    pub fetches: usize,
    /// Bytes that are fetched a second.
    pub fetched_bytes_a_second: u64,
    /// Bytes that are read a second to compare blobs with their ids.
    pub scrubbed_bytes_a_second: u64,
    /// How long a blob is kept after it was last written though nothing names it. It has to be longer
    /// than an upload takes from the moment at which a data centre holds the blob until it is named,
    /// and than clocks differ.
    pub kept_unnamed: Millis,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60 * 60),
            fetches: 4,
            fetched_bytes_a_second: 32 << 20,
            scrubbed_bytes_a_second: 4 << 20,
            kept_unnamed: Millis(24 * 60 * 60 * 1000),
        }
    }
}

/// Sees to it that every blob that is named is here and sound, and that what nothing names goes.
#[derive(Debug)]
pub struct Repair {
    media: Media,
    named: Arc<dyn Named>,
    plan: Plan,
    fetching: Pace,
    scrubbing: Pace,
}

impl Repair {
    /// For the blobs of `media` that `named` tells of.
    #[must_use]
    pub fn new(media: Media, named: Arc<dyn Named>, plan: Plan) -> Self {
        Self {
            media,
            named,
            fetching: Pace::new(plan.fetched_bytes_a_second),
            scrubbing: Pace::new(plan.scrubbed_bytes_a_second),
            plan,
        }
    }

    /// Goes on until `stopping` is true: a pass now and then, a slow scrub, and what readers missed at
    /// once. What fails is told in the log and in the metrics, and tried again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let works = async {
            tokio::join!(self.passes(), self.scrubs(), self.missed());
        };
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => {}
            () = works => {}
        }
    }

    async fn passes(&self) {
        loop {
            match self.pass().await {
                Ok(Passed { missing: 0, .. }) => {}
                Ok(passed) => tracing::error!(
                    missing = passed.missing,
                    "blobs are missing that no other data centre could give; they are tried again"
                ),
                Err(error) => tracing::error!(%error, "a pass over the blobs broke off"),
            }
            tokio::time::sleep(self.plan.every).await;
        }
    }

    async fn scrubs(&self) {
        loop {
            if let Err(error) = self.scrub().await {
                tracing::error!(%error, "reading through the blobs broke off");
            }
            tokio::time::sleep(self.plan.every).await;
        }
    }

    async fn missed(&self) {
        loop {
            let id = self.media.wanted.next().await;
            // It may have come, or have been replaced, since it was missed.
            if self.media.compare(id).await.is_err()
                && let Err(error) = self.media.fetch(id, Some(&self.fetching)).await
            {
                tracing::warn!(%error, "a blob that was missed could not be fetched");
            }
        }
    }

    /// The blobs in this folder, by id.
    async fn held(&self, folder: u8) -> Result<Vec<Blob>, MediaError> {
        let found = self.media.store.list(Some(&BlobId::folder_path(folder)));
        let found = found.try_filter_map(|meta| {
            let blob = BlobId::at(&meta.location).map(|hash| Blob {
                hash,
                bytes: meta.size,
            });
            std::future::ready(Ok(blob))
        });
        let mut held: Vec<_> = found.try_collect().await?;
        held.sort_unstable_by_key(|blob| blob.hash);
        Ok(held)
    }
}
