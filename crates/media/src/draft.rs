//! Writing a blob before its id is known, and giving it its place.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::open::{Media, UPLOADS};
use bongsu_store::Writer;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::fmt::Display;
use std::pin::pin;

/// What was written whole, and stands nowhere yet.
pub(crate) struct Draft {
    path: Path,
    pub(crate) blob: Blob,
}

impl Media {
    /// Writes what `content` gives, at most `max_bytes`. What fails leaves nothing.
    pub(crate) async fn draft<E: Display>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Draft, MediaError> {
        let path = draft_path()?;
        let mut writer = Writer::new(self.store.clone(), path.clone());
        match write(&mut writer, content, max_bytes).await {
            Ok(blob) => {
                writer.finish().await.map_err(MediaError::Unwritable)?;
                Ok(Draft { path, blob })
            }
            Err(error) => {
                writer.abort().await;
                Err(error)
            }
        }
    }

    /// Gives it its place, over what may stand there: that is the same content, or damaged.
    pub(crate) async fn place(&self, draft: Draft) -> Result<Blob, MediaError> {
        let Draft { path, blob } = draft;
        let set = self.set(&path, blob.hash).await;
        set.map(|()| blob).map_err(MediaError::Unwritable)
    }

    /// Sets what is whole at `draft`, and is the blob `id`, in its place.
    pub(crate) async fn set(&self, draft: &Path, id: BlobId) -> object_store::Result<()> {
        let _no_sweep = self.placing.read().await;
        self.store.rename(draft, &id.path()).await?;
        self.damaged.forget(id);
        Ok(())
    }

    /// Gives it its place if it is the blob `id`, and removes it otherwise.
    pub(crate) async fn place_as(&self, id: BlobId, draft: Draft) -> Result<Blob, MediaError> {
        if draft.blob.hash == id {
            return self.place(draft).await;
        }
        let what = format!("its content has the hash {}", draft.blob.hash);
        if let Err(error) = self.store.delete(&draft.path).await {
            tracing::warn!(%error, "a damaged copy of a blob could not be removed");
        }
        Err(MediaError::Damaged { id, what })
    }
}

async fn write<E: Display>(
    writer: &mut Writer,
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
        let written = writer.put(piece).await;
        written.map_err(MediaError::Unwritable)?;
    }
    Ok(Blob {
        hash: BlobId::from_bytes(*hasher.finalize().as_bytes()),
        bytes,
    })
}

/// A name that no other upload has, in no process.
pub(crate) fn draft_path() -> Result<Path, MediaError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| {
        MediaError::Store(object_store::Error::Generic {
            store: "media",
            source: Box::new(error),
        })
    })?;
    Ok(Path::from_iter([
        UPLOADS,
        &data_encoding::HEXLOWER.encode(&name),
    ]))
}
