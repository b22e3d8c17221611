//! The lane's loops: one that appends what was asked, one that follows the log.

use crate::applier::{Applied, Applier, ApplyError};
use crate::canary;
use crate::domain::Domain;
use crate::keeper;
use crate::lane::{LaneState, SeenLease, Shared, SubmitError, stopped};
use crate::record::{EntryBody, Record};
use crate::view::{self, Journal};
use crate::witness;
use bongsu_base::RecordId;
use bongsu_log::{AppendError, ReadError};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How many bytes of entries are applied in one transaction, about.
const APPLY_BYTES: usize = 1 << 20;
/// How long the follower trusts the log to wake it.
const WATCHDOG: Duration = Duration::from_secs(1);
/// A refusal that comes sooner is for a bound; one that comes later, since nobody took the entry.
const PROMPT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest between two attempts to append: whoever waits for it is not to wait much longer than the log is away.
const LONGEST_PAUSE: Duration = Duration::from_millis(150);
/// Between two attempts to read the log.
const READ_PAUSE: Duration = Duration::from_secs(1);

type Loop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A lane's loops, not yet running.
pub struct Runner {
    name: &'static str,
    follower: Loop,
    others: Vec<Loop>,
}

/// The loops of a lane that runs.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    follower: std::thread::JoinHandle<()>,
}

impl Runner {
    pub(crate) fn new<D: Domain>(shared: &Arc<Shared<D>>, applier: Applier<D>) -> Self {
        let others = vec![
            guarded(shared, append_loop(shared.clone())),
            guarded(shared, canary::tick_loop(shared.clone())),
            guarded(shared, keeper::keep_loop(shared.clone())),
            guarded(shared, witness::report_loop(shared.clone())),
        ];
        Self {
            name: D::NAME,
            follower: guarded(shared, follow_loop(shared.clone(), applier)),
            others,
        }
    }

    /// Runs the loops: the follower on a thread of its own, since applying does not yield; the others
    /// on the runtime this is called from.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(self) -> std::io::Result<Running> {
        let runtime = tokio::runtime::Handle::current();
        for other in self.others {
            runtime.spawn(other);
        }
        let follower = std::thread::Builder::new()
            .name(format!("apply-{}", self.name))
            .spawn(move || runtime.block_on(self.follower))?;
        Ok(Running {
            name: self.name,
            follower,
        })
    }

    /// Runs the loops on the current task, for simulation.
    pub async fn run(self) {
        futures_util::future::join(self.follower, futures_util::future::join_all(self.others))
            .await;
    }
}

impl Running {
    /// Waits until the follower has ended and closed its view; after [`crate::Lane::close`].
    pub fn join(self) {
        if self.follower.join().is_err() {
            tracing::error!(lane = self.name, "the follower panicked");
        }
    }
}

/// Stops the lane when one of its loops ends, however it ends: nobody waits for a loop that is gone.
struct Guard<D: Domain>(Arc<Shared<D>>);

impl<D: Domain> Drop for Guard<D> {
    fn drop(&mut self) {
        self.0.stop(if std::thread::panicking() {
            "one of its loops panicked"
        } else {
            "one of its loops was dropped"
        });
    }
}

fn guarded<D: Domain>(
    shared: &Arc<Shared<D>>,
    work: impl Future<Output = ()> + Send + 'static,
) -> Loop {
    let guard = Guard(shared.clone());
    Box::pin(async move {
        work.await;
        drop(guard);
    })
}

/// Appends what waits in the queue, a batch an entry, a few entries at a time.
async fn append_loop<D: Domain>(shared: Arc<Shared<D>>) {
    let mut state = shared.state.subscribe();
    let mut in_flight = FuturesUnordered::new();
    let options = &shared.options;
    loop {
        while in_flight.len() < options.appends_in_flight {
            let batch = shared
                .queue
                .take(options.batch_records, options.batch_bytes);
            if batch.is_empty() {
                break;
            }
            shared.metrics.batch.observe(batch.len() as f64);
            in_flight.push(append_batch(&shared, batch));
        }
        shared.metrics.queued.set(shared.queue.len() as i64);
        let room = in_flight.len() < options.appends_in_flight;
        tokio::select! {
            biased;
            _ = stopped(&mut state) => return,
            Some(()) = in_flight.next(), if !in_flight.is_empty() => {}
            () = shared.queue.arrived(), if room => {}
        }
    }
}

