//! Watching over the engine: is the stream still the one that this site's copy was made from, does it
//! hold what the copy holds, byte for byte, and does the right server lead it?

use super::admit::admit;
use super::engine::{Found, Message, Replicas};
use super::fault::{Fault, Trouble, judge};
use super::shared::{Counters, Purged, Shared};
use crate::{Entry, ReadError};
use bongsu_base::{LogTime, Seq};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::{Instant, sleep};

pub(super) struct Watchman {
    shared: Arc<Shared>,
    suspected: Option<Instant>,
    /// Since when another server leads the stream than the one that ought to.
    misled: Option<Instant>,
    /// Up to where the copy was compared with the engine.
    audited: Seq,
    /// Whether something was found since all was compared for the last time.
    wounded: bool,
    /// Since when the engine holds less of the beginning than it was asked to.
    purged: Option<Instant>,
}

impl Watchman {
    pub fn new(shared: Arc<Shared>) -> Self {
        let audited = shared.origin.base.seq();
        Self {
            shared,
            suspected: None,
            misled: None,
            audited,
            wounded: false,
            purged: None,
        }
    }

    /// Watches until the log has failed.
    pub async fn run(mut self) {
        while self.shared.failed().is_none() {
            match self.round().await {
                Ok(()) => {
                    self.suspected = None;
                    self.shared.set(|health| {
                        health.watching = None;
                        health.suspicion = None;
                    });
                }
                Err(Trouble::Away(why)) => {
                    // What looked wrong has to look so without a break.
                    self.suspected = None;
                    self.shared.set(|health| {
                        health.watching = Some(why);
                        health.suspicion = None;
                    });
                }
                Err(Trouble::Certain(fault)) => self.shared.fail(fault),
                Err(Trouble::Suspect(fault)) => self.suspect(fault),
            }
            sleep(self.shared.pace.look_every).await;
        }
        self.shared.saw(None);
    }

    fn suspect(&mut self, fault: Fault) {
        let since = *self.suspected.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.shared.pace.suspect_for {
            self.shared.fail(fault);
        } else {
            self.shared.set(|health| health.suspicion = Some(fault));
        }
    }

    async fn round(&mut self) -> Result<(), Trouble> {
        // Read before the engine is asked: it may only have more than that.
        let held = self.held().await?;
        let found = self.shared.engine.find().await;
        self.shared
            .saw(found.as_ref().ok().and_then(Option::as_ref));
        let found = found?;
        judge(&self.shared.origin, held, found.as_ref())?;
        let Some(found) = found else { return Ok(()) };
        self.look_at_beginning(&found).await?;
        self.shared.first.store(found.first, Ordering::Relaxed);
        let removed = (found.removed > 0)
            .then(|| format!("{} entries were removed from its middle", found.removed));
        if let Some(wound) = removed.or(found.weakness.clone()) {
            self.wound(wound);
        }
        self.place_leader(&found).await?;
        self.compare(Seq(held.0.saturating_sub(1)), 0).await?;
        let before = self.audited;
        let audit_bytes = self.shared.pace.audit_bytes;
        self.audited = self.compare(before, audit_bytes).await?;
        if self.audited <= before {
            // All was compared; a wound that did not show any more has healed.
            if !std::mem::take(&mut self.wounded) {
                self.shared.set(|health| health.wound = None);
            }
        }
        Ok(())
    }

    /// Sees that the stream goes back as far as this site's copy. No site truncates its copy before it no longer needs what
    /// it had, and nothing is purged that one of them needs; what lies before the stream was never in it.
    async fn look_at_beginning(&mut self, found: &Found) -> Result<(), Trouble> {
        let first = self.shared.origin.entry(found.first);
        let bounds = self.shared.mirror.bounds().await.map_err(unreadable)?;
        if found.first <= 1 || first <= bounds.first {
            self.purged = None;
            self.shared.set(|health| health.purged = None);
            return Ok(());
        }
        let since = *self.purged.get_or_insert_with(Instant::now);
        // The copy may be on its way to be truncated.
        if since.elapsed() >= self.shared.pace.suspect_for {
            let from = bounds.first;
            let purged = Some(Purged { from, first });
            self.shared.set(|health| health.purged = purged);
        }
        Ok(())
    }

