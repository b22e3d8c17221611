//! Making a log again from what the sites hold, or from the log of a single machine.

mod wait;

pub use wait::Tell;

use super::engine::{Engine, Found, PublishError};
use super::envelope::seal;
use super::mirror::{MirrorError, MirrorFile};
use super::origin::{Origin, StreamId};
use crate::sqlite::{self, Options, SqliteLog};
use crate::{Chain, Entry, Log, Mark, ReadError};
use bongsu_base::{Epoch, Epochs, Seq};
use futures_util::{StreamExt, stream};
use std::path::{Path, PathBuf};
use wait::Wait;

/// Bytes read from the copy at once.
const PIECE: usize = 4 << 20;
/// Entries on their way to the engine at once.
const IN_FLIGHT: usize = 32;

/// What is restored, and how.
#[derive(Debug, Clone)]
pub struct Restoring {
    /// The log's name in its files.
    pub name: String,
    /// Copies of the log, closed, or one log of a single machine. The longest is restored; those of the
    /// same epoch have to agree with it as far as they go.
    pub copies: Vec<PathBuf>,
    /// The id of the new stream.
    pub id: StreamId,
    /// Whether entries that the engine still has, and no copy, may be given up.
    pub give_up_newer: bool,
}

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The log's epoch from now on.
    pub epoch: Epoch,
    /// The first entry of the restored log.
    pub first: Seq,
    /// Its last one.
    pub last: Seq,
}

/// Why a log was not restored. The engine's former streams still have what they had.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is nothing to restore from.
    #[error("no copy of the log was named")]
    NoCopy,
    /// A copy cannot be opened.
    #[error(transparent)]
    Open(#[from] sqlite::OpenError),
    /// What stands beside a copy cannot be read.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A copy cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The copy.
        path: PathBuf,
        /// What is wrong.
        error: ReadError,
    },
    /// Two copies differ.
    #[error("{one} and {other} differ from entry {seq} on; leave out the one that is wrong")]
    Differ {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// The first entry that differs.
        seq: Seq,
    },
    /// Two copies have no entry in common.
    #[error(
        "{one} and {other} have no entry in common and cannot be compared; leave out one of them"
    )]
    Apart {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The engine has more than the copies.
    #[error(
        "the engine's log goes on to entry {last}, and the copies only to entry {held}; bring a site up to date \
         first, or say that what is newer is to be given up"
    )]
    EngineHasMore {
        /// The engine's last entry.
        last: Seq,
        /// The last entry of the copies.
        held: Seq,
    },
    /// The engine did not do its part.
    #[error("the engine: {0}")]
    Engine(String),
    /// The engine was waited for in vain.
    #[error("waited {seconds} s for the engine in vain: {why}")]
    Waited {
        /// For so long.
        seconds: u64,
        /// What was missing at the end.
        why: String,
    },
}

/// A copy that was opened, and hence is sound.
struct Copy {
    path: PathBuf,
    log: SqliteLog,
    epochs: Epochs,
    base: Mark,
    last: Seq,
}

/// Makes a new stream, in the next epoch, of the longest copy; the stream that there was is sealed. The
/// sites are stopped meanwhile. Whatever is waited for, `tell` is told; a wait in which nothing goes on ends after a minute.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    engine: &dyn Engine,
    what: Restoring,
    tell: Tell<'_>,
) -> Result<Restored, RestoreError> {
    let mut copies = Vec::new();
    for path in &what.copies {
        copies.push(open(path, &what.name).await?);
    }
    copies.sort_by_key(|copy| {
        let (epoch, length) = (copy.epochs.current(), copy.last);
        std::cmp::Reverse((epoch, length, std::cmp::Reverse(copy.base.seq())))
    });
    let Some((best, others)) = copies.split_first() else {
        return Err(RestoreError::NoCopy);
    };
    for other in others {
        compare(best, other).await?;
    }
    let mut wait = Wait::new(tell);
    let found = find(engine, &mut wait).await?;
    wait.goes_on();
    let mut epochs = best.epochs.clone();
    if let Some(found) = found {
        has_more(best, &found, what.give_up_newer)?;
        if !found.sealed {
            let sealed = engine.seal(&found.origin).await;
            sealed.map_err(|away| RestoreError::Engine(away.0))?;
        }
        if found.origin.epochs.current() > epochs.current() {
            epochs = found.origin.epochs;
        }
    }
    let origin = Origin {
        id: what.id,
        epochs: epochs.after_restoring(best.last),
        base: best.base,
    };
    create(engine, &origin, &mut wait).await?;
    wait.goes_on();
    fill(engine, &origin, best, &mut wait).await?;
    Ok(Restored {
        epoch: origin.epochs.current(),
        first: best.base.seq().next(),
        last: best.last,
    })
}

