//! Walking over all blobs.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::open::Media;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;

/// What a walk over all blobs found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Blobs that are what their ids say.
    pub good: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The others, each with what is wrong.
    pub bad: Vec<MediaError>,
    /// Where something stands that is no blob.
    pub strangers: Vec<String>,
}

impl Media {
    /// All blobs, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<Blob>, MediaError> {
        Ok(self.walk().await?.0)
    }

    /// The blobs that were last written not later than `before`, in milliseconds since 1970 by the store's
    /// clock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn written_before(&self, before: i64) -> Result<Vec<BlobId>, MediaError> {
        let prefix = Path::from(crate::blob::BLOBS);
        let mut objects = self.store.list(Some(&prefix));
        let mut blobs = Vec::new();
        while let Some(object) = objects.next().await {
            let object = object?;
            if object.last_modified.timestamp_millis() <= before {
                blobs.extend(BlobId::at(&object.location));
            }
        }
        Ok(blobs)
    }

    /// Reads every blob and compares it with its id. `progress` is told the bytes read so far, and how
    /// many there are.
    ///
    /// # Errors
    /// When the blobs cannot be listed. One that cannot be read is among the bad ones.
    pub async fn verify(&self, mut progress: impl FnMut(u64, u64)) -> Result<Verified, MediaError> {
        let (blobs, strangers) = self.walk().await?;
        let total = blobs.iter().map(|blob| blob.bytes).sum();
        let mut verified = Verified {
            strangers,
            ..Verified::default()
        };
        let mut done = 0;
        for blob in blobs {
            match self
                .read_through(blob.hash, |bytes| progress(done + bytes, total))
                .await
            {
                Ok(()) => {
                    verified.good += 1;
                    verified.bytes += blob.bytes;
                }
                Err(error) => verified.bad.push(error),
            }
            done += blob.bytes;
        }
        Ok(verified)
    }

    async fn read_through(&self, id: BlobId, mut seen: impl FnMut(u64)) -> Result<(), MediaError> {
        let (_, mut pieces) = self.own(id).await?;
        let mut bytes = 0;
        while let Some(piece) = pieces.try_next().await? {
            bytes += piece.len() as u64;
            seen(bytes);
        }
        Ok(())
    }

    async fn walk(&self) -> Result<(Vec<Blob>, Vec<String>), MediaError> {
        let prefix = Path::from(crate::blob::BLOBS);
        let mut objects = self.store.list(Some(&prefix));
        let (mut blobs, mut strangers) = (Vec::new(), Vec::new());
        while let Some(object) = objects.next().await {
            let object = object?;
            match BlobId::at(&object.location) {
                Some(hash) => blobs.push(Blob {
                    hash,
                    bytes: object.size,
                }),
                None => strangers.push(object.location.to_string()),
            }
        }
        blobs.sort_unstable_by_key(|blob| blob.hash);
        Ok((blobs, strangers))
    }
}
