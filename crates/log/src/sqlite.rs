//! The log of one machine: one SQLite file.
//!
//! One thread writes. It commits whatever waits in one transaction (`synchronous=FULL`), so that a
//! lone append costs one sync and a crowd shares it. The newest entries stay in memory for readers;
//! older ones are read through a second connection. Opening checks every entry against the chain and
//! the file's structure, and never repairs.

mod committed;
mod cut;
mod error;
mod file;
mod head;
mod queue;
mod read;
mod truncate;
mod walk;
mod writer;

pub use error::OpenError;
pub use walk::Progress;

use crate::{AppendError, Bounds, Chain, Entry, Log, Mark, ReadError};
use async_trait::async_trait;
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use committed::{Committed, Found};
use head::Head;
use parking_lot::Mutex;
use queue::{Queue, Truncation, Waiting};
use read::Reader;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};
use writer::{Counters, Writer};

/// Gives the present time. The log never lets time run backwards, whatever this says.
pub type Clock = Arc<dyn Fn() -> LogTime + Send + Sync>;

/// How a log is opened.
pub struct Options {
    /// The log's own name; a file that holds a log of another name is refused.
    pub name: String,
    /// Whether a missing log is made.
    pub create: bool,
    /// Where time comes from.
    pub clock: Clock,
    /// Told now and then how much of the log has been checked.
    pub progress: Option<Progress>,
    /// Entries that may wait to be written before more are refused.
    pub waiting_entries: usize,
    /// Bytes that may wait to be written before more are refused; no entry can be larger.
    pub waiting_bytes: usize,
    /// Entries committed together at most.
    pub batch_entries: usize,
    /// Bytes committed together, unless one entry alone is larger.
    pub batch_bytes: usize,
    /// Bytes of the newest entries that are kept in memory for readers.
    pub tail_bytes: usize,
    /// Whether an append is on the disk when it returns (`synchronous=FULL`). A copy of what others
    /// hold may do without (`NORMAL`): a power cut then takes an end of it, never anything before.
    pub durable: bool,
    /// The page size of a log that is made: a power of two from 512 to 65,536.
    pub page_size: u32,
    /// Bytes the file may grow to. An append over it stops the log, just as a full disk does.
    pub max_file_bytes: Option<u64>,
}

impl Options {
    /// The usual options for the log called `name`, with the machine's clock.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            create: true,
            clock: Arc::new(machine_clock),
            progress: None,
            waiting_entries: 16_384,
            waiting_bytes: 64 << 20,
            batch_entries: 4096,
            batch_bytes: 8 << 20,
            tail_bytes: 8 << 20,
            durable: true,
            page_size: 4096,
            max_file_bytes: None,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the log is what gives entries their time"
)]
fn machine_clock() -> LogTime {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 is wrong; entries then keep the time of the one before them.
    let millis = since_1970.map_or(0, |span| span.as_millis());
    LogTime(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Whether the log was made just now.
    pub created: bool,
    /// What it holds.
    pub bounds: Bounds,
}

/// How often the log did what since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits, each one sync of the WAL.
    pub commits: u64,
    /// Entries in them.
    pub entries: u64,
    /// Times the WAL was moved into the database.
    pub checkpoints: u64,
}

/// What readers, appenders and the writer share.
struct Shared {
    path: PathBuf,
    queue: Queue,
    committed: Mutex<Committed>,
    reader: Reader,
    counters: Counters,
}

/// A log in one SQLite file. Dropping it writes what was queued and closes the file.
pub struct SqliteLog {
    shared: Arc<Shared>,
    last: watch::Receiver<Seq>,
    writer: Option<JoinHandle<()>>,
    /// Held until everything else is closed.
    _lock: File,
}

impl SqliteLog {
    /// Opens the log at `path` and checks all of it; makes it if it is missing and the options say so.
    /// This blocks, and reads the whole file.
    ///
    /// # Errors
    /// When the log is open elsewhere, is something else, is damaged, or cannot be read: see
    /// [`OpenError`].
    pub fn open(path: &Path, options: Options) -> Result<(Self, Opened), OpenError> {
        let lock = file::lock(path)?;
        let created = !file::exists(path)?;
        if created {
            if !options.create {
                return Err(OpenError::io(path, "there is no such file"));
            }
            file::create(path, &options.name, options.page_size, Head::EMPTY)?;
        }
        let connection = file::open(path, options.durable)?;
        let (shared, last, sender) = check(path, &connection, &options)?;
        let opened = Opened {
            created,
            bounds: shared.committed.lock().bounds(),
        };
        let writer = Writer::new(connection, Arc::clone(&shared), options.clock, sender);
        let writer = std::thread::Builder::new()
            .name(format!("log {}", options.name))
            .spawn(move || writer.run())
            .map_err(|error| OpenError::io(path, error))?;
        Ok((
            Self {
                shared,
                last,
                writer: Some(writer),
                _lock: lock,
            },
            opened,
        ))
    }

    /// Makes an empty log called `name` at `path` that goes on where `base` ended, with times not
    /// before `time`: for a view that comes from a snapshot while the log before it is gone.
    ///
    /// # Errors
    /// When there is a log already, or the file cannot be written.
    pub fn create_after(
        path: &Path,
        name: &str,
        base: Chain,
        time: LogTime,
    ) -> Result<(), OpenError> {
        let _lock = file::lock(path)?;
        if file::exists(path)? {
            return Err(OpenError::not_a_log(
                path,
                "there is a log already, and none is overwritten",
            ));
        }
        let page_size = Options::new(name).page_size;
        file::create(
            path,
            name,
            page_size,
            Head::after(Mark { chain: base, time }),
        )
    }

