//! Writing a file whose length is not known before.

use bytes::Bytes;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Error, ObjectStore, Result};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// How much is written at once: the least that S3 takes as a part. What is shorter is one request.
const PIECE: usize = 5 << 20;
/// Pieces that may be on their way to the store while the next one arrives.
const IN_FLIGHT: usize = 1;

/// A file that is being written. It holds two pieces of 5 MiB at most, and is nowhere to be seen before it
/// is finished.
#[derive(Debug)]
pub struct Writer(BufWriter);

impl Writer {
    /// The file `path` in `store`. Nothing is written yet.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self(BufWriter::with_capacity(store, path, PIECE).with_max_concurrency(IN_FLIGHT))
    }

    /// Writes on, once there is room.
    ///
    /// # Errors
    /// When the store fails; it is of no use then, and is to be aborted.
    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        self.0.put(bytes).await
    }

    /// Has the file appear, over what may be there.
    ///
    /// # Errors
    /// When the store fails; nothing is left of the file then, as far as the store can be reached.
    pub async fn finish(mut self) -> Result<()> {
        self.0.shutdown().await.map_err(|error| {
            error
                .downcast::<Error>()
                .unwrap_or_else(|error| Error::Generic {
                    store: "writer",
                    source: Box::new(error),
                })
        })
    }

    /// Leaves nothing of it, as far as the store can be reached.
    pub async fn abort(mut self) {
        if let Err(error) = self.0.abort().await {
            tracing::warn!(%error, "what was written of a file could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn a_file_appears_when_it_is_finished() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from("file");
        for pieces in [0, 1, 3, 20] {
            let write = async || {
                let mut writer = Writer::new(store.clone(), path.clone());
                for n in 0..pieces {
                    let piece = Bytes::from(vec![n; 1_000_003]);
                    writer.put(piece).await.expect("there is room");
                }
                writer
            };
            write().await.abort().await;
            assert!(store.head(&path).await.is_err());
            write().await.finish().await.expect("there is room");
            let whole: Vec<u8> = (0..pieces).flat_map(|n| vec![n; 1_000_003]).collect();
            let read = store.get(&path).await.expect("it is there").bytes().await;
            assert!(read.expect("it is there") == whole);
            store.delete(&path).await.expect("it is there");
        }
    }
}
