//! Reading a view while it is written: a pool of read-only connections.

use super::{open_reader, progress};
use bongsu_base::Seq;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Why a view could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Too many are reading; it is a matter of milliseconds.
    #[error("too many are reading at once")]
    Overloaded,
    /// The storage failed.
    #[error("the view cannot be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// One consistent look at a view: everything read through it is of the same moment.
pub struct ReadView<'a> {
    db: &'a Connection,
}

impl<'a> ReadView<'a> {
    pub(crate) fn new(db: &'a Connection) -> Self {
        Self { db }
    }

    /// The connection; it can only read.
    #[must_use]
    pub fn db(&self) -> &Connection {
        self.db
    }

    /// The last entry that this look contains.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn applied(&self) -> rusqlite::Result<Seq> {
        progress(self.db).map(|progress| progress.chain.seq)
    }
}

/// Idle connections, and a bound on how many may be in use.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
    long_places: Semaphore,
    waiting: Semaphore,
}

/// How many reads may wait for a connection before more are refused.
const WAITING: usize = 10_000;

impl Readers {
    pub fn new(path: &Path, connections: usize) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::default(),
            places: Semaphore::new(connections),
            long_places: Semaphore::new(connections.div_ceil(2)),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// Runs `look` on this thread, inside one read transaction.
    pub async fn read<T>(
        &self,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let _place = self.place(&self.places).await?;
        self.look(look)
    }

    /// A place among those who may look long, which are fewer: point reads always find a connection.
    pub async fn long_place(&self) -> Result<SemaphorePermit<'_>, ReadError> {
        self.place(&self.long_places).await
    }

    async fn place<'a>(&'a self, places: &'a Semaphore) -> Result<SemaphorePermit<'a>, ReadError> {
        let _queue = self
            .waiting
            .try_acquire()
            .map_err(|_| ReadError::Overloaded)?;
        places.acquire().await.map_err(|_| ReadError::Overloaded)
    }

    /// Runs `look` for whoever has a place.
    pub fn look<T>(
        &self,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let idle = self.idle.lock().pop();
        let db = match idle {
            Some(db) => db,
            None => open_reader(&self.path)?,
        };
        db.prepare_cached("BEGIN DEFERRED")?.execute(())?;
        let found = look(&ReadView::new(&db));
        // A connection whose transaction cannot be ended is not used again.
        if db
            .prepare_cached("COMMIT")
            .and_then(|mut end| end.execute(()))
            .is_ok()
        {
            self.idle.lock().push(db);
        }
        Ok(found?)
    }
}
