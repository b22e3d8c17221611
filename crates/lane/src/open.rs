//! Opening a lane: finding a view that can be trusted, or making one.

use crate::applier::{Applier, ApplyError};
use crate::barrier::Barrier;
use crate::canary::Canary;
use crate::domain::Domain;
use crate::entropy::{Entropy, OsEntropy};
use crate::lane::{Lane, LaneState, Shared};
use crate::metrics::LaneMetrics;
use crate::outdated::Outdated;
use crate::queue::Queue;
use crate::run::Runner;
use crate::snapshot::{SnapshotError, Snapshots, sidecar};
use crate::view::{self, CheckError, Readers, Schema, ViewError};
use crate::wake::Wake;
use crate::witness::{self, Condemned, Witness};
use bongsu_base::{DataCentre, ProcessId, Seq};
use bongsu_log::{Bounds, Link, Log, ReadError};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Where work that blocks is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offload {
    /// On the runtime's threads for blocking work.
    Thread,
    /// On the spot: in simulation, where the order of everything must follow from the seed.
    Inline,
}

impl Offload {
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match self {
            Self::Inline => work(),
            Self::Thread => match tokio::task::spawn_blocking(work).await {
                Ok(done) => done,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime is ending, and with it whoever waits here.
                    Err(_) => std::future::pending().await,
                },
            },
        }
    }
}

/// What is said while something takes long: rows read so far.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// The data centres of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sites {
    /// The one that this process is in.
    pub own: DataCentre,
    /// All of them.
    pub all: Vec<DataCentre>,
}

/// How a lane runs. [`Options::new`] gives what suits one machine.
#[derive(Clone)]
pub struct Options {
    /// The view's file.
    pub view: PathBuf,
    /// Where snapshots go; without one the log is never truncated.
    pub snapshots: Option<Snapshots>,
    /// Snapshots of other data centres, nearest first, from which the view is made where there is none here.
    pub peers: Vec<Snapshots>,
    /// The data centres whose replicas compare what they made of the log; `None` for one machine alone.
    pub sites: Option<Sites>,
    /// This process.
    pub process: ProcessId,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// Where blocking work is done.
    pub offload: Offload,
    /// Connections that read at the same time.
    pub readers: usize,
    /// Records that may wait to be appended.
    pub queue_bound: usize,
    /// Records that may be on their way to an answer.
    pub waiting_bound: usize,
    /// Entries being appended at the same time.
    pub appends_in_flight: usize,
    /// Records in one entry, at most.
    pub batch_records: usize,
    /// Bytes in one entry, about.
    pub batch_bytes: usize,
    /// How long a request waits for its outcome.
    pub answer_within: Duration,
    /// How long appends may fail before commands are refused at once instead of waiting: longer than the log
    /// needs to recover by itself.
    pub refuse_after: Duration,
    /// How often the canary sings.
    pub canary_every: Duration,
    /// A snapshot is taken after so many entries.
    pub snapshot_every: u64,
    /// Whether the whole view is read before it is trusted.
    pub check_on_open: bool,
    /// Whether the view's file is written with `synchronous=NORMAL`; otherwise `OFF`, for simulation.
    pub durable_view: bool,
    /// Told how many rows of the view have been checked.
    pub checking: Option<Progress>,
    /// Whether the log may have less than it will have soon, as a copy has whose source is away. A view that is ahead of it
    /// goes on from where it is, once the log has come there; otherwise the log has lost something.
    pub log_may_lag: bool,
}

impl Options {
    /// What suits one machine, with the view at `view`.
    #[must_use]
    pub fn new(view: PathBuf) -> Self {
        let mut process = [0; 16];
        OsEntropy.fill(&mut process);
        Self {
            view,
            snapshots: None,
            peers: Vec::new(),
            sites: None,
            process: ProcessId::from_bytes(process),
            entropy: Arc::new(OsEntropy),
            offload: Offload::Thread,
            readers: 8,
            queue_bound: 8_192,
            waiting_bound: 16_384,
            appends_in_flight: 2,
            batch_records: 1_024,
            batch_bytes: 256 * 1024,
            answer_within: Duration::from_secs(20),
            refuse_after: Duration::from_secs(12),
            canary_every: Duration::from_secs(3),
            snapshot_every: 200_000,
            check_on_open: true,
            durable_view: true,
            checking: None,
            log_may_lag: false,
        }
    }
}

