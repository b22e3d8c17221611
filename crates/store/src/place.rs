//! A folder or a bucket.

use crate::s3::Bucket;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use std::path::PathBuf;
use std::sync::Arc;

/// Where files are kept.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this folder, on the disk (`fsync` of file and folder) once they are written.
    Folder(PathBuf),
    /// In this bucket.
    S3(Bucket),
}

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The folder could not be made.
    #[error("the folder {path}: {error}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// The certificates to trust could not be read.
    #[error("the certificates in {path}: {why}", path = path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system knows no certificates to trust.
    #[error(
        "this machine trusts no certificates: install the package ca-certificates, or name a file of them"
    )]
    NoRoots,
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The store refused its options.
    #[error("the store cannot be used: {0}")]
    Store(#[from] object_store::Error),
}

impl Place {
    /// Opens it; a folder is made if it is missing. Nothing is asked of a bucket yet.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, PlaceError> {
        match self {
            Self::Folder(path) => {
                std::fs::create_dir_all(path).map_err(|error| PlaceError::Folder {
                    path: path.clone(),
                    error,
                })?;
                let store = LocalFileSystem::new_with_prefix(path)?;
                Ok(Arc::new(store.with_fsync(true)))
            }
            Self::S3(bucket) => bucket.open(),
        }
    }
}
