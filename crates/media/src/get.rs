//! Reading a blob.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::open::Media;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, try_unfold};
use futures_util::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use std::ops::Range;

/// A blob's content, piece by piece.
pub type Pieces = BoxStream<'static, Result<Bytes, MediaError>>;

impl Media {
    /// The blob `id` and its content. It is hashed while it is read, and its last piece is held back
    /// until the hash was found right: a damaged blob ends with [`MediaError::Damaged`] and is never
    /// given whole.
    ///
    /// # Errors
    /// [`MediaError::NotFound`], or when the store fails.
    pub async fn get(&self, id: BlobId) -> Result<(Blob, Pieces), MediaError> {
        let found = self.store.get(&id.path()).await;
        let found = found.map_err(|error| MediaError::of_blob(id, error))?;
        let blob = Blob {
            hash: id,
            bytes: found.meta.size,
        };
        Ok((blob, checked(id, found.into_stream())))
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

    /// A part of the blob `id`. The hash is over the whole blob, so damage cannot be noticed here;
    /// whoever puts the parts together has the id to check them by.
    ///
    /// # Errors
    /// [`MediaError::NotFound`], or when the store fails; also for a range that begins after the end.
    pub async fn get_range(&self, id: BlobId, range: Range<u64>) -> Result<Bytes, MediaError> {
        let part = self.store.get_range(&id.path(), range).await;
        part.map_err(|error| MediaError::of_blob(id, error))
    }

    /// The blob `id`, if it is there.
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

    /// Removes the blob `id`; when there is none, nothing happens.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, id: BlobId) -> Result<(), MediaError> {
        match self.store.delete(&id.path()).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            done => Ok(done?),
        }
    }
}

/// What is known of a blob while it is read.
struct Reading {
    id: BlobId,
    source: BoxStream<'static, object_store::Result<Bytes>>,
    hasher: blake3::Hasher,
    held: Option<Bytes>,
    ended: bool,
}

fn checked(id: BlobId, source: BoxStream<'static, object_store::Result<Bytes>>) -> Pieces {
    let hasher = blake3::Hasher::new();
    let reading = Reading {
        id,
        source,
        hasher,
        held: None,
        ended: false,
    };
    try_unfold(reading, |mut reading| async move {
        let piece = reading.next().await?;
        Ok(piece.map(|piece| (piece, reading)))
    })
    .boxed()
}

impl Reading {
    /// The next piece that may be given away: always one less than was read, until the end is good.
    async fn next(&mut self) -> Result<Option<Bytes>, MediaError> {
        while !self.ended {
            match self.source.try_next().await? {
                Some(piece) => {
                    self.hasher.update(&piece);
                    if let Some(piece) = self.held.replace(piece) {
                        return Ok(Some(piece));
                    }
                }
                None => {
                    self.ended = true;
                    self.compare()?;
                }
            }
        }
        Ok(self.held.take())
    }

    fn compare(&self) -> Result<(), MediaError> {
        let found = BlobId::from_bytes(*self.hasher.finalize().as_bytes());
        if found == self.id {
            return Ok(());
        }
        let error = MediaError::Damaged {
            id: self.id,
            what: format!("its content has the hash {found}"),
        };
        tracing::error!(%error, "restore it from a backup or upload it again");
        Err(error)
    }
}
