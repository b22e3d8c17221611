//! Why a blob could not be stored or read.

use crate::blob::BlobId;
use bongsu_base::DataCentre;

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// It is longer than allowed; nothing was kept.
    #[error("the file is larger than {max} bytes")]
    TooLarge {
        /// The most that is taken.
        max: u64,
    },
    /// As many uploads as are allowed run already; try again later.
    #[error("too many uploads run at the same time; try again in a moment")]
    Overloaded,
    /// The sender broke off; nothing was kept.
    #[error("the upload broke off: {0}")]
    BrokeOff(String),
    /// The store takes nothing: its disk is full, say. Nothing was kept; try again later.
    #[error("the media store takes nothing at the moment: {0}")]
    Unwritable(object_store::Error),
    /// It is in one data centre alone, which could be lost with it; try again later.
    #[error("no second data centre takes the file at the moment; try again in a moment")]
    TooFewCopies,
    /// Another data centre takes too long for a piece.
    #[error("the data centre {0} takes too long")]
    Stalled(DataCentre),
    /// It is not here, and not all data centres that may have it can be asked; try again later.
    #[error("blob {0} is not here, and not every other data centre can be reached")]
    OutOfReach(BlobId),
    /// There is no such blob.
    #[error("there is no blob {0}")]
    NotFound(BlobId),
    /// What is stored is not what was written.
    #[error("blob {id} is damaged: {what}")]
    Damaged {
        /// The blob.
        id: BlobId,
        /// What is wrong with it.
        what: String,
    },
    /// The store failed.
    #[error("the media store failed: {0}")]
    Store(object_store::Error),
    /// The store's folder could not be made or swept.
    #[error("the media folder {path}: {error}", path = path.display())]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// Which blobs are named could not be found out.
    #[error("which blobs are named cannot be read: {0}")]
    Named(Box<dyn std::error::Error + Send + Sync>),
}

impl MediaError {
    /// What an error of the store means for the blob `id`.
    pub(crate) fn of_blob(id: BlobId, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound(id),
            error => Self::Store(error),
        }
    }
}

impl From<object_store::Error> for MediaError {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}
