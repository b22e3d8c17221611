//! Storing a blob.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::open::{Media, UPLOADS};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use std::fmt::Display;
use std::pin::pin;

/// How much is written at once: the least that S3 takes as a part.
const PIECE: usize = 5 << 20;
/// Pieces of one upload that may be on their way to the store while the next one arrives.
const IN_FLIGHT: usize = 1;

impl Media {
    /// Stores what `content` gives, at most `max_bytes`, and returns once it is as durable as the store
    /// makes it. The same content again gives the same blob.
    ///
    /// # Errors
    /// [`MediaError::TooLarge`], [`MediaError::Overloaded`], [`MediaError::BrokeOff`] when `content`
    /// fails, or when the store fails. Nothing can be read under the blob's id then, unless it was
    /// there before.
    pub async fn put<E: Display>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Blob, MediaError> {
        let permit = self
            .uploads
            .try_acquire()
            .map_err(|_| MediaError::Overloaded)?;
        let draft = Path::from_iter([UPLOADS, &fresh_name()?]);
        let upload = self.store.put_multipart(&draft).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE);
        let blob = match write(&mut writer, content, max_bytes).await {
            Ok(blob) => blob,
            Err(error) => {
                if let Err(error) = writer.abort().await {
                    tracing::warn!(%error, "an upload that broke off could not be removed");
                }
                return Err(error);
            }
        };
        writer.finish().await?;
        // Over what may stand there: it is the same content, or damaged.
        self.store.rename(&draft, &blob.hash.path()).await?;
        drop(permit);
        Ok(blob)
    }
}

async fn write<E: Display>(
    writer: &mut WriteMultipart,
    content: impl Stream<Item = Result<Bytes, E>>,
    max_bytes: u64,
) -> Result<Blob, MediaError> {
    let mut content = pin!(content);
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0_u64;
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(|error| MediaError::BrokeOff(error.to_string()))?;
        bytes = bytes.saturating_add(piece.len() as u64);
        if bytes > max_bytes {
            return Err(MediaError::TooLarge { max: max_bytes });
        }
        hasher.update(&piece);
        writer.wait_for_capacity(IN_FLIGHT).await?;
        writer.put(piece);
    }
    Ok(Blob {
        hash: BlobId::from_bytes(*hasher.finalize().as_bytes()),
        bytes,
    })
}

/// A name that no other upload has, in no process.
fn fresh_name() -> Result<String, MediaError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| {
        MediaError::Store(object_store::Error::Generic {
            store: "media",
            source: Box::new(error),
        })
    })?;
    Ok(data_encoding::HEXLOWER.encode(&name))
}
