//! Effects: what a domain wants done outside itself.
//!
//! An effect is a row that `apply` wrote. The holder of the lane's lease runs it after commit, as often
//! as it takes, and tells the log when it is done. Two processes may run one at the same time when the
//! lease changes hands; a handler therefore names what it does after [`EffectId::record`], so that it
//! is done once.

use crate::canary::LEASE;
use crate::domain::Domain;
use crate::lane::{Lane, LaneState, SeenLease, stopped};
use crate::record::System;
use bongsu_base::RecordId;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How many effects of one lane run at once.
const AT_ONCE: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a handler may take before it counts as failed.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// Which effect of its lane: the position at which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(i64);

impl EffectId {
    pub(crate) fn new(position: i64) -> Self {
        Self(position)
    }

    /// The id of the record that carries out this effect of `lane` in another lane; `part` tells apart
    /// the several records that one effect may need.
    #[must_use]
    pub fn record(self, lane: &str, part: &str) -> RecordId {
        RecordId::named(&["effect", lane, &self.0.to_string()], part)
    }

    /// Takes the effect off the list; a second time changes nothing.
    pub(crate) fn complete(self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("DELETE FROM lane_effect WHERE id = ?1")?
            .execute([self.0])?;
        Ok(())
    }
}

/// Why an effect could not be done now; it will be tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EffectError(pub String);

/// Carries out a domain's effects.
#[async_trait::async_trait]
pub trait EffectHandler<D: Domain>: Send + Sync + 'static {
    /// Does it, within a minute. May be called again for the same id, also by another process at the
    /// same time.
    ///
    /// # Errors
    /// When it could not be done; it is tried again after a while.
    async fn run(&self, id: EffectId, effect: D::Effect) -> Result<(), EffectError>;
}

/// What this process knows of the effects it runs.
#[derive(Debug, Default)]
struct Attempts {
    /// When each that failed may be tried again, and how long to wait after that.
    pauses: BTreeMap<EffectId, (Instant, Duration)>,
    running: Vec<EffectId>,
}

impl<D: Domain> Lane<D> {
    /// Runs the lane's effects with `handler` whenever this process holds the lease, until the lane
    /// stops.
    pub async fn run_effects(self, handler: impl EffectHandler<D>) {
        let mut state = self.shared.state.subscribe();
        let mut attempts = Attempts::default();
        let mut running = FuturesUnordered::new();
        loop {
            let retry_at = attempts.next_retry();
            for (id, effect) in self.pending(&mut attempts).await {
                attempts.running.push(id);
                running.push(self.run_one(&handler, id, effect));
            }
            tokio::select! {
                biased;
                _ = stopped(&mut state) => return,
                Some((id, done)) = running.next(), if !running.is_empty() => attempts.finished(id, done),
                () = self.shared.effects.notified() => {}
                () = sleep_until(retry_at) => {}
            }
        }
    }

    /// The effects to begin now.
    async fn pending(&self, attempts: &mut Attempts) -> Vec<(EffectId, D::Effect)> {
        if !self.leads() {
            return Vec::new();
        }
        let look = |view: &crate::ReadView<'_>| {
            let mut ids = view
                .db()
                .prepare_cached("SELECT id FROM lane_effect ORDER BY id")?;
            let ids = ids.query_map((), |row| row.get(0).map(EffectId))?;
            let due = attempts.due(ids.collect::<rusqlite::Result<_>>()?);
            let mut body = view
                .db()
                .prepare_cached("SELECT body FROM lane_effect WHERE id = ?1")?;
            due.into_iter()
                .map(|id| Ok((id, body.query_row([id.0], |row| row.get(0))?)))
                .collect::<rusqlite::Result<Vec<(EffectId, Vec<u8>)>>>()
        };
        let rows = self.read(look).await.unwrap_or_else(|error| {
            tracing::warn!(lane = D::NAME, %error, "the effects cannot be read");
            Vec::new()
        });
        let mut begun = Vec::new();
        for (id, body) in rows {
            match postcard::from_bytes(&body) {
                Ok(effect) => begun.push((id, effect)),
                Err(error) => {
                    tracing::error!(lane = D::NAME, ?id, %error, "an effect cannot be decoded by this release");
                    // It must not take the place of those that can.
                    attempts.finished(id, false);
                }
            }
        }
        begun
    }

    async fn run_one(
        &self,
        handler: &impl EffectHandler<D>,
        id: EffectId,
        effect: D::Effect,
    ) -> (EffectId, bool) {
        let failed = |why: &str| Err(EffectError(why.to_owned()));
        let run = AssertUnwindSafe(timeout(LONGEST_RUN, handler.run(id, effect)))
            .catch_unwind()
            .await;
        let done = match run.map_or_else(
            |_| failed("it panicked"),
            |run| run.unwrap_or_else(|_| failed("it took too long")),
        ) {
            Ok(()) => self
                .shared
                .put_system(System::Complete { effect: id.0 })
                .await
                .is_ok(),
            Err(error) => {
                tracing::warn!(lane = D::NAME, ?id, %error, "an effect failed; trying again later");
                false
            }
        };
        (id, done)
    }

    /// Whether this process holds the lane's lease, as far as it knows, and goes on holding it.
    #[must_use]
    pub fn leads(&self) -> bool {
        let span = LEASE * self.shared.options.canary_every;
        let seen: Option<SeenLease> = *self.shared.lease.lock();
        let running = *self.shared.state.borrow() == LaneState::Running;
        running
            && seen.is_some_and(|seen| {
                seen.lease.holder == self.shared.options.process && seen.at.elapsed() < span
            })
    }
}

impl Attempts {
    /// Which of `ids` to begin now. Those that failed before have at most half of the places, whoever
    /// has rested longest first, and the new ones the others: neither keep the other from their turn.
    fn due(&self, ids: Vec<EffectId>) -> Vec<EffectId> {
        let now = Instant::now();
        let (mut retried, fresh): (Vec<_>, Vec<_>) = ids
            .into_iter()
            .filter(|id| !self.running.contains(id))
            .partition(|id| self.pauses.contains_key(id));
        retried.retain(|id| self.pauses[id].0 <= now);
        retried.sort_by_key(|id| self.pauses[id].0);
        let again = self
            .running
            .iter()
            .filter(|id| self.pauses.contains_key(id))
            .count();
        retried.truncate((AT_ONCE / 2).saturating_sub(again));
        let room = AT_ONCE.saturating_sub(self.running.len());
        retried.into_iter().chain(fresh).take(room).collect()
    }

    fn finished(&mut self, id: EffectId, done: bool) {
        self.running.retain(|other| *other != id);
        let now = Instant::now();
        // What another process completed meanwhile is never finished here.
        self.pauses
            .retain(|_, (at, _)| now < *at + 2 * LONGEST_PAUSE);
        if done {
            self.pauses.remove(&id);
        } else {
            let pause = self
                .pauses
                .get(&id)
                .map_or(FIRST_PAUSE, |(_, pause)| LONGEST_PAUSE.min(*pause * 2));
            self.pauses.insert(id, (now + pause, pause));
        }
    }

    fn next_retry(&self) -> Instant {
        let now = Instant::now();
        let later = self
            .pauses
            .values()
            .map(|(at, _)| *at)
            .filter(|at| *at > now)
            .min();
        later.unwrap_or(now + LONGEST_PAUSE)
    }
}
