//! The handle through which a lane is asked and read.

use crate::applier::{Applying, Verdict};
use crate::barrier::Barrier;
use crate::canary::{Canary, Health};
use crate::domain::{Domain, Outcome};
use crate::metrics::LaneMetrics;
use crate::open::Options;
use crate::outdated::Outdated;
use crate::queue::{Priority, Queue};
use crate::record::{Actor, Checkpoint, Payload, Record, System};
use crate::view::{Lease, Progress, ReadError, ReadView, Readers};
use crate::wake::{Topic, Wake};
use crate::witness::{self, Condemned, Witness};
use bongsu_base::{Epochs, RecordId, Seed, Seq};
use bongsu_log::Log;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

/// The longest command that a lane takes, encoded, in bytes.
const MAX_COMMAND: usize = 512 * 1024;
/// How many may wait for the answer to one record.
const JOINED: usize = 64;

/// One command on its way into the log.
#[derive(Debug, Clone)]
pub struct Request<C> {
    /// Its id. Whoever may send it again sends the same id again.
    pub id: RecordId,
    /// Who asks.
    pub actor: Actor,
    /// How important it is under load.
    pub priority: Priority,
    /// What is asked.
    pub command: C,
}

/// What became of a command.
pub struct Decision<D: Domain> {
    /// The entry that decided it; a reader elsewhere that has reached it sees the result.
    pub seq: Seq,
    /// Whether this answer was given to an earlier request with the same id.
    pub repeated: bool,
    /// Accepted or rejected by the domain.
    pub outcome: Result<D::Accepted, D::Rejected>,
}

impl<D: Domain> std::fmt::Debug for Decision<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decision")
            .field("seq", &self.seq)
            .field("repeated", &self.repeated)
            .field("outcome", &self.outcome)
            .finish()
    }
}

/// Why a command has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// More is asked than can be done; nothing was written. Ask again later.
    #[error("the platform is busy; nothing was done, try again in a moment")]
    Overloaded,
    /// Nobody knows whether it was written. Ask again with the same id to learn the outcome.
    #[error("the outcome is not known yet; repeat the same request to learn it")]
    Unknown,
    /// The command is longer than the log takes; nothing was written.
    #[error("the request is larger than {MAX_COMMAND} bytes")]
    TooLarge,
    /// This data centre does not reach the log; nothing was written. Another one takes it, or this one
    /// when it reaches the log again.
    #[error(
        "this data centre cannot take changes at the moment; nothing was done, try again in a moment"
    )]
    Detached,
    /// Not every data centre has the release that knows this; nothing was written.
    #[error(
        "not all data centres are upgraded to what this needs; nothing was done, try again once they are"
    )]
    NotYet,
    /// The domain's code failed on it; nothing was changed.
    #[error("the platform has a defect in handling this request; nothing was changed")]
    Defect,
    /// This replica has stopped; another one may answer.
    #[error("this replica has stopped: {0}")]
    Stopped(Arc<str>),
}

/// How a lane's replicas behave, and how they could; see [`Domain::VERSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// What was activated, for every replica.
    pub active: u32,
    /// The highest that this code knows.
    pub known: u32,
}

/// Why a replica has not come as far as was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// It did not come so far in time.
    #[error("this replica has applied {applied}, not yet {wanted}")]
    Late {
        /// What was asked for.
        wanted: Seq,
        /// How far it is.
        applied: Seq,
    },
    /// It has stopped.
    #[error("this replica has stopped: {0}")]
    Stopped(Arc<str>),
}

/// Whether a lane works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneState {
    /// It appends and applies.
    Running,
    /// It finishes what it has taken and takes nothing new.
    Closing,
    /// It does nothing more in this process; the reason is for the operator.
    Stopped(Arc<str>),
}

pub(crate) type Answer<D> = Result<Applying<D>, SubmitError>;
type Waiting<D> = HashMap<RecordId, Vec<oneshot::Sender<Answer<D>>>>;

/// The lease as this process last saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeenLease {
    pub lease: Lease,
    pub at: Instant,
}

