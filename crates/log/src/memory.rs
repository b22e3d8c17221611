//! A log in memory, for simulation: slow, forgetful and repeatable.
//!
//! Several replicas share one log. Everything that goes wrong, and when, follows from a seed and from
//! tokio's clock: on a current-thread runtime whose clock is paused, the same seed and the same calls
//! give the same history.

mod cluster;
mod faults;
mod mirror;
mod world;

pub use cluster::{Cluster, Damage, EngineFaults};
pub use faults::{Chance, Faults};
pub use mirror::MemoryMirror;

use crate::room::Room;
use crate::{AppendError, Bounds, Entry, Log, ReadError};
use async_trait::async_trait;
use bongsu_base::{Seed, Seq};
use bytes::Bytes;
use faults::{Dice, within};
use parking_lot::Mutex;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use world::{World, index};

/// A handle on a log in memory. Clones share the log and the reader's pace.
#[derive(Clone)]
pub struct MemoryLog {
    world: Arc<Mutex<World>>,
    /// Wakes readers in the order in which they began to wait; a `watch` channel wakes its receivers
    /// in an order that no seed decides.
    changed: Arc<Notify>,
    /// How this handle reads; without it, it sees everything at once and never fails.
    sight: Option<Arc<Mutex<Sight>>>,
}

/// How one reader sees the log.
struct Sight {
    /// How slow this reader is among the others, and how late it sees each entry.
    pace: Dice,
    reads: Dice,
    /// When it sees each entry, in the order of the log.
    visible: Vec<Instant>,
}

impl Sight {
    /// Decides when the entries that came since the last look are seen, never one before another
    /// that is older.
    fn look(&mut self, world: &World) {
        let slowest = within(self.pace.at(0), &world.faults.read_delay);
        for stored in &world.stored[self.visible.len()..] {
            let late = within(self.pace.at(stored.entry.seq.0), &(0..=slowest));
            let at = stored.at + Duration::from_millis(late);
            let at = self.visible.last().map_or(at, |before| at.max(*before));
            self.visible.push(at);
        }
    }
}

impl MemoryLog {
    /// An empty log. Its time begins now, by the clock of the tokio runtime this is called in.
    #[must_use]
    pub fn new(seed: Seed, faults: Faults) -> Self {
        let world = World::new(seed, faults);
        Self {
            world: Arc::new(Mutex::new(world)),
            changed: Arc::default(),
            sight: None,
        }
    }

    /// A handle on the same log that reads at its own pace, which the seed and `name` decide.
    #[must_use]
    pub fn reader(&self, name: &str) -> Self {
        let seed = self.world.lock().seed;
        let sight = Sight {
            pace: Dice::new(seed, format!("pace of {name}")),
            reads: Dice::new(seed, format!("reads of {name}")),
            visible: Vec::new(),
        };
        Self {
            sight: Some(Arc::new(Mutex::new(sight))),
            ..self.clone()
        }
    }

    /// From now on, these may go wrong. What is already under way is not changed.
    pub fn set_faults(&self, faults: Faults) {
        self.world.lock().faults = faults;
        self.tell();
    }

    /// The log crashes: every append under way ends as unknown, some of them stored and some not, and
    /// nothing is taken or read until [`Self::restart`].
    pub fn stop(&self) {
        self.world.lock().stop("the log crashed");
        self.tell();
    }

    /// The log is back with all it had stored.
    pub fn restart(&self) {
        self.world.lock().down = None;
        self.tell();
    }

    /// Everything ever stored, also what was truncated since.
    #[must_use]
    pub fn history(&self) -> Vec<Entry> {
        self.world
            .lock()
            .stored
            .iter()
            .map(|stored| stored.entry.clone())
            .collect()
    }

    /// The first entry that anybody still needs, as far as [`Log::release`] was told.
    #[must_use]
    pub fn released(&self) -> Seq {
        self.world.lock().released
    }

    fn tell(&self) {
        self.changed.notify_waiters();
    }

    /// Carries one append through its delays. It goes on when whoever appended no longer listens.
    async fn fly(self, append: u64) {
        let planned = self
            .world
            .lock()
            .plan(append)
            .map(|plan| (plan.before, plan.after));
        let Some((before, after)) = planned else {
            return;
        };
        pass(before).await;
        self.world.lock().land(append);
        self.tell();
        pass(after).await;
        self.world.lock().answer(append);
    }

    /// When this handle sees the entry after `after`; `None` while there is none or the log is down.
    fn visible_at(&self, after: Seq) -> Option<Instant> {
        let world = self.world.lock();
        if world.down.is_some() {
            return None;
        }
        match &self.sight {
            None => world.stored.get(index(after)).map(|stored| stored.at),
            Some(sight) => {
                let mut sight = sight.lock();
                sight.look(&world);
                sight.visible.get(index(after)).copied()
            }
        }
    }

    /// How many of all entries ever stored this handle sees now.
    fn seen(&self, world: &World) -> Result<usize, ReadError> {
        let Some(sight) = &self.sight else {
            return Ok(world.stored.len());
        };
        let mut sight = sight.lock();
        if sight.reads.happens(world.faults.read_error) {
            return Err(ReadError::Unavailable("the reader lost the log".into()));
        }
        sight.look(world);
        let now = Instant::now();
        Ok(sight.visible.partition_point(|at| *at <= now))
    }

    /// How many of `found` entries a read gives.
    fn given(&self, world: &World, found: usize) -> usize {
        let Some(sight) = &self.sight else {
            return found;
        };
        let mut sight = sight.lock();
        if sight.reads.happens(world.faults.short_read) {
            sight.reads.up_to(found)
        } else {
            found
        }
    }
}

/// A delay; none at all leaves the order of tasks alone.
async fn pass(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError> {
        let (answer, answered) = oneshot::channel();
        let append = self.world.lock().launch(body, answer)?;
        tokio::spawn(self.clone().fly(append));
        answered
            .await
            .unwrap_or_else(|_| Err(AppendError::Unknown("the runtime ended".into())))
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        let world = self.world.lock();
        if let Some(why) = world.down {
            return Err(ReadError::Unavailable(why.into()));
        }
        if after < world.base {
            return Err(ReadError::Truncated {
                first: world.base.next(),
            });
        }
        let seen = self.seen(&world)?;
        let mut room = Room::new(max_bytes);
        let mut entries: Vec<Entry> = world.stored[index(after).min(seen)..seen]
            .iter()
            .take_while(|stored| room.take(stored.entry.body.len()))
            .map(|stored| stored.entry.clone())
            .collect();
        entries.truncate(self.given(&world, entries.len()));
        Ok(entries)
    }

    async fn wait(&self, after: Seq) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on, no change is missed.
            changed.as_mut().enable();
            match self.visible_at(after) {
                Some(at) if at <= Instant::now() => return,
                Some(at) => sleep_until(at).await,
                None => changed.await,
            }
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        let world = self.world.lock();
        if let Some(why) = world.down {
            return Err(ReadError::Unavailable(why.into()));
        }
        Ok(Bounds {
            first: world.base.next(),
            last: world.chain.seq,
            link: world.chain.link,
            bytes: world.bytes(),
        })
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        let mut world = self.world.lock();
        if let Some(why) = world.down {
            return Err(ReadError::Unavailable(why.into()));
        }
        world.truncate(keep_from);
        Ok(())
    }

    async fn release(&self, keep_from: Seq) -> Result<(), ReadError> {
        let mut world = self.world.lock();
        world.released = world.released.max(keep_from);
        Ok(())
    }
}
