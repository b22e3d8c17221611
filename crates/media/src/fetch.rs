//! Bringing a blob here from another data centre.

use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::neighbour::in_order;
use crate::open::Media;
use bongsu_store::Pace;
use futures_util::TryStreamExt;

impl Media {
    /// Replaces what is here of the blob `id` by the nearest data centre's that is sound.
    ///
    /// # Errors
    /// [`MediaError::NotFound`] when none has it, [`MediaError::Damaged`] when all that have it hold
    /// something else, [`MediaError::OutOfReach`] when some cannot be asked,
    /// [`MediaError::Unwritable`] when the store here takes nothing.
    pub(crate) async fn fetch(&self, id: BlobId, pace: Option<&Pace>) -> Result<Blob, MediaError> {
        let mut failed = MediaError::NotFound(id);
        for place in in_order(&self.neighbours) {
            match self.fetch_from(place, id, pace).await {
                Ok(blob) => {
                    self.metrics.repaired.inc();
                    self.metrics.repaired_bytes.inc_by(blob.bytes);
                    tracing::info!(blob = %id, data_centre = %self.neighbours[place].data_centre,
                        "replaced a blob by another data centre's");
                    return Ok(blob);
                }
                Err(MediaError::NotFound(_)) => {}
                Err(error @ MediaError::Unwritable(_)) => {
                    failed = error;
                    break;
                }
                Err(error) => {
                    tracing::warn!(blob = %id, data_centre = %self.neighbours[place].data_centre,
                        %error, "a blob could not be fetched there");
                    failed = match error {
                        MediaError::Damaged { .. } => error,
                        _ => MediaError::OutOfReach(id),
                    };
                }
            }
        }
        self.metrics.unrepaired.inc();
        Err(failed)
    }

    async fn fetch_from(
        &self,
        place: usize,
        id: BlobId,
        pace: Option<&Pace>,
    ) -> Result<Blob, MediaError> {
        let (bytes, pieces) = self.stream_from(place, id).await?;
        let pieces = pieces.and_then(|piece| async move {
            if let Some(pace) = pace {
                pace.take(piece.len()).await;
            }
            Ok(piece)
        });
        let draft = self.draft(pieces, bytes).await?;
        self.place_as(id, draft).await
    }
}