/// What the handle and the loops share.
pub(crate) struct Shared<D: Domain> {
    pub log: Arc<dyn Log>,
    pub options: Options,
    pub readers: Readers,
    pub queue: Queue,
    pub waiting: Mutex<Waiting<D>>,
    /// Told whenever nobody waits any longer.
    pub drained: Notify,
    /// Held while a snapshot is taken, since each is made in the same place.
    pub snapshotting: tokio::sync::Mutex<()>,
    pub applied: watch::Sender<Progress>,
    pub state: watch::Sender<LaneState>,
    pub wake: Wake,
    pub outdated: Outdated,
    pub lease: Mutex<Option<SeenLease>>,
    pub witness: Mutex<Witness>,
    /// Up to where this data centre's snapshots make the log unnecessary.
    pub held: Mutex<Seq>,
    /// Since when no append has come through, while one is tried.
    pub stalled: Mutex<Option<Instant>>,
    pub barrier: Barrier,
    pub effects: Notify,
    pub canary: Canary,
    /// Whether the view's journal is to begin anew: it still holds what was deleted.
    pub empty_journal: AtomicBool,
    pub metrics: LaneMetrics,
}

impl<D: Domain> Shared<D> {
    /// Ends everything: whoever waits is told, and nothing new is taken.
    pub fn stop(&self, reason: &str) {
        let reason: Arc<str> = reason.into();
        self.state.send_if_modified(|state| {
            let first = !matches!(state, LaneState::Stopped(_));
            if first {
                *state = LaneState::Stopped(reason.clone());
            }
            first
        });
        self.metrics.up.set(0);
        let mut waiting: Vec<_> = self.waiting.lock().drain().collect();
        // In an order of its own, so that a simulation repeats itself.
        waiting.sort_unstable_by_key(|(id, _)| *id);
        for (_, answers) in waiting {
            for answer in answers {
                // A dropped receiver no longer waits.
                let _ = answer.send(Err(SubmitError::Stopped(reason.clone())));
            }
        }
    }

    /// Answers everybody who waits for the record `id`.
    pub fn answer(&self, id: RecordId, answer: &Answer<D>) {
        let mut waiting = self.waiting.lock();
        let senders = waiting.remove(&id);
        let drained = waiting.is_empty();
        drop(waiting);
        for sender in senders.into_iter().flatten() {
            // A dropped receiver no longer waits.
            let _ = sender.send(answer.clone());
        }
        if drained {
            self.drained.notify_one();
        }
    }

    /// Puts a record into the queue and waits for what becomes of it.
    async fn put(&self, priority: Priority, record: Record) -> Answer<D> {
        let receiver = self.enqueue(priority, record)?;
        match tokio::time::timeout(self.options.answer_within, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(SubmitError::Unknown),
        }
    }

    fn enqueue(
        &self,
        priority: Priority,
        record: Record,
    ) -> Result<oneshot::Receiver<Answer<D>>, SubmitError> {
        let (sender, receiver) = oneshot::channel();
        let id = record.id;
        let mut waiting = self.waiting.lock();
        // Looked at under the lock: whoever stops the lane sets the state first and answers those who
        // wait second, so that nobody begins to wait in between.
        match &*self.state.borrow() {
            LaneState::Running => {}
            LaneState::Closing if is_release(&record) => {}
            LaneState::Closing => return Err(SubmitError::Overloaded),
            LaneState::Stopped(reason) => return Err(SubmitError::Stopped(reason.clone())),
        }
        // What the lane asks of itself goes on, so that it notices when the log is back.
        if matches!(record.payload, Payload::Command(_)) && self.is_detached() {
            self.metrics.refused.inc();
            return Err(SubmitError::Detached);
        }
        let full = waiting.len() >= priority.part_of(self.options.waiting_bound);
        match waiting.entry(id) {
            // The same request is on its way already: wait for its answer.
            Slot::Occupied(mut slot) => {
                let senders = slot.get_mut();
                senders.retain(|sender| !sender.is_closed());
                if senders.len() < JOINED {
                    senders.push(sender);
                    return Ok(receiver);
                }
            }
            Slot::Vacant(slot) => {
                if !full && self.queue.push(priority, record).is_ok() {
                    slot.insert(vec![sender]);
                    return Ok(receiver);
                }
            }
        }
        self.metrics.refused.inc();
        Err(SubmitError::Overloaded)
    }

    /// Whether appends have failed for longer than it takes the log to recover by itself.
    fn is_detached(&self) -> bool {
        let since = *self.stalled.lock();
        since.is_some_and(|since| since.elapsed() > self.options.refuse_after)
    }

