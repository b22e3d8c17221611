//! Opening a store of blobs.

use crate::error::MediaError;
use crate::known::Known;
use crate::metrics::MediaMetrics;
use crate::neighbour::{Near, Neighbour};
use crate::wanted::Wanted;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, Semaphore};

/// The folder in which uploads stand until they are whole.
pub(crate) const UPLOADS: &str = "uploads";
/// Blobs that are read through at the same time before a part of them is given.
const CHECKS: usize = 8;

/// How much may go on at the same time, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uploads at the same time. Each holds up to two pieces of 5 MiB in memory.
    pub uploads: usize,
    /// How long a blob may be on its way to a second data centre, whichever takes it.
    pub copied_within: Duration,
    /// How long a data centre may take for a copy before the next one is sent one too.
    pub hesitates_for: Duration,
    /// How long a data centre may take for a piece of a blob before another one is asked.
    pub stalled_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            uploads: 8,
            copied_within: Duration::from_secs(120),
            hesitates_for: Duration::from_millis(700),
            stalled_after: Duration::from_secs(10),
        }
    }
}

/// A store of blobs. Cloning it gives another handle to the same store with the same limits.
#[derive(Debug, Clone)]
pub struct Media {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Nearest first.
    pub(crate) neighbours: Arc<[Near]>,
    pub(crate) limits: Limits,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) checks: Arc<Semaphore>,
    /// Read while a blob takes its place, written while one is looked at and removed.
    pub(crate) placing: Arc<RwLock<()>>,
    /// Those here that were read and compared with their ids.
    pub(crate) sound: Arc<Known>,
    /// Those here that were found damaged, and were not replaced yet.
    pub(crate) damaged: Arc<Known>,
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) metrics: MediaMetrics,
}

impl Media {
    /// Blobs in `store`. How durable a blob is once it was put is the store's affair.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, limits: Limits) -> Self {
        Self {
            store,
            neighbours: Arc::new([]),
            limits,
            uploads: Arc::new(Semaphore::new(limits.uploads)),
            checks: Arc::new(Semaphore::new(CHECKS)),
            placing: Arc::default(),
            sound: Arc::default(),
            damaged: Arc::default(),
            wanted: Arc::default(),
            metrics: MediaMetrics::default(),
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

    /// The same, with copies in other data centres: with one at least, a blob is put once a second data
    /// centre holds it, and what is not here is read there. Call it before the handle is cloned.
    #[must_use]
    pub fn across(mut self, neighbours: Vec<Neighbour>) -> Self {
        let mut near: Vec<_> = neighbours.into_iter().map(Near::new).collect();
        near.sort_by_key(|near| (near.distance, near.data_centre.clone()));
        self.neighbours = near.into();
        self
    }

    /// What is measured. It counts for all handles to this store.
    #[must_use]
    pub fn metrics(&self) -> &MediaMetrics {
        &self.metrics
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
