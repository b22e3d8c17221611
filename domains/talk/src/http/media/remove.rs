//! What the operator does with media: deleting it, withholding it.

use super::super::Api;
use crate::command::Command;
use crate::state::media;
use bongsu_lane::{Actor, Priority};
use bongsu_media::BlobId;
use bongsu_web_kit::matrix::MatrixError;

impl Api {
    /// Deletes the media `id`, and its blob if no other media is the same.
    ///
    /// # Errors
    /// 404 when there is none, or when the lane or the view fails.
    pub async fn delete_media(&self, id: &str) -> Result<(), MatrixError> {
        let item = self.lane.read(|view| media::item(view.db(), id)).await?;
        self.as_operator(Command::DeleteMedia(id.to_owned()))
            .await?;
        if let Some(Ok(blob)) = item.map(|item| item.blob.parse()) {
            self.drop_unnamed(blob).await;
        }
        Ok(())
    }

    /// Withholds the media `id` from everybody, or gives it back.
    ///
    /// # Errors
    /// 404 when there is none, or when the lane fails.
    pub async fn quarantine_media(&self, id: &str, quarantined: bool) -> Result<(), MatrixError> {
        let id = id.to_owned();
        self.as_operator(Command::QuarantineMedia { id, quarantined })
            .await
    }

    async fn as_operator(&self, command: Command) -> Result<(), MatrixError> {
        let request = self
            .lane
            .request(Actor::Operator, Priority::Normal, command);
        self.decide(request).await.map(drop)
    }

    /// Removes a blob that no media names. While uploads run it is left: one of them may be the same
    /// content, stored but not known as media yet. A blob too many costs space alone.
    pub(super) async fn drop_unnamed(&self, blob: BlobId) {
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
