//! Why a blob could not be stored or read.

use crate::blob::BlobId;

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
