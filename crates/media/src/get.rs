//! Reading a blob.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::neighbour::in_order;
use crate::open::Media;
use crate::reading::{Failed, Reading, Source, whole};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::{ObjectStoreExt, Result as StoreResult};
use std::ops::Range;
use std::time::Duration;
use tokio::time::timeout;

/// A blob's content, piece by piece.
pub type Pieces = BoxStream<'static, Result<Bytes, MediaError>>;

/// Up to this length a blob is compared with its id before its first byte is given.
const SMALL: u64 = 1 << 20;
/// Up to this length a blob is compared with its id before a part of it is given.
const CHECKED_FIRST: u64 = 64 << 20;
/// For how long a comparison holds good: longer than most films are watched at one go.
const CHECKED_FOR: Duration = Duration::from_secs(10 * 60);
/// How long asking another data centre for a part may take.
const PART_WITHIN: Duration = Duration::from_secs(10);

impl Media {
    /// The blob `id` and its content: the one here, or else the nearest data centre's. It is hashed while
    /// it is read, and its last piece is held back until the hash was found right: a damaged blob ends
    /// with [`MediaError::Damaged`] and is never given whole. One of at most 1 MiB is compared before
    /// its first piece is given, and another data centre's is given in its stead. When a longer one
    /// cannot be read on, the rest is read elsewhere.
    ///
    /// # Errors
    /// [`MediaError::NotFound`], [`MediaError::OutOfReach`], [`MediaError::Damaged`], or when the store
    /// fails.
    pub async fn get(&self, id: BlobId) -> Result<(Blob, Pieces), MediaError> {
        let mut sources = Source::all(self, id);
        let mut failed = Failed::default();
        while let Some((source, found)) = Reading::open(self, id, &mut sources, &mut failed).await {
            let blob = Blob {
                hash: id,
                bytes: found.meta.size,
            };
            let reading = Reading::new(self, id, source, found, sources);
            if blob.bytes > SMALL {
                return Ok((blob, reading.pieces()));
            }
            let (read, others) = reading.whole().await;
            match read {
                Ok(content) => return Ok((blob, whole(content))),
                Err(error) => failed.merge(id, source, error),
            }
            sources = others;
        }
        Err(failed.error(id))
    }

    /// The blob `id` as it is here.
    pub(crate) async fn own(&self, id: BlobId) -> Result<(Blob, Pieces), MediaError> {
        let mut sources = Source::own_alone();
        let mut failed = Failed::default();
        match Reading::open(self, id, &mut sources, &mut failed).await {
            Some((source, found)) => {
                let blob = Blob {
                    hash: id,
                    bytes: found.meta.size,
                };
                let reading = Reading::new(self, id, source, found, sources);
                Ok((blob, reading.pieces()))
            }
            None => Err(failed.error(id)),
        }
    }

    /// The blob `id` in one piece, once it was found undamaged. For small ones: it is in memory whole.
    ///
    /// # Errors
    /// [`MediaError::NotFound`], [`MediaError::TooLarge`] when it is longer than `max_bytes`,
    /// [`MediaError::Damaged`], or when the store fails.
    pub async fn read_verified(&self, id: BlobId, max_bytes: u64) -> Result<Bytes, MediaError> {
        let (blob, mut pieces) = self.get(id).await?;
        if blob.bytes > max_bytes {
            return Err(MediaError::TooLarge { max: max_bytes });
        }
        let mut content = BytesMut::new();
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content.freeze())
    }

    /// A part of the blob `id`. The hash is over the whole blob, so a blob of at most 64 MiB is read
    /// through and compared with its id before the first part of it is given, and again after ten
    /// minutes; if it is missing or damaged it is first fetched from another data centre. A part of a
    /// longer one is given as it stands.
    ///
    /// # Errors
    /// As [`Media::get`]; also for a range that begins after the end.
    pub async fn get_range(&self, id: BlobId, range: Range<u64>) -> Result<Bytes, MediaError> {
        match self.make_sound(id).await {
            Ok(()) | Err(MediaError::Unwritable(_) | MediaError::Store(_)) => {}
            Err(error) => return Err(error),
        }
        let part = self.store.get_range(&id.path(), range.clone()).await;
        match part {
            Ok(part) => Ok(part),
            Err(error) => {
                self.sound.forget(id);
                let elsewhere = self.part_elsewhere(id, range).await;
                elsewhere.ok_or_else(|| MediaError::of_blob(id, error))
            }
        }
    }

    /// Sees to it that the blob `id` is here and is what it should be, if it is not too long for that.
    async fn make_sound(&self, id: BlobId) -> Result<(), MediaError> {
        if self.sound.has(id, CHECKED_FOR) {
            return Ok(());
        }
        let few = timeout(PART_WITHIN, self.checks.acquire()).await;
        let _few = few.map_err(|_| MediaError::OutOfReach(id))?;
        if self.sound.has(id, CHECKED_FOR) {
            return Ok(());
        }
        match self.store.head(&id.path()).await {
            Ok(meta) if meta.size > CHECKED_FIRST => return Ok(()),
            Ok(_) => match self.compare(id).await {
                Ok(_) => return Ok(()),
                Err(error) if self.neighbours.is_empty() => return Err(error),
                Err(_) => {}
            },
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) if self.neighbours.is_empty() => return Err(error.into()),
            Err(_) => {}
        }
        self.fetch(id, None).await?;
        self.sound.remember(id);
        Ok(())
    }

    /// Reads the blob `id` here and compares it with its id; gives its length.
    pub(crate) async fn compare(&self, id: BlobId) -> Result<u64, MediaError> {
        let (blob, mut pieces) = self.own(id).await?;
        while pieces.try_next().await?.is_some() {}
        self.sound.remember(id);
        Ok(blob.bytes)
    }

    /// A part that cannot be read here. It cannot be compared with anything.
    async fn part_elsewhere(&self, id: BlobId, range: Range<u64>) -> Option<Bytes> {
        for place in in_order(&self.neighbours) {
            let near = &self.neighbours[place];
            let path = id.path();
            let part = near.store.get_range(&path, range.clone());
            let part: Option<StoreResult<Bytes>> = timeout(PART_WITHIN, part).await.ok();
            if let Some(Ok(part)) = part {
                self.metrics.elsewhere.inc();
                return Some(part);
            }
        }
        None
    }

    /// The blob `id`, if it is here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn exists(&self, id: BlobId) -> Result<Option<Blob>, MediaError> {
        match self.store.head(&id.path()).await {
            Ok(meta) => Ok(Some(Blob {
                hash: id,
                bytes: meta.size,
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the blob `id`; when there is none, nothing happens. Across data centres nothing happens
    /// either: somebody may be about to name it elsewhere, so it goes with what nothing names
    /// ([`crate::Repair`]).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, id: BlobId) -> Result<(), MediaError> {
        if !self.neighbours.is_empty() {
            return Ok(());
        }
        self.sound.forget(id);
        match self.store.delete(&id.path()).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            done => Ok(done?),
        }
    }
}