    /// Whether the last append that was tried has not come through.
    pub fn is_stalled(&self) -> bool {
        self.stalled.lock().is_some()
    }

    /// Ends everything here, and has the view made again when the lane is opened next.
    pub fn condemn(&self, condemned: &Condemned) {
        if let Err(error) = witness::condemn(&self.options.view, condemned) {
            tracing::error!(lane = D::NAME, %error, "it cannot be written down that the view is to be made again");
        }
        self.metrics.condemned.inc();
        self.stop(&condemned.reason);
    }

    pub fn seed(&self) -> Seed {
        let mut seed = [0; 32];
        self.options.entropy.fill(&mut seed);
        Seed::from_bytes(seed)
    }

    pub fn fresh_id(&self) -> RecordId {
        let mut id = [0; 16];
        self.options.entropy.fill(&mut id);
        RecordId::from_bytes(id)
    }

    /// This process's canary, which takes the lease for `lease`.
    pub fn tick(&self, lease: Duration) -> System {
        System::Tick {
            process: self.options.process,
            lease_ms: lease.as_millis() as i64,
        }
    }

    /// Asks something of the lane itself.
    pub async fn put_system(&self, system: System) -> Result<Seq, SubmitError> {
        let (id, seed) = (self.fresh_id(), self.seed());
        let record = Record {
            id,
            actor: Actor::Platform,
            seed,
            payload: Payload::System(system),
        };
        self.put(Priority::Vital, record)
            .await
            .map(|verdict| verdict.seq)
    }
}

/// A domain's lane, as its gateways use it. Cloning it gives another handle to the same lane.
pub struct Lane<D: Domain> {
    pub(crate) shared: Arc<Shared<D>>,
}

impl<D: Domain> Clone for Lane<D> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<D: Domain> Lane<D> {
    /// A request that its sender did not name: should its outcome stay unknown, nobody can repeat it.
    pub fn request(
        &self,
        actor: Actor,
        priority: Priority,
        command: D::Command,
    ) -> Request<D::Command> {
        Request {
            id: self.shared.fresh_id(),
            actor,
            priority,
            command,
        }
    }

    /// Appends a command and returns once it is durable and this replica has applied it.
    ///
    /// # Errors
    /// See [`SubmitError`]. After [`SubmitError::Unknown`] the same id may be submitted again.
    pub async fn submit(&self, request: Request<D::Command>) -> Result<Decision<D>, SubmitError> {
        let behaviour = self.behaviour().active;
        if D::since(&request.command) > behaviour {
            return Err(SubmitError::NotYet);
        }
        let bytes = postcard::to_stdvec(&request.command).map_err(|error| {
            tracing::error!(lane = D::NAME, %error, "a command cannot be encoded");
            SubmitError::Defect
        })?;
        if bytes.len() > MAX_COMMAND {
            return Err(SubmitError::TooLarge);
        }
        let seed = self.shared.seed();
        let Request {
            id,
            actor,
            priority,
            ..
        } = request;
        let record = Record {
            id,
            actor: actor.known_to(behaviour),
            seed,
            payload: Payload::Command(bytes),
        };
        let Verdict {
            seq,
            repeated,
            outcome,
        } = self.shared.put(priority, record).await?;
        let outcome = match outcome {
            Some(Outcome::Accepted(accepted)) => Ok(accepted),
            Some(Outcome::Rejected(rejected)) => Err(rejected),
            // A record of the lane itself has no outcome of the domain: an id was used for both.
            Some(Outcome::Defect) | None => return Err(SubmitError::Defect),
        };
        Ok(Decision {
            seq,
            repeated,
            outcome,
        })
    }

