//! Reading through all blobs, slowly.

use super::Repair;
use crate::blob::Blob;
use crate::error::MediaError;
use futures_util::TryStreamExt;

/// What reading through all blobs found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// Blobs that are what their ids say.
    pub sound: u64,
    /// Those that were damaged or could not be read, and were replaced by another data centre's.
    pub repaired: u64,
    /// Those that were, and could not be replaced.
    pub damaged: u64,
}

impl Repair {
    /// Compares every blob here with its id, at the plan's pace, and replaces those that are damaged. It
    /// begins at any of the folders, so that a process that does not live to see the end of it does
    /// not read the same ones again and again.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn scrub(&self) -> Result<Scrubbed, MediaError> {
        let mut first = [0];
        // Without chance it begins at the first one.
        let _ = getrandom::fill(&mut first);
        let mut scrubbed = Scrubbed::default();
        for step in 0..=u8::MAX {
            for blob in self.held(first[0].wrapping_add(step)).await? {
                self.scrub_one(blob, &mut scrubbed).await;
            }
        }
        Ok(scrubbed)
    }

    async fn scrub_one(&self, blob: Blob, scrubbed: &mut Scrubbed) {
        let read = self.read_through(blob).await;
        self.media.metrics.scrubbed_bytes.inc_by(blob.bytes);
        match read {
            Ok(()) => scrubbed.sound += 1,
            // It was removed, or is on its way out.
            Err(MediaError::NotFound(_)) => {}
            Err(error) => {
                tracing::error!(%error, "a blob here is not what it should be");
                match self.media.fetch(blob.hash, Some(&self.fetching)).await {
                    Ok(_) => scrubbed.repaired += 1,
                    Err(_) => scrubbed.damaged += 1,
                }
            }
        }
    }

    async fn read_through(&self, blob: Blob) -> Result<(), MediaError> {
        let (_, mut pieces) = self.media.own(blob.hash).await?;
        while let Some(piece) = pieces.try_next().await? {
            self.scrubbing.take(piece.len()).await;
        }
        Ok(())
    }
}