/// Appends one entry, again and again while its fate is unknown.
async fn append_batch<D: Domain>(shared: &Shared<D>, records: Vec<Record>) {
    let ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
    let body = Bytes::from(EntryBody { records }.encode());
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut doubtful = false;
    let failure = loop {
        // The log may have taken an entry whose answer does not come: that is not known either.
        let appended = timeout(
            shared.options.answer_within,
            shared.log.append(body.clone()),
        );
        match appended
            .await
            .unwrap_or_else(|_| Err(AppendError::Unknown("it gave no answer in time".into())))
        {
            Ok(_) => {
                shared.metrics.append.observe(begun.elapsed().as_secs_f64());
                *shared.stalled.lock() = None;
                return;
            }
            Err(AppendError::Refused(reason)) if !doubtful => {
                tracing::warn!(lane = D::NAME, reason, "the log refused an entry");
                if begun.elapsed() < PROMPT {
                    break SubmitError::Overloaded;
                }
                // It was tried for as long as it takes to find somebody who takes it.
                shared.stalled.lock().get_or_insert(begun);
                break SubmitError::Detached;
            }
            Err(AppendError::Stopped(reason)) => {
                shared.stop(&format!("its log has stopped: {reason}"));
                return;
            }
            Err(AppendError::Refused(reason) | AppendError::Unknown(reason)) => {
                doubtful = true;
                shared.stalled.lock().get_or_insert(begun);
                shared.metrics.unknown.inc();
                tracing::warn!(
                    lane = D::NAME,
                    reason,
                    "an append's fate is unknown; repeating it"
                );
            }
        }
        if begun.elapsed() > shared.options.answer_within {
            break SubmitError::Unknown;
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    };
    for id in ids {
        shared.answer(id, &Err(failure.clone()));
    }
}

/// Follows the log and applies what it holds, until the lane stops.
async fn follow_loop<D: Domain>(shared: Arc<Shared<D>>, mut applier: Applier<D>) {
    let mut state = shared.state.subscribe();
    let options = &shared.options;
    let mut journal = options.durable_view.then(|| Journal::of(&options.view));
    while !matches!(&*state.borrow(), LaneState::Stopped(_)) {
        let after = applier.progress().chain.seq;
        match shared.log.read(after, APPLY_BYTES).await {
            Ok(entries) if entries.is_empty() => {
                tokio::select! {
                    biased;
                    _ = stopped(&mut state) => return,
                    () = shared.log.wait(after) => {}
                    () = sleep(WATCHDOG) => {}
                }
            }
            Ok(entries) => {
                let begun = Instant::now();
                match applier
                    .apply(&entries)
                    .and_then(|applied| publish(&shared, &applier, applied))
                    .and_then(|()| empty_journal(&shared, &applier))
                    .and_then(|()| tidy(&mut journal, &applier))
                {
                    Ok(()) => shared.metrics.apply.observe(begun.elapsed().as_secs_f64()),
                    Err(error) => {
                        tracing::error!(lane = D::NAME, %error, "the lane has stopped");
                        shared.stop(&error.to_string());
                    }
                }
            }
            Err(ReadError::Unavailable(reason)) => {
                tracing::warn!(
                    lane = D::NAME,
                    reason,
                    "the log cannot be read; trying again"
                );
                tokio::select! {
                    biased;
                    _ = stopped(&mut state) => return,
                    () = sleep(READ_PAUSE) => {}
                }
            }
            Err(
                error @ (ReadError::Truncated { .. }
                | ReadError::Damaged { .. }
                | ReadError::Lost(_)),
            ) => {
                tracing::error!(lane = D::NAME, %error, "the lane has stopped");
                shared.stop(&error.to_string());
            }
        }
    }
}

/// Has the view's journal begin anew after a snapshot, as soon as no reader looks into it.
fn empty_journal<D: Domain>(shared: &Shared<D>, applier: &Applier<D>) -> Result<(), ApplyError> {
    if shared.empty_journal.load(Ordering::Relaxed) && applier.empty_journal()? {
        shared.empty_journal.store(false, Ordering::Relaxed);
    }
    Ok(())
}

/// Keeps the view's journal short.
fn tidy<D: Domain>(journal: &mut Option<Journal>, applier: &Applier<D>) -> Result<(), ApplyError> {
    let Some(journal) = journal else {
        return Ok(());
    };
    Ok(journal.committed(applier.db())?)
}

/// Tells everybody what a committed batch means for them.
fn publish<D: Domain>(
    shared: &Shared<D>,
    applier: &Applier<D>,
    applied: Applied<D>,
) -> Result<(), ApplyError> {
    if !applied.ticks.is_empty() {
        let lease = view::lease(applier.db())?;
        *shared.lease.lock() = lease.map(|lease| SeenLease {
            lease,
            at: Instant::now(),
        });
        shared.effects.notify_one();
    }
    if applied.new_effects {
        shared.effects.notify_one();
    }
    shared.metrics.count(&applied);
    if let Some(sites) = &shared.options.sites {
        let mut witness = shared.witness.lock();
        let verdict = witness.hear(sites, &applied.checkpoints, &applied.reports);
        drop(witness);
        if let Some(condemned) = verdict {
            tracing::error!(
                lane = D::NAME,
                reason = condemned.reason,
                "the view is condemned; making it again"
            );
            shared.condemn(&condemned);
            return Ok(());
        }
    }
    let seq = applied.progress.chain.seq;
    shared.outdated.note(&applied.outdated, seq);
    // Whoever has an answer finds that this replica has come so far.
    shared.applied.send_replace(applied.progress);
    for (id, applying) in applied.outcomes {
        shared.answer(id, &Ok(applying));
    }
    shared.wake.publish(&applied.topics);
    shared.wake.passed(seq);
    Ok(())
}
