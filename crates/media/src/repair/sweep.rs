//! Removing what nothing names.

use super::Repair;
use crate::blob::BlobId;
use crate::error::MediaError;
use crate::open::UPLOADS;
use bongsu_base::LogTime;
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

impl Repair {
    /// Removes the blob, unless it is named, or was written so lately that it may be about to be.
    ///
    /// Every upload writes its blob in the data centres that hold it, over what is there, and names it
    /// later. So a blob that is older, by the view's time, than the longest way from the one to the other,
    /// and that the view does not name, is on nobody's way to being named. A view that lags behind says
    /// so by its time, and removes nothing. Nothing takes the blob's place here while this looks.
    pub(super) async fn sweep(&self, id: BlobId) -> Result<bool, MediaError> {
        let _no_placing = self.media.placing.write().await;
        let as_of = self.named.as_of().await.map_err(MediaError::Named)?;
        if self.named.is_named(id).await.map_err(MediaError::Named)? {
            return Ok(false);
        }
        match self.media.store.head(&id.path()).await {
            Ok(meta) if self.is_old(&meta, as_of) => {}
            Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.media.sound.forget(id);
        self.remove(&id.path()).await?;
        tracing::info!(blob = %id, "removed a blob that nothing names");
        Ok(true)
    }

    /// Removes uploads that broke off so badly that nobody could.
    pub(super) async fn sweep_drafts(&self) -> Result<u64, MediaError> {
        let as_of = self.named.as_of().await.map_err(MediaError::Named)?;
        let mut drafts = self.media.store.list(Some(&Path::from(UPLOADS)));
        let mut swept = 0;
        while let Some(meta) = drafts.next().await {
            let meta = meta?;
            if self.is_old(&meta, as_of) {
                self.remove(&meta.location).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn is_old(&self, meta: &ObjectMeta, as_of: LogTime) -> bool {
        let kept_until = meta
            .last_modified
            .timestamp_millis()
            .saturating_add(self.plan.kept_unnamed.0);
        kept_until <= as_of.0
    }

    async fn remove(&self, path: &Path) -> Result<(), MediaError> {
        match self.media.store.delete(path).await {
            Ok(()) => {
                self.media.metrics.swept.inc();
                Ok(())
            }
            // Another process of this data centre was faster.
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
