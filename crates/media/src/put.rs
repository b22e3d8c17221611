//! Storing a blob.

use crate::blob::Blob;
use crate::error::MediaError;
use crate::neighbour::{Near, in_order};
use crate::open::Media;
use bongsu_store::Writer;
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt, TryStreamExt};
use std::fmt::Display;
use tokio::time::timeout;

impl Media {
    /// Stores what `content` gives, at most `max_bytes`, and returns once it is as durable as the store
    /// makes it and, across data centres, once a second one holds it. The same content again gives the
    /// same blob.
    ///
    /// # Errors
    /// [`MediaError::TooLarge`], [`MediaError::Overloaded`], [`MediaError::BrokeOff`] when `content`
    /// fails, [`MediaError::Unwritable`] when the store fails: nothing can be read under the blob's id
    /// then, unless it was there before. [`MediaError::TooFewCopies`] when no second data centre took
    /// it in time: it must not be named then, and goes with what nothing names.
    pub async fn put<E: Display>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Blob, MediaError> {
        let _place = self
            .uploads
            .try_acquire()
            .map_err(|_| MediaError::Overloaded)?;
        let draft = self.draft(content, max_bytes).await?;
        let blob = self.place(draft).await?;
        if !self.neighbours.is_empty() {
            self.second_copy(blob).await?;
        }
        Ok(blob)
    }

    /// Copies the blob, which is here, to the first data centre that takes it: the nearest, and the next one too
    /// when that fails or has not taken it soon.
    async fn second_copy(&self, blob: Blob) -> Result<(), MediaError> {
        let copied = async {
            let mut next = in_order(&self.neighbours);
            let mut under_way = FuturesUnordered::new();
            loop {
                let Some(place) = next.next() else {
                    // All are asked: whoever is first.
                    let mut taken = under_way.filter(|taken| std::future::ready(*taken));
                    return taken.next().await.is_some();
                };
                let near = &self.neighbours[place];
                under_way.push(self.try_copy(near, blob));
                match timeout(self.limits.hesitates_for, under_way.next()).await {
                    Ok(Some(true)) => return true,
                    Ok(Some(false) | None) => {}
                    // The next upload need not wait for it too.
                    Err(_) => near.did(false),
                }
            }
        };
        if timeout(self.limits.copied_within, copied).await == Ok(true) {
            self.metrics.copied.inc();
            return Ok(());
        }
        self.metrics.too_few.inc();
        tracing::error!(blob = %blob.hash, "an upload is refused: no second data centre took a copy");
        Err(MediaError::TooFewCopies)
    }

    /// Copies the blob to one data centre; whether it took it.
    async fn try_copy(&self, near: &Near, blob: Blob) -> bool {
        let taken = self.copy_to(near, blob).await;
        near.did(taken.is_ok());
        if let Err(error) = &taken {
            self.metrics.copies_failed.inc();
            tracing::warn!(data_centre = %near.data_centre, blob = %blob.hash, %error,
                "a data centre did not take a copy");
        }
        taken.is_ok()
    }

    /// It is sent even if it seems to be there: what stands there may be damaged.
    async fn copy_to(&self, near: &Near, blob: Blob) -> Result<(), MediaError> {
        let late = |_| MediaError::Stalled(near.data_centre.clone());
        let patience = self.limits.stalled_after;
        let mut pieces = self.own(blob.hash).await?.1;
        let mut writer = Writer::new(near.store.clone(), blob.hash.path());
        let sent = async {
            while let Some(piece) = pieces.try_next().await? {
                let taken = timeout(patience, writer.put(piece)).await;
                taken.map_err(late)??;
            }
            Ok::<_, MediaError>(())
        };
        if let Err(error) = sent.await {
            // It may be beyond reach; what does not end well there is dropped there.
            let _ = timeout(patience, writer.abort()).await;
            return Err(error);
        }
        // The last piece, and the whole of it becoming durable.
        let finished = timeout(2 * patience, writer.finish()).await;
        Ok(finished.map_err(late)??)
    }
}
