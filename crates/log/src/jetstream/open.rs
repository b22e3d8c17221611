//! Opening: is the engine's stream the one that this site's copy was made from?

use super::acks::Acks;
use super::engine::{Away, Engine, Found};
use super::fault::{Fault, Trouble, judge};
use super::follow::Follower;
use super::mirror::{Mirror, MirrorError, MirrorStore};
use super::origin::Origin;
use super::shared::{Counters, Health, Shared};
use super::watch::Watchman;
use super::{JetstreamLog, Options, Pace};
use crate::{Mark, ReadError};
use bongsu_base::Seq;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

/// How long the engine may be away, or give nothing, unless the options say otherwise.
const REACH_WITHIN: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(250);

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The engine had no stream of this log, and one was made.
    Created,
    /// The copy and the engine agree, and the copy has all that the engine had.
    Following,
    /// The engine is away: what is read comes from the copy alone for now.
    Alone(String),
    /// The engine answers, but did not give all that it has or should have: what is read comes from the copy
    /// alone for now.
    Behind(String),
}

/// Why a log could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The engine has no stream of this log, and none was to be made.
    #[error("the engine has no stream of this log")]
    NoStream,
    /// The engine is away and this site has no copy.
    #[error("the engine cannot be reached, and this site has no copy of the log: {0}")]
    Away(String),
    /// The engine cannot be reached, and more is to be found out first.
    #[error(
        "a restoration of the log is under way, or was broken off; let it end, or begin it again"
    )]
    Restoring,
    /// The stream no longer reaches back far enough to make this site's copy from it.
    #[error(
        "the engine's log begins at entry {first}; begin this site from a snapshot of another one"
    )]
    NeedsSnapshot {
        /// The first entry in the engine.
        first: Seq,
    },
    /// This site's copy has entries that the restored log does not have.
    #[error(
        "the log was restored up to entry {kept}, and this site's copy goes on to entry {held}; if the restored log \
         is the right one, move this site's copy and view away and begin again from a snapshot"
    )]
    NotKept {
        /// The last entry that was restored.
        kept: Seq,
        /// The last entry of this site's copy.
        held: Seq,
    },
    /// The engine lost or altered something.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// This site's copy cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// This site's copy cannot be read.
    #[error("this site's copy of the log: {0}")]
    Read(#[from] ReadError),
}

pub(super) async fn open(
    engine: Arc<dyn Engine>,
    store: &dyn MirrorStore,
    options: Options,
) -> Result<(JetstreamLog, Opened), OpenError> {
    let within = options.reach_within.unwrap_or(REACH_WITHIN);
    let reach = options.reach;
    let found = find(&*engine, within).await;
    let (origin, mirror, opened) = match (store.open().await?, found) {
        (None, Err(away)) => return Err(OpenError::Away(away.0)),
        (None, Ok(found)) => {
            let (found, opened) = match found {
                Some(found) => (found, Opened::Following),
                None => create(&*engine, &options, within).await?,
            };
            let begin = begin(&*engine, found.clone(), &options).await?;
            let mirror = store.make(&found.origin, begin).await?;
            (found.origin, mirror, opened)
        }
        (Some((origin, mirror)), Err(away)) => (origin, mirror, Opened::Alone(away.0)),
        (Some((origin, mirror)), Ok(found)) => {
            let found = agree(&*engine, &origin, &*mirror, found, &options.pace).await?;
            if found.origin.id != origin.id {
                store.adopt(&found.origin).await?;
            }
            (found.origin, mirror, Opened::Following)
        }
    };
    let log = start(engine, origin, mirror, options.pace).await?;
    let opened = match opened {
        Opened::Alone(why) => Opened::Alone(why),
        // Others may have appended since.
        opened => catch_up(&log, (reach, within), opened).await?,
    };
    Ok((log, opened))
}

/// Asks for the stream until the engine answers.
async fn find(engine: &dyn Engine, within: Duration) -> Result<Option<Found>, Away> {
    let begun = Instant::now();
    loop {
        match engine.find().await {
            Err(away) if begun.elapsed() >= within => return Err(away),
            Err(_) => sleep(PAUSE).await,
            found => return found,
        }
    }
}

/// Makes the log's first stream. Another site may do so at the same time; one of the two is made.
async fn create(
    engine: &dyn Engine,
    options: &Options,
    within: Duration,
) -> Result<(Found, Opened), OpenError> {
    let id = options.create.ok_or(OpenError::NoStream)?;
    let origin = Origin::new(id);
    let begun = Instant::now();
    loop {
        let created = engine.create(&origin).await;
        let away = match (created, engine.find().await) {
            (_, Ok(Some(found))) => {
                let own = found.origin.id == id;
                let opened = if own {
                    Opened::Created
                } else {
                    Opened::Following
                };
                return Ok((found, opened));
            }
            (Err(away), _) | (_, Err(away)) => away,
            (Ok(()), Ok(None)) => Away("the stream that was made is not there yet".to_owned()),
        };
        if begun.elapsed() >= within {
            return Err(OpenError::Away(away.0));
        }
        sleep(PAUSE).await;
    }
}