    fn wound(&mut self, wound: String) {
        self.wounded = true;
        self.shared.set(|health| health.wound = Some(wound));
    }

    async fn held(&self) -> Result<Seq, Trouble> {
        let bounds = self.shared.mirror.bounds().await;
        bounds.map(|bounds| bounds.last).map_err(unreadable)
    }

    /// Asks for the preferred leader once another one has led for some time while all were up to date.
    async fn place_leader(&mut self, found: &Found) -> Result<(), Trouble> {
        let Some(preferred) = &self.shared.pace.lead_from else {
            return Ok(());
        };
        let Replicas { all, current } = found.replicas;
        if found.leader.as_ref() == Some(preferred) || current < all {
            self.misled = None;
            return Ok(());
        }
        let since = *self.misled.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.shared.pace.lead_after {
            self.misled = None;
            self.shared
                .engine
                .lead_from(&found.origin, preferred)
                .await?;
        }
        Ok(())
    }

    /// Compares entries after `after`, of about `max_bytes`, with the engine's; returns up to where, or
    /// the beginning once the end was reached.
    async fn compare(&mut self, after: Seq, max_bytes: usize) -> Result<Seq, Trouble> {
        let shared = Arc::clone(&self.shared);
        let origin = &shared.origin;
        let first = origin.entry(shared.first.load(Ordering::Relaxed));
        let bounds = self.shared.mirror.bounds().await.map_err(unreadable)?;
        let begin = Seq(first.max(bounds.first).0.saturating_sub(1));
        let after = after.max(begin);
        let entries = match self.shared.mirror.read(after, max_bytes).await {
            // It was truncated just now.
            Err(ReadError::Truncated { .. }) => return Ok(begin),
            entries => entries.map_err(unreadable)?,
        };
        let Some(last) = entries.last() else {
            return Ok(begin);
        };
        let from = origin.message(after.next());
        let wanted: usize = entries.iter().map(|entry| entry.body.len()).sum();
        let messages = self
            .shared
            .engine
            .fetch(&self.shared.origin, from, wanted.max(1))
            .await?;
        let mut before = None;
        let mut compared = after;
        for (entry, message) in entries.iter().zip(&messages) {
            if !self.same(before, entry, message) {
                self.ask_leader(before, entry).await?;
            }
            before = Some(entry.time);
            compared = entry.seq;
        }
        Counters::add(
            &self.shared.counters.audited,
            entries.len().min(messages.len()),
        );
        Ok(if compared == last.seq && bounds.last <= compared {
            begin
        } else {
            compared
        })
    }

    /// Whether the message is the entry, which came after one of the time `before`.
    fn same(&self, before: Option<LogTime>, entry: &Entry, message: &Message) -> bool {
        let Ok(admitted) = admit(&self.shared.origin, entry.seq, message) else {
            return false;
        };
        let time = match before {
            Some(before) => admitted.time.max(before) == entry.time,
            None => admitted.time <= entry.time,
        };
        time && admitted.body == entry.body
    }

    /// The near server does not have the entry as this site's copy has it: does the leader?
    async fn ask_leader(&mut self, before: Option<LogTime>, entry: &Entry) -> Result<(), Trouble> {
        let shared = Arc::clone(&self.shared);
        let seq = entry.seq;
        let message = shared.origin.message(seq);
        Counters::add(&shared.counters.leader_reads, 1);
        let wound = match shared.engine.get(&shared.origin, message).await? {
            Some(message) if self.same(before, entry, &message) => {
                Counters::add(&shared.counters.near_faults, 1);
                format!("the near server has lost or altered entry {seq}")
            }
            Some(_) => {
                let what = "the engine has another entry there than this site's copy".to_owned();
                return Err(Trouble::Suspect(Fault::Altered { seq, what }));
            }
            None => {
                let found = shared.engine.find().await?;
                if found.is_some_and(|found| found.first > message) {
                    return Ok(());
                }
                format!("the engine has lost entry {seq}, which this site's copy has")
            }
        };
        self.wound(wound);
        Ok(())
    }
}

fn unreadable(error: ReadError) -> Trouble {
    Trouble::Certain(Fault::Mirror(error.to_string()))
}