    /// Removes the entries after `after` from the closed log at `path` and returns how many these
    /// were. Only for who knows that nobody was told of them: an acknowledged entry that is cut off is
    /// lost. Everything up to `after` must be good, and so must the file's structure.
    ///
    /// # Errors
    /// When the log is open elsewhere, or what is to be kept is missing or damaged.
    pub fn cut_tail(path: &Path, after: Seq) -> Result<u64, OpenError> {
        cut::cut_tail(path, after)
    }

    /// Appends entries whose times were given elsewhere, in their order, and returns once all are
    /// committed. A time before that of the entry before it becomes that one.
    ///
    /// # Errors
    /// See [`AppendError`]; some of the entries may have been committed.
    pub async fn extend(&self, entries: Vec<(LogTime, Bytes)>) -> Result<(), AppendError> {
        let mut answers = Vec::with_capacity(entries.len());
        for (time, body) in entries {
            let (answer, answered) = oneshot::channel();
            let time = Some(time);
            self.shared.queue.append(Waiting { body, time, answer })?;
            answers.push(answered);
        }
        for answered in answers {
            answered
                .await
                .unwrap_or_else(|_| Err(AppendError::Unknown("the log's writer ended".into())))?;
        }
        Ok(())
    }

    /// Checks every entry in the file against the chain while the log is in use. `progress` is told
    /// how many entries of how many have been checked.
    ///
    /// # Errors
    /// When an entry is damaged or the file cannot be read.
    pub async fn verify(&self, progress: Option<Progress>) -> Result<Bounds, ReadError> {
        let head = self
            .blocking(move |shared| {
                shared.reader.verify(|done, total| {
                    if let Some(progress) = &progress {
                        progress(done, total);
                    }
                })
            })
            .await?;
        let bytes = self.shared.committed.lock().bounds().bytes;
        Ok(Bounds {
            first: head.base.seq().next(),
            last: head.tip.seq(),
            link: head.tip.chain.link,
            bytes,
        })
    }

    /// The last entry that was truncated away, or that the log was made after.
    #[must_use]
    pub fn base(&self) -> Mark {
        self.shared.committed.lock().base()
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        Stats {
            commits: counters.commits.load(Ordering::Relaxed),
            entries: counters.entries.load(Ordering::Relaxed),
            checkpoints: counters.checkpoints.load(Ordering::Relaxed),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Shared) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let shared = Arc::clone(&self.shared);
        match tokio::task::spawn_blocking(move || run(&shared)).await {
            Ok(result) => result,
            Err(error) => Err(ReadError::Unavailable(error.to_string())),
        }
    }
}

type Checked = (Arc<Shared>, watch::Receiver<Seq>, watch::Sender<Seq>);

/// Checks an opened file and prepares what its users share.
fn check(path: &Path, connection: &Connection, options: &Options) -> Result<Checked, OpenError> {
    let fault = |fault: walk::Fault| fault.into_open_error(path);
    let (name, _) = walk::load_head(connection).map_err(fault)?;
    if name != options.name {
        let what = format!("it is the log `{name}`, not `{}`", options.name);
        return Err(OpenError::not_a_log(path, what));
    }
    let head = walk::walk(connection, options.progress.as_ref()).map_err(fault)?;
    let failed = |error| OpenError::from_sqlite(path, head.tip.chain, &error);
    if let Some(bytes) = options.max_file_bytes {
        file::limit(connection, bytes).map_err(failed)?;
    }
    let reader = file::connect_reader(path).map_err(failed)?;
    let file_bytes = writer::file_bytes(connection).map_err(failed)?;
    let queue = Queue::new(queue::Bounds {
        waiting_entries: options.waiting_entries,
        waiting_bytes: options.waiting_bytes,
        batch_entries: options.batch_entries,
        batch_bytes: options.batch_bytes,
    });
    let shared = Shared {
        path: path.into(),
        queue,
        committed: Mutex::new(Committed::new(head, file_bytes, options.tail_bytes)),
        reader: Reader::new(reader),
        counters: Counters::default(),
    };
    let (sender, last) = watch::channel(head.tip.seq());
    Ok((Arc::new(shared), last, sender))
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.shared.reader.close();
        self.shared.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.shared.path.display(), "the log's writer had panicked");
        }
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError> {
        let (answer, answered) = oneshot::channel();
        let time = None;
        self.shared.queue.append(Waiting { body, time, answer })?;
        answered
            .await
            .unwrap_or_else(|_| Err(AppendError::Unknown("the log's writer ended".into())))
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        // Bound to a name so that the lock is not held while the file is read.
        let found = self.shared.committed.lock().read(after, max_bytes)?;
        match found {
            Found::Entries(entries) => Ok(entries),
            Found::InFile => {
                self.blocking(move |shared| shared.reader.read(after, max_bytes))
                    .await
            }
        }
    }

    async fn wait(&self, after: Seq) {
        let mut last = self.last.clone();
        if last.wait_for(|last| *last > after).await.is_err() {
            // The writer has ended and nothing newer will come; the reader's watchdog takes over.
            std::future::pending::<()>().await;
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        Ok(self.shared.committed.lock().bounds())
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        let (answer, answered) = oneshot::channel();
        self.shared
            .queue
            .truncate(Truncation { keep_from, answer })?;
        let ended = || ReadError::Unavailable("the log's writer ended".into());
        answered.await.unwrap_or_else(|_| Err(ended()))
    }
}
