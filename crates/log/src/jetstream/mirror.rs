//! A site's own copy of the log.
//!
//! It has the format of a log of one machine ([`crate::sqlite`]), with chain and times, and beside it a
//! file that says which stream it is a copy of. What a power cut takes of its end the engine gives back,
//! so it is written with `synchronous=NORMAL`.

use super::origin::Origin;
use crate::sqlite::{OpenError, Options, SqliteLog};
use crate::{AppendError, Bounds, Entry, Log, Mark, ReadError};
use async_trait::async_trait;
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A site's copy of the log, open.
#[async_trait]
pub trait Mirror: Send + Sync + 'static {
    /// Adds entries at its end, each at the time given or that of the entry before it.
    ///
    /// # Errors
    /// When it cannot be written; it takes nothing more then.
    async fn extend(&self, entries: Vec<(LogTime, Bytes)>) -> Result<(), AppendError>;

    /// As [`Log::read`].
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError>;

    /// As [`Log::wait`].
    async fn wait(&self, after: Seq);

    /// As [`Log::bounds`].
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn bounds(&self) -> Result<Bounds, ReadError>;

    /// As [`Log::truncate`].
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError>;
}

/// Where a site keeps its copy.
#[async_trait]
pub trait MirrorStore: Send + Sync + 'static {
    /// Opens the copy, if there is one.
    ///
    /// # Errors
    /// See [`MirrorError`].
    async fn open(&self) -> Result<Option<(Origin, Arc<dyn Mirror>)>, MirrorError>;

    /// Makes an empty copy of the stream `origin` that begins after `begin`, and opens it.
    ///
    /// # Errors
    /// See [`MirrorError`].
    async fn make(&self, origin: &Origin, begin: Mark) -> Result<Arc<dyn Mirror>, MirrorError>;

    /// From now on the copy is one of the stream `origin`.
    ///
    /// # Errors
    /// See [`MirrorError`].
    async fn adopt(&self, origin: &Origin) -> Result<(), MirrorError>;
}

/// Why a site's copy cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MirrorError {
    /// Its log cannot be opened or made.
    #[error("this site's copy of the log: {0}")]
    Log(#[from] OpenError),
    /// The file beside it cannot be read or written, or says nothing sensible.
    #[error("this site's copy of the log: {path}: {what}")]
    Origin {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There is a log, but nothing says that it is a copy.
    #[error(
        "{0} is the log of a single machine and no copy of a cluster's log; bring it into the cluster with \
         `bongsu restore` or `bongsu restore-log`, or move it away"
    )]
    NotACopy(PathBuf),
}

/// A copy in a file.
pub struct MirrorFile {
    path: PathBuf,
    options: Box<dyn Fn() -> Options + Send + Sync>,
}

impl MirrorFile {
    /// The copy at `path` of the log called `name`.
    #[must_use]
    pub fn new(path: PathBuf, name: &str) -> Self {
        let name = name.to_owned();
        Self::with(path, move || Options::new(name.clone()))
    }

    /// The copy at `path`, opened with `options`; it is always written without `durable`.
    pub fn with(path: PathBuf, options: impl Fn() -> Options + Send + Sync + 'static) -> Self {
        let options = Box::new(move || Options {
            durable: false,
            create: false,
            ..options()
        });
        Self { path, options }
    }

    /// The file that says which stream the log at `path` is a copy of.
    #[must_use]
    pub fn origin_path(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push("-origin");
        name.into()
    }

    /// Which stream the log at `path` is a copy of; `None` when it is none.
    ///
    /// # Errors
    /// When the file beside it cannot be read or says nothing sensible.
    pub fn origin(path: &Path) -> Result<Option<Origin>, MirrorError> {
        let path = Self::origin_path(path);
        let wrong = |what: String| MirrorError::Origin {
            path: path.clone(),
            what,
        };
        let json = match std::fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let metadata: BTreeMap<String, String> =
            serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
        match Origin::from_metadata(&metadata) {
            Ok(origin) => Ok(Some(origin)),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Writes the file beside the log. It is there as a whole or not at all.
    fn set_origin(path: &Path, origin: &Origin) -> Result<(), MirrorError> {
        let path = Self::origin_path(path);
        let draft = path.with_extension("new");
        let json = serde_json::to_vec_pretty(&origin.to_metadata()).expect("texts are plain data");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(&json)?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            match path.parent() {
                Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
                _ => File::open(".")?.sync_all(),
            }
        };
        write().map_err(|error| MirrorError::Origin {
            path: path.clone(),
            what: error.to_string(),
        })
    }

    async fn open_log(&self) -> Result<Arc<dyn Mirror>, MirrorError> {
        let (path, options) = (self.path.clone(), (self.options)());
        let (log, _) = blocking(move || Ok(SqliteLog::open(&path, options)?)).await?;
        Ok(Arc::new(log))
    }
}

/// Does work that blocks on a thread for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, MirrorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

#[async_trait]
impl MirrorStore for MirrorFile {
    async fn open(&self) -> Result<Option<(Origin, Arc<dyn Mirror>)>, MirrorError> {
        let origin = Self::origin(&self.path)?;
        match (origin, self.path.exists()) {
            (None, true) => Err(MirrorError::NotACopy(self.path.clone())),
            // It was about to be made.
            (_, false) => Ok(None),
            (Some(origin), true) => Ok(Some((origin, self.open_log().await?))),
        }
    }

    async fn make(&self, origin: &Origin, begin: Mark) -> Result<Arc<dyn Mirror>, MirrorError> {
        let (path, name) = (self.path.clone(), (self.options)().name);
        let origin = origin.clone();
        blocking(move || {
            // In this order: a log without the other file is taken for one of a single machine.
            Self::set_origin(&path, &origin)?;
            SqliteLog::create_after(&path, &name, begin.chain, begin.time)?;
            Ok(())
        })
        .await?;
        self.open_log().await
    }

    async fn adopt(&self, origin: &Origin) -> Result<(), MirrorError> {
        let (path, origin) = (self.path.clone(), origin.clone());
        blocking(move || Self::set_origin(&path, &origin)).await
    }
}

#[async_trait]
impl Mirror for SqliteLog {
    async fn extend(&self, entries: Vec<(LogTime, Bytes)>) -> Result<(), AppendError> {
        Self::extend(self, entries).await
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        Log::read(self, after, max_bytes).await
    }

    async fn wait(&self, after: Seq) {
        Log::wait(self, after).await;
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        Log::bounds(self).await
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        Log::truncate(self, keep_from).await
    }
}
