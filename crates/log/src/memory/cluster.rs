//! A model of the engine, for simulation: it answers as JetStream does, on good days and on bad ones.
//!
//! What it must never do on a merely bad day, it does when told to ([`Damage`]): then the log over it
//! has to notice.

mod answer;
mod state;

pub use state::Damage;

use super::faults::Chance;
use crate::Entry;
use crate::jetstream::Engine;
use answer::Handle;
use bongsu_base::Seed;
use parking_lot::Mutex;
use state::State;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What may go wrong, and how slow things may be. All delays are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFaults {
    /// From the publishing to the moment the message is stored.
    pub publish_delay: RangeInclusive<u64>,
    /// From that moment to the acknowledgement.
    pub answer_delay: RangeInclusive<u64>,
    /// A message finds nobody who could take it.
    pub nobody: Chance,
    /// A message is refused.
    pub refuse: Chance,
    /// A message is lost, and no answer comes.
    pub lose: Chance,
    /// A message is stored, and no answer comes.
    pub forget: Chance,
    /// How far the near server is behind: each site has its own delay in this range, and sees each
    /// message that late at most.
    pub near_delay: RangeInclusive<u64>,
    /// The near server gives no answer.
    pub silence: Chance,
    /// A message of an answer is lost on its way.
    pub skip: Chance,
    /// The near server has a message altered on its disk, for ever; decided for each site and message.
    pub near_altered: Chance,
    /// A leader that is none any more describes the stream, as it was some messages ago.
    pub stale: Chance,
    /// The leader gives no answer.
    pub away: Chance,
    /// What the leader tells a site is lost.
    pub deaf: Chance,
}

impl EngineFaults {
    /// Nothing goes wrong, at once.
    pub const NONE: Self = Self {
        publish_delay: 0..=0,
        answer_delay: 0..=0,
        nobody: Chance::NEVER,
        refuse: Chance::NEVER,
        lose: Chance::NEVER,
        forget: Chance::NEVER,
        near_delay: 0..=0,
        silence: Chance::NEVER,
        skip: Chance::NEVER,
        near_altered: Chance::NEVER,
        stale: Chance::NEVER,
        away: Chance::NEVER,
        deaf: Chance::NEVER,
    };

    /// A bad day: everything happens often enough to be seen within some hundred messages.
    pub const ROUGH: Self = Self {
        publish_delay: 0..=150,
        answer_delay: 0..=150,
        nobody: Chance(500),
        refuse: Chance(200),
        lose: Chance(300),
        forget: Chance(500),
        near_delay: 0..=800,
        silence: Chance(200),
        skip: Chance(1_000),
        near_altered: Chance(200),
        stale: Chance(2_000),
        away: Chance(1_000),
        deaf: Chance(3_000),
    };
}

/// The model. Clones share it.
#[derive(Clone)]
pub struct Cluster(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// One for each site: told when it was told of something.
    told: Vec<Notify>,
}

impl Cluster {
    /// An engine for `sites` sites that holds nothing. Its time begins now, by the clock of the tokio
    /// runtime this is called in.
    #[must_use]
    pub fn new(seed: Seed, sites: usize, faults: EngineFaults) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(seed, sites, faults)),
            told: (0..sites).map(|_| Notify::new()).collect(),
        }))
    }

    /// The engine as the site `site` reaches it.
    #[must_use]
    pub fn engine(&self, site: usize) -> Arc<dyn Engine> {
        let cluster = self.clone();
        Arc::new(Handle { cluster, site })
    }

    /// From now on, these may go wrong.
    pub fn set_faults(&self, faults: EngineFaults) {
        self.0.state.lock().faults = faults;
    }

    /// Cuts the site off, or ends that.
    pub fn cut(&self, site: usize, cut: bool) {
        self.0.state.lock().sites[site].cut = cut;
    }

    /// There is no leader for so long: what is under way is stored or not, and nobody learns which.
    pub fn elect(&self, span: Duration) {
        self.0.state.lock().elect(span);
    }

    /// The engine does what it must never do.
    pub fn damage(&self, damage: Damage) {
        self.0.state.lock().damage(damage);
    }

    /// Every entry that was ever stored in the newest stream, also what was purged since.
    ///
    /// # Panics
    /// When the engine was made to hold what is no entry.
    #[must_use]
    pub fn history(&self) -> Vec<Entry> {
        self.0.state.lock().history()
    }
}