/// Which way a lane came to its view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// The file was there and sound.
    Kept,
    /// There was none, and the log holds everything from its first entry.
    Fresh,
    /// It was made from the snapshot at this sequence; the text says why, if a view was given up.
    Restored(Seq, Option<String>),
    /// A damaged view was given up and is made again from the whole log.
    Rebuilt(String),
}

/// Why a lane could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log cannot be read.
    #[error("the log of {lane}: {error}")]
    Log {
        /// The lane.
        lane: &'static str,
        /// What is wrong.
        error: ReadError,
    },
    /// The view has applied entries that the log does not hold: acknowledged entries are missing.
    #[error(
        "the log of {lane} ends at entry {last}, but the view has applied {applied}: the log has lost entries that were acknowledged. \
         Restore the installation from a backup with `bongsu restore`"
    )]
    LogLost {
        /// The lane.
        lane: &'static str,
        /// The log's last entry.
        last: Seq,
        /// The view's.
        applied: Seq,
    },
    /// The view was made from another log.
    #[error(
        "the view of {lane} was made from another log: entry {seq} is not the one it applied. \
         If the log is the right one, delete the view and start again"
    )]
    OtherLog {
        /// The lane.
        lane: &'static str,
        /// The entry.
        seq: Seq,
    },
    /// There is no view, and the log does not reach back to its beginning.
    #[error(
        "the log of {lane} begins at entry {first} and no snapshot reaches up to it; restore a backup with `bongsu restore`"
    )]
    NoSnapshot {
        /// The lane.
        lane: &'static str,
        /// The first entry that can be read.
        first: Seq,
    },
    /// The snapshots cannot be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The view's file cannot be used by this release or machine.
    #[error("the view {path}: {what}")]
    View {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The view cannot be gone on with.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl<D: Domain> Lane<D> {
    /// Opens the lane over `log`: keeps the view it finds when that is sound, and otherwise makes one from
    /// the newest snapshot and the log. Says which, and gives the loops to run.
    ///
    /// # Errors
    /// See [`OpenError`]. A damaged view is no error; it is moved aside and made again.
    pub async fn open(
        log: Arc<dyn Log>,
        options: Options,
    ) -> Result<(Self, Runner, View), OpenError> {
        let bounds = log.bounds().await.map_err(|error| OpenError::Log {
            lane: D::NAME,
            error,
        })?;
        let how = find_view::<D>(&options, &bounds).await?;
        let refused = |error: ViewError| OpenError::View {
            path: options.view.clone(),
            what: error.to_string(),
        };
        let db = view::open_writer(&options.view, &Schema::of::<D>(), options.durable_view)
            .map_err(refused)?;
        let applier = Applier::<D>::new(db)?;
        let progress = applier.progress();
        same_log::<D>(&*log, &bounds, &progress).await?;
        let shared = Arc::new(Shared {
            log,
            readers: Readers::new(&options.view, options.readers),
            queue: Queue::new(options.queue_bound),
            waiting: Mutex::default(),
            drained: Notify::new(),
            snapshotting: tokio::sync::Mutex::default(),
            applied: watch::Sender::new(progress),
            state: watch::Sender::new(LaneState::Running),
            wake: Wake::default(),
            outdated: Outdated::default(),
            lease: Mutex::default(),
            witness: Mutex::new(Witness::new(witness::schema::<D>())),
            held: Mutex::new(Seq::ZERO),
            stalled: Mutex::default(),
            barrier: Barrier::default(),
            effects: Notify::new(),
            canary: Canary::default(),
            empty_journal: AtomicBool::new(false),
            metrics: LaneMetrics::default(),
            options,
        });
        shared.wake.passed(progress.chain.seq);
        shared.metrics.up.set(1);
        shared.metrics.at(&progress);
        shared.metrics.known_behaviour.set(D::VERSION.into());
        let runner = Runner::new(&shared, applier);
        Ok((Self { shared }, runner, how))
    }

    /// The lane's measurements, to be registered.
    #[must_use]
    pub fn metrics(&self) -> &LaneMetrics {
        &self.shared.metrics
    }
}

/// Sees to it that there is a view from which the log can be followed.
async fn find_view<D: Domain>(options: &Options, bounds: &Bounds) -> Result<View, OpenError> {
    let lane = D::NAME;
    let unusable = |error: std::io::Error| OpenError::View {
        path: options.view.clone(),
        what: error.to_string(),
    };
    let condemned = witness::condemned(&options.view).map_err(unusable)?;
    let given_up = match (&condemned, look_over(options).await) {
        (Some(condemned), _) => Some(condemned.reason.clone()),
        (None, Ok(progress)) if progress.chain.seq > bounds.last && !options.log_may_lag => {
            return Err(OpenError::LogLost {
                lane,
                last: bounds.last,
                applied: progress.chain.seq,
            });
        }
        (None, Ok(progress)) if progress.chain.seq.next() >= bounds.first => return Ok(View::Kept),
        (None, Ok(progress)) => Some(format!("it had come only to entry {}", progress.chain.seq)),
        (None, Err(CheckError::Missing)) => None,
        (None, Err(error)) => {
            tracing::warn!(lane, view = %options.view.display(), %error, "the view is damaged; making it again");
            Some(error.to_string())
        }
    };
    set_aside(&options.view)?;
    let restored = from_snapshot::<D>(options, bounds, condemned.as_ref()).await?;
    let how = match restored {
        Some(seq) => View::Restored(seq, given_up),
        None if bounds.first > Seq(1) => {
            return Err(OpenError::NoSnapshot {
                lane,
                first: bounds.first,
            });
        }
        None => given_up.map_or(View::Fresh, View::Rebuilt),
    };
    acquit(options, condemned.as_ref()).await?;
    Ok(how)
}

/// Sees to it that there is a view, without its log: the one that is there, if a log that begins at `first`
/// can be followed from it, or one made from a snapshot of this or another data centre. Says how far it has
/// come; `None` when there is neither.
///
/// # Errors
/// See [`OpenError`].
pub async fn begin_from_snapshot<D: Domain>(
    options: &Options,
    first: Seq,
) -> Result<Option<view::Progress>, OpenError> {
    let unusable = |error: std::io::Error| OpenError::View {
        path: options.view.clone(),
        what: error.to_string(),
    };
    let condemned = witness::condemned(&options.view).map_err(unusable)?;
    if condemned.is_none()
        && let Ok(progress) = look_over(options).await
        && progress.chain.seq.next() >= first
    {
        return Ok(Some(progress));
    }
    set_aside(&options.view)?;
    let bounds = Bounds {
        first,
        last: Seq(u64::MAX - 1),
        link: Link::ORIGIN,
        bytes: 0,
    };
    if from_snapshot::<D>(options, &bounds, condemned.as_ref())
        .await?
        .is_none()
    {
        return Ok(None);
    }
    acquit(options, condemned.as_ref()).await?;
    let found = look_over(options).await;
    found.map(Some).map_err(|error| OpenError::View {
        path: options.view.clone(),
        what: error.to_string(),
    })
}

/// Forgets what was held against the view that was here before, and its snapshots that nobody may use.
async fn acquit(options: &Options, condemned: Option<&Condemned>) -> Result<(), OpenError> {
    if let (Some(condemned), Some(own)) = (condemned, &options.snapshots) {
        own.forget_after(condemned.agreed).await?;
    }
    witness::acquit(&options.view).map_err(|error| OpenError::View {
        path: options.view.clone(),
        what: error.to_string(),
    })
}

/// Makes the view from the newest snapshot that can be trusted and from which the log can be followed.
async fn from_snapshot<D: Domain>(
    options: &Options,
    bounds: &Bounds,
    condemned: Option<&Condemned>,
) -> Result<Option<Seq>, OpenError> {
    let lane = D::NAME;
    let mut found = Vec::new();
    if let Some(snapshots) = &options.snapshots {
        for manifest in snapshots.list().await? {
            if manifest.seq > bounds.last && !options.log_may_lag {
                return Err(OpenError::LogLost {
                    lane,
                    last: bounds.last,
                    applied: manifest.seq,
                });
            }
            // What was taken since the others last agreed may hold what is wrong here.
            if condemned.is_none_or(|condemned| manifest.seq <= condemned.agreed) {
                found.push((snapshots, manifest));
            }
        }
    }
    for peer in &options.peers {
        match peer.list().await {
            Ok(manifests) => found.extend(manifests.into_iter().map(|manifest| (peer, manifest))),
            Err(error) => {
                tracing::warn!(lane, %error, "another data centre's snapshots cannot be listed")
            }
        }
    }
    found
        .retain(|(_, manifest)| (bounds.first..=bounds.last.next()).contains(&manifest.seq.next()));
    // The newest first, and of two alike the nearest.
    found.sort_by_key(|(_, manifest)| std::cmp::Reverse(manifest.seq));
    for (snapshots, manifest) in found {
        let known = D::MIGRATIONS.len();
        let restored = snapshots.restore(&manifest, &options.view, known, options.offload);
        match restored.await {
            Ok(()) => return Ok(Some(manifest.seq)),
            Err(error) => tracing::warn!(lane, %error, "passing over a snapshot"),
        }
    }
    Ok(None)
}

/// Reads the whole view, or just how far it has come.
async fn look_over(options: &Options) -> Result<view::Progress, CheckError> {
    let path = options.view.clone();
    if !path.exists() {
        return Err(CheckError::Missing);
    }
    if !options.check_on_open {
        let db = view::open_reader(&path)?;
        return Ok(view::progress(&db)?);
    }
    let checking = options.checking.clone();
    let seen = move |rows| {
        if let Some(checking) = &checking {
            checking(rows);
        }
    };
    options
        .offload
        .run(move || view::check_file(&path, seen))
        .await
        .map(|checked| checked.progress)
}

/// Moves a view that is of no use out of the way; the one before it is forgotten.
fn set_aside(path: &Path) -> Result<(), OpenError> {
    let endings = ["", "-wal", "-shm"];
    if !endings.iter().any(|ending| sidecar(path, ending).exists()) {
        return Ok(());
    }
    let done = |file: PathBuf, result: std::io::Result<()>| match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OpenError::View {
            path: file,
            what: error.to_string(),
        }),
        _ => Ok(()),
    };
    for ending in endings {
        let file = sidecar(path, ending);
        let aside = sidecar(&path.with_extension("damaged"), ending);
        // A piece of the one before beside a piece of this one would pass for its journal.
        done(aside.clone(), std::fs::remove_file(&aside))?;
        done(file.clone(), std::fs::rename(&file, &aside))?;
    }
    Ok(())
}

/// Sees that the entry the view applied last is the one the log has there.
async fn same_log<D: Domain>(
    log: &dyn Log,
    bounds: &Bounds,
    progress: &view::Progress,
) -> Result<(), OpenError> {
    let chain = progress.chain;
    let found = if chain.seq == bounds.last {
        Some(bounds.link)
    } else if chain.seq >= bounds.first {
        let read = log.read(Seq(chain.seq.0 - 1), 1).await;
        let entries = read.map_err(|error| OpenError::Log {
            lane: D::NAME,
            error,
        })?;
        entries.first().map(|entry| entry.link)
    } else {
        // The entry itself was truncated away; the next one shows whether it follows.
        None
    };
    match found {
        Some(link) if link != chain.link => Err(OpenError::OtherLog {
            lane: D::NAME,
            seq: chain.seq,
        }),
        _ => Ok(()),
    }
}