async fn open(path: &Path, name: &str) -> Result<Copy, RestoreError> {
    let epochs = MirrorFile::origin(path)?.map_or_else(Epochs::default, |origin| origin.epochs);
    let options = Options {
        create: false,
        ..Options::new(name)
    };
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let (log, opened) = SqliteLog::open(&path, options)?;
        Ok::<_, sqlite::OpenError>((path, log, opened))
    });
    let (path, log, opened) = opened
        .await
        .map_err(|error| RestoreError::Engine(error.to_string()))??;
    Ok(Copy {
        base: log.base(),
        last: opened.bounds.last,
        path,
        log,
        epochs,
    })
}

/// Sees that `other` agrees with `best` as far as both go.
async fn compare(best: &Copy, other: &Copy) -> Result<(), RestoreError> {
    let mut common = best.last.min(other.last);
    if other.epochs.current() < best.epochs.current() {
        common = common.min(best.epochs.kept());
    }
    let begin = best.base.seq().max(other.base.seq());
    if common < begin {
        return Err(RestoreError::Apart {
            one: best.path.clone(),
            other: other.path.clone(),
        });
    }
    if same(best, other, common).await? {
        return Ok(());
    }
    // A link stands for everything before it, so the first difference can be halved out.
    let (mut good, mut bad) = (begin, common);
    while bad.0 > good.0 + 1 {
        let middle = Seq(good.0.midpoint(bad.0));
        if same(best, other, middle).await? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Err(RestoreError::Differ {
        one: best.path.clone(),
        other: other.path.clone(),
        seq: bad,
    })
}

async fn same(one: &Copy, other: &Copy, seq: Seq) -> Result<bool, RestoreError> {
    Ok(chain(one, seq).await? == chain(other, seq).await?)
}

/// The chain at an entry that the copy has, or at its beginning.
async fn chain(copy: &Copy, seq: Seq) -> Result<Option<Chain>, RestoreError> {
    if seq == copy.base.seq() {
        return Ok(Some(copy.base.chain));
    }
    let entries = read(copy, Seq(seq.0.saturating_sub(1)), 0).await?;
    Ok(entries.first().map(|entry| Chain {
        seq: entry.seq,
        link: entry.link,
    }))
}

async fn read(copy: &Copy, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, RestoreError> {
    let read = copy.log.read(after, max_bytes).await;
    read.map_err(|error| RestoreError::Read {
        path: copy.path.clone(),
        error,
    })
}

async fn find(engine: &dyn Engine, wait: &mut Wait<'_>) -> Result<Option<Found>, RestoreError> {
    loop {
        match engine.find().await {
            Ok(found) => return Ok(found),
            Err(away) => wait.pause(&away.0).await?,
        }
    }
}

/// Refuses to give up what only the engine has, unless that was said. A stream whose own restoration
/// was broken off has nothing of its own.
fn has_more(best: &Copy, found: &Found, give_up_newer: bool) -> Result<(), RestoreError> {
    let last = found.origin.entry(found.last);
    let broken_off = last < found.origin.epochs.kept();
    if last > best.last && !broken_off && !give_up_newer {
        let held = best.last;
        return Err(RestoreError::EngineHasMore { last, held });
    }
    Ok(())
}

async fn create(
    engine: &dyn Engine,
    origin: &Origin,
    wait: &mut Wait<'_>,
) -> Result<(), RestoreError> {
    loop {
        let created = engine.create(origin).await;
        if let Some(found) = find(engine, wait).await?
            && found.origin.id == origin.id
        {
            return Ok(());
        }
        let why = created.err().map(|away| away.0);
        let why = why.unwrap_or_else(|| "another stream has this epoch's name".to_owned());
        wait.pause(&why).await?;
    }
}

/// Publishes everything that `copy` holds. Every message is taken as the number it has to be, or not at
/// all, so that one whose answer was lost is no harm.
async fn fill(
    engine: &dyn Engine,
    origin: &Origin,
    copy: &Copy,
    wait: &mut Wait<'_>,
) -> Result<(), RestoreError> {
    let mut filled = origin.base.seq();
    while filled < copy.last {
        let entries = read(copy, filled, PIECE).await?;
        let publishing = stream::iter(&entries)
            .map(|entry| publish(engine, origin, entry))
            .buffered(IN_FLIGHT);
        let mut publishing = std::pin::pin!(publishing);
        let mut failure = None;
        while let Some(published) = publishing.next().await {
            match published {
                Ok(()) => wait.goes_on(),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure {
            wait.pause(&error.to_string()).await?;
        }
        if let Some(found) = find(engine, wait).await?
            && found.origin.id == origin.id
        {
            filled = origin.entry(found.last);
        }
    }
    Ok(())
}

async fn publish(engine: &dyn Engine, origin: &Origin, entry: &Entry) -> Result<(), PublishError> {
    let (message, _) = seal(&origin.id, Some(entry.time), &entry.body);
    let expected = origin.message(entry.seq);
    engine
        .publish(origin, message, Some(expected))
        .await
        .map(|_| ())
}
