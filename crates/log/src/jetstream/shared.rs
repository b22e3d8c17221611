//! What the handle and the tasks of one site's log share.

use super::Pace;
use super::acks::Acks;
use super::engine::{Engine, Found, Replicas};
use super::fault::Fault;
use super::mirror::Mirror;
use super::origin::Origin;
use bongsu_base::Seq;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

/// How the log is, as one site sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing is read from the engine now; reads go on from this site's copy.
    pub reading: Option<String>,
    /// Why the stream's state is not known now.
    pub watching: Option<String>,
    /// What looks wrong, for not long enough to be sure.
    pub suspicion: Option<Fault>,
    /// What is wrong with the engine though this site goes on.
    pub wound: Option<String>,
    /// What the engine let go of though this site still has it.
    pub purged: Option<Purged>,
    /// Why this site has stopped.
    pub failed: Option<Fault>,
}

/// Entries that were purged from the engine, which no site asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// The first entry of this site's copy.
    pub from: Seq,
    /// The first entry that the engine still has.
    pub first: Seq,
}

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, first } = self;
        write!(
            f,
            "somebody purged the entries {from} to {} from the engine, which no site let go of",
            first.0.saturating_sub(1)
        )
    }
}

/// A log's stream as its leader described it to this site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When, by the clock of the tokio runtime.
    pub at: Instant,
    /// The server that leads it.
    pub leader: Option<String>,
    /// The servers that hold it.
    pub replicas: Replicas,
}

/// How often the log did what since it was opened.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) appended: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) fetches: AtomicU64,
    pub(super) told: AtomicU64,
    pub(super) entries: AtomicU64,
    pub(super) leader_reads: AtomicU64,
    pub(super) near_faults: AtomicU64,
    pub(super) audited: AtomicU64,
}

/// A reading of the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries that were appended here.
    pub appended: u64,
    /// Appends whose fate is not known.
    pub unknown: u64,
    /// Requests for entries.
    pub fetches: u64,
    /// Entries that were copied as the stream's leader told of them.
    pub told: u64,
    /// Entries that came into this site's copy.
    pub entries: u64,
    /// Entries that were read from the stream's leader, since the near server did not have them.
    pub leader_reads: u64,
    /// Entries that the near server had lost or altered and the leader had not.
    pub near_faults: u64,
    /// Entries of this site's copy that were compared with the engine's.
    pub audited: u64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            appended: read(&self.appended),
            unknown: read(&self.unknown),
            fetches: read(&self.fetches),
            told: read(&self.told),
            entries: read(&self.entries),
            leader_reads: read(&self.leader_reads),
            near_faults: read(&self.near_faults),
            audited: read(&self.audited),
        }
    }
}

pub(super) struct Shared {
    pub engine: Arc<dyn Engine>,
    pub mirror: Arc<dyn Mirror>,
    pub origin: Origin,
    pub pace: Pace,
    pub acks: Mutex<Acks>,
    /// The first message that the stream held when it was last looked at.
    pub first: AtomicU64,
    /// Told when there is something to fetch.
    pub kick: Notify,
    pub flights: Semaphore,
    pub bytes: Semaphore,
    pub health: watch::Sender<Health>,
    pub seen: watch::Sender<Option<Seen>>,
    pub counters: Counters,
}

impl Shared {
    /// Changes what is known of the log's health; says so where it matters.
    pub fn set(&self, change: impl FnOnce(&mut Health)) {
        self.health.send_if_modified(|health| {
            let before = health.clone();
            change(health);
            tell(self.engine.name(), &before, health);
            *health != before
        });
    }

    /// Notes how the stream was found, or that it was not.
    pub fn saw(&self, found: Option<&Found>) {
        self.seen.send_replace(found.map(|found| Seen {
            at: Instant::now(),
            leader: found.leader.clone(),
            replicas: found.replicas,
        }));
    }

    /// Ends appending and reading for good; the first reason stays.
    pub fn fail(&self, fault: Fault) {
        self.set(|health| {
            health.failed.get_or_insert(fault);
        });
    }

    /// Why the log has stopped, if it has.
    pub fn failed(&self) -> Option<Fault> {
        self.health.borrow().failed.clone()
    }
}

/// Tells the operator what changed.
fn tell(log: &str, before: &Health, now: &Health) {
    if before.failed != now.failed
        && let Some(fault) = &now.failed
    {
        tracing::error!(log, %fault, "the log has stopped at this site");
    }
    if before.suspicion != now.suspicion {
        match &now.suspicion {
            Some(fault) => tracing::warn!(log, %fault, "this looks wrong; looking again"),
            None => tracing::info!(log, "what looked wrong is not"),
        }
    }
    if before.wound != now.wound
        && let Some(wound) = &now.wound
    {
        tracing::error!(log, wound, "the engine is damaged; this site goes on");
    }
    if before.purged != now.purged {
        match &now.purged {
            Some(purged) => tracing::warn!(
                log,
                %purged,
                "the engine's log was shortened by somebody else; this site goes on with its own copy. Keep the sites' data \
                 folders, let nobody else purge the streams, and see that every site has snapshots; `bongsu restore-log` \
                 puts the entries back"
            ),
            None => tracing::info!(log, "what was purged from the engine is needed no longer"),
        }
    }
    if before.reading.is_some() != now.reading.is_some() {
        match &now.reading {
            Some(why) => tracing::warn!(log, why, "the engine cannot be read now"),
            None => tracing::info!(log, "the engine can be read again"),
        }
    }
}
