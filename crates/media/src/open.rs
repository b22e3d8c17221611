//! Opening a store of blobs.

use crate::error::MediaError;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The folder in which uploads stand until they are whole.
pub(crate) const UPLOADS: &str = "uploads";

/// How much may go on at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uploads at the same time. Each holds up to two pieces of 5 MiB in memory.
    pub uploads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { uploads: 8 }
    }
}

/// A store of blobs. Cloning it gives another handle to the same store with the same limits.
#[derive(Debug, Clone)]
pub struct Media {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) uploads: Arc<Semaphore>,
}

impl Media {
    /// Blobs in `store`. How durable a blob is once it was put is the store's affair.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, limits: Limits) -> Self {
        Self {
            store,
            uploads: Arc::new(Semaphore::new(limits.uploads)),
        }
    }

    /// Blobs in the folder `root`, which is made if it is missing and belongs to this process alone.
    /// What uploads left there in a crash is removed. A blob is on the disk once it was put.
    ///
    /// # Errors
    /// When the folder cannot be made, read or swept.
    pub fn local(root: &Path, limits: Limits) -> Result<Self, MediaError> {
        let failed = |error| MediaError::Folder {
            path: root.to_owned(),
            error,
        };
        std::fs::create_dir_all(root).map_err(failed)?;
        sweep(&root.join(UPLOADS)).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(root)?.with_fsync(true);
        Ok(Self::new(Arc::new(store), limits))
    }
}

/// Removes what stands in the folder of uploads. The object store cannot: it hides the names under
/// which it writes.
fn sweep(uploads: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(uploads) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut swept = 0;
    for entry in entries {
        std::fs::remove_file(entry?.path())?;
        swept += 1;
    }
    if swept > 0 {
        tracing::info!(swept, "removed uploads that had broken off");
    }
    Ok(())
}
