//! Removing blobs that no media names.

use super::super::Api;
use crate::state::media;
use bongsu_lane::ReadError;
use bongsu_media::BlobId;

impl Api {
    /// The blobs of these media, as far as there are such.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub(in crate::http) async fn blobs_of(&self, ids: &[String]) -> Result<Vec<BlobId>, ReadError> {
        let look = self.lane.read(|view| {
            let items = ids.iter().map(|id| media::item(view.db(), id));
            items.collect::<rusqlite::Result<Vec<_>>>()
        });
        let items = look.await?.into_iter().flatten();
        Ok(items.filter_map(|item| item.blob.parse().ok()).collect())
    }

    /// Removes those of `blobs` that no media names any more.
    pub(in crate::http) async fn drop_blobs(&self, blobs: Vec<BlobId>) {
        for blob in blobs {
            self.drop_unnamed(blob).await;
        }
    }

    /// Removes a blob that no media names. While uploads run it is left: one of them may be the same
    /// content, stored but not known as media yet. A blob too many costs space alone.
    pub(in crate::http) async fn drop_unnamed(&self, blob: BlobId) {
        let Some(_alone) = self.gallery.alone() else {
            tracing::info!(%blob, "left a blob that no media names: uploads run");
            return;
        };
        let text = blob.to_string();
        let named = self.lane.read(|view| media::is_named(view.db(), &text));
        match named.await {
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = self.media.delete(blob).await {
                    tracing::warn!(%blob, %error, "a blob that no media names could not be removed");
                }
            }
            Err(error) => tracing::warn!(%blob, %error, "left a blob: the view cannot be read"),
        }
    }
}