/// Where a new copy of the stream begins.
async fn begin(
    engine: &dyn Engine,
    mut found: Found,
    options: &Options,
) -> Result<Mark, OpenError> {
    if !complete(&found) {
        return Err(OpenError::Restoring);
    }
    let base = found.origin.base;
    let first = found.origin.entry(found.first);
    let begin = options.begin.unwrap_or(base);
    let reaches = begin.seq().next() >= first && begin.seq() >= base.seq();
    if !reaches {
        return Err(OpenError::NeedsSnapshot { first });
    }
    let begun = Instant::now();
    // A new leader may be behind for a while.
    while found.origin.message(begin.seq()) > found.last {
        if begun.elapsed() >= options.pace.suspect_for {
            let last = found.origin.entry(found.last);
            let held = begin.seq();
            return Err(Fault::Shorter { last, held }.into());
        }
        sleep(PAUSE).await;
        let again = find(engine, options.pace.suspect_for).await;
        let again = again.map_err(|away| OpenError::Away(away.0))?;
        found = again.ok_or(OpenError::NoStream)?;
    }
    Ok(begin)
}

/// Whether everything that was to be restored into the stream is there.
fn complete(found: &Found) -> bool {
    let origin = &found.origin;
    found.last >= origin.message(origin.epochs.kept())
}

/// Sees that the engine's stream goes on with what this site's copy holds.
async fn agree(
    engine: &dyn Engine,
    origin: &Origin,
    mirror: &dyn Mirror,
    mut found: Option<Found>,
    pace: &Pace,
) -> Result<Found, OpenError> {
    let held = mirror.bounds().await?.last;
    let begun = Instant::now();
    loop {
        let fault = match (judge(origin, held, found.as_ref()), found) {
            (Ok(()), Some(found)) => return Ok(found),
            (Err(Trouble::Certain(Fault::Moved { .. })), Some(found)) => {
                return moved(found, origin, held);
            }
            (Err(Trouble::Certain(fault) | Trouble::Suspect(fault)), _) => fault,
            (Err(Trouble::Away(_)), _) | (Ok(()), None) => Fault::Gone { held },
        };
        if begun.elapsed() >= pace.suspect_for {
            return Err(fault.into());
        }
        sleep(PAUSE).await;
        // An engine that is away meanwhile says nothing new.
        found = find(engine, pace.suspect_for)
            .await
            .map_err(|away| OpenError::Away(away.0))?;
    }
}

/// The log was restored into another stream since the copy was written.
fn moved(found: Found, origin: &Origin, held: Seq) -> Result<Found, OpenError> {
    if !complete(&found) {
        return Err(OpenError::Restoring);
    }
    let epochs = &found.origin.epochs;
    if epochs.keep(origin.epochs.current(), held) == Some(held) {
        return Ok(found);
    }
    let kept = epochs.kept();
    Err(OpenError::NotKept { kept, held })
}

async fn start(
    engine: Arc<dyn Engine>,
    origin: Origin,
    mirror: Arc<dyn Mirror>,
    pace: Pace,
) -> Result<JetstreamLog, OpenError> {
    let tip = mirror.bounds().await?.last;
    let mut acks = Acks::default();
    acks.begin(origin.message(tip));
    let shared = Arc::new(Shared {
        engine,
        mirror,
        origin,
        acks: Mutex::new(acks),
        first: AtomicU64::new(1),
        kick: Notify::new(),
        flights: Semaphore::new(pace.appends),
        bytes: Semaphore::new(pace.append_bytes),
        health: watch::Sender::new(Health::default()),
        seen: watch::Sender::new(None),
        counters: Counters::default(),
        pace,
    });
    let follower = Follower::new(Arc::clone(&shared), tip);
    let watchman = Watchman::new(Arc::clone(&shared));
    let tasks = vec![tokio::spawn(follower.run()), tokio::spawn(watchman.run())];
    Ok(JetstreamLog {
        shared,
        tasks: Mutex::new(tasks),
    })
}

/// Returns once the copy has what the engine holds now, however long that takes while it grows.
async fn catch_up(
    log: &JetstreamLog,
    (reach, within): (Seq, Duration),
    opened: Opened,
) -> Result<Opened, OpenError> {
    let shared = &log.shared;
    let found = match find(&*shared.engine, within).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Opened::Alone("the stream is not to be found".to_owned())),
        Err(away) => return Ok(Opened::Alone(away.0)),
    };
    let goal = shared.origin.entry(found.last).max(reach);
    loop {
        let last = shared.mirror.bounds().await?.last;
        if last >= goal {
            return Ok(opened);
        }
        if timeout(within, shared.mirror.wait(last)).await.is_ok() {
            continue;
        }
        let health = shared.health.borrow().clone();
        if let Some(fault) = health.failed {
            return Err(fault.into());
        }
        let why = health.reading;
        return Ok(Opened::Behind(why.unwrap_or_else(|| {
            format!("the engine gives nothing after entry {last}")
        })));
    }
}