    /// Looks at the view, at one moment. For looks that take well under a millisecond.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read<T>(
        &self,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        self.shared.readers.read(look).await
    }

    /// Looks at the view, at one moment, for as long as it takes: away from the threads on which requests
    /// are served. At most half of the lane's connections are used so.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_long<T: Send + 'static>(
        &self,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _place = self.shared.readers.long_place().await?;
        let shared = self.shared.clone();
        self.shared
            .options
            .offload
            .run(move || shared.readers.look(look))
            .await
    }

    /// Returns once this replica has applied `wanted`.
    ///
    /// # Errors
    /// When it has not after `within`, or has stopped.
    pub async fn reach(&self, wanted: Seq, within: Duration) -> Result<(), ReachError> {
        let mut applied = self.shared.applied.subscribe();
        let mut state = self.shared.state.subscribe();
        tokio::select! {
            biased;
            _ = applied.wait_for(|progress| progress.chain.seq >= wanted) => Ok(()),
            stopped = stopped(&mut state) => Err(ReachError::Stopped(stopped)),
            () = tokio::time::sleep(within) => Err(ReachError::Late { wanted, applied: self.progress().chain.seq }),
        }
    }

    /// The lives of the lane's log so far; positions carry the current one.
    #[must_use]
    pub fn epochs(&self) -> &Epochs {
        self.shared.log.epochs()
    }

    /// How far this replica has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.shared.applied.borrow()
    }

    /// Wake-ups for those who wait until something changes.
    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.shared.wake
    }

    /// After which entry, or a later one, what had been read of `topic` was no longer so, as the domain says by
    /// [`Cx::outdate`](crate::Cx::outdate). What a look gave that contained this entry may be remembered: nobody was told of
    /// anything newer, since it is said here before it is acknowledged.
    #[must_use]
    pub fn outdated(&self, topic: Topic) -> Seq {
        self.shared.outdated.of(topic)
    }

    /// Whether the lane works, and when its canary was last applied.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared
            .canary
            .health(self.shared.state.borrow().clone())
    }

    /// What this replica was at the latest entries at which data centres compare themselves, oldest first.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.shared.witness.lock().checkpoints()
    }

    /// Returns once the other data centres agree that the view here is wrong: the lane has stopped, and makes
    /// its view again when it is opened next.
    pub async fn condemned(&self) {
        stopped(&mut self.shared.state.subscribe()).await;
        if !matches!(witness::condemned(&self.shared.options.view), Ok(Some(_))) {
            std::future::pending().await
        }
    }

    /// Random bytes from the lane's source, for what a gateway makes up (tokens, names).
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.shared.options.entropy.fill(&mut bytes);
        bytes
    }

    /// Which behaviour all replicas show, and which this code knows.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        Behaviour {
            active: self.progress().active_version,
            known: D::VERSION,
        }
    }

    /// Switches every replica to `version`, from one entry on.
    ///
    /// # Errors
    /// See [`SubmitError`]; `Defect` when this code does not know the version.
    pub async fn activate(&self, version: u32) -> Result<Seq, SubmitError> {
        if version > D::VERSION {
            return Err(SubmitError::Defect);
        }
        self.shared
            .put_system(System::ActivateVersion { version })
            .await
    }

    /// Takes nothing new, waits until everything taken is answered, lets go of the lease, and ends the
    /// lane's loops. Dropped halfway, it ends them at once.
    pub async fn close(&self) {
        let leads = self.leads();
        let _end = End(&self.shared);
        self.shared.state.send_if_modified(|state| {
            let running = *state == LaneState::Running;
            if running {
                *state = LaneState::Closing;
            }
            running
        });
        let answered = async {
            if leads {
                // Should it not come through, the lease runs out by itself.
                let _ = self
                    .shared
                    .put_system(self.shared.tick(Duration::ZERO))
                    .await;
            }
            while !self.shared.waiting.lock().is_empty() {
                self.shared.drained.notified().await;
            }
        };
        let mut state = self.shared.state.subscribe();
        tokio::select! {
            biased;
            () = answered => {}
            _ = stopped(&mut state) => {}
            () = tokio::time::sleep(self.shared.options.answer_within) => {}
        }
    }
}

/// Ends a lane that was being closed, also when nobody waits for that any longer: a lane that takes
/// nothing new and never ends would help nobody.
struct End<'a, D: Domain>(&'a Shared<D>);

impl<D: Domain> Drop for End<'_, D> {
    fn drop(&mut self) {
        self.0.stop("it was closed");
    }
}

/// Whether this is the last that a process says: that it needs the lease no longer.
fn is_release(record: &Record) -> bool {
    matches!(
        record.payload,
        Payload::System(System::Tick { lease_ms: 0, .. })
    )
}

/// Returns the reason once the lane has stopped.
pub(crate) async fn stopped(state: &mut watch::Receiver<LaneState>) -> Arc<str> {
    match state
        .wait_for(|state| matches!(state, LaneState::Stopped(_)))
        .await
        .as_deref()
    {
        Ok(LaneState::Stopped(reason)) => reason.clone(),
        _ => "its handle is gone".into(),
    }
}
