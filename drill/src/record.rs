//! What is seen while a scenario runs: when what was acknowledged, how long it took, and what went wrong.

mod gap;
mod histogram;

pub use gap::Gap;
pub use histogram::Histogram;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long one point of a plot is, in milliseconds.
pub const BUCKET_MS: u64 = 250;

/// What stands in the place of a data centre where the partner answers.
pub const PARTNER_SITE: usize = crate::cluster::SITES;

/// How a data centre has to be at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has to do everything.
    Well,
    /// It has to answer reads; what would change something it may not take.
    Impaired,
    /// Nothing is asked of it.
    Down,
}

/// How a data centre was when a request began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    health: Health,
    since: u64,
}

/// Points of one plot: what one data centre did for one protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// How many were acknowledged.
    pub count: Vec<u32>,
    /// How long the slowest took, in milliseconds; 0 where there was none.
    pub slowest_ms: Vec<u32>,
    /// How many had no answer, or an error.
    pub failed: Vec<u32>,
}

impl Series {
    fn at(&mut self, place: usize) -> (&mut u32, &mut u32, &mut u32) {
        for list in [&mut self.count, &mut self.slowest_ms, &mut self.failed] {
            if list.len() <= place {
                list.resize(place + 1, 0);
            }
        }
        (
            &mut self.count[place],
            &mut self.slowest_ms[place],
            &mut self.failed[place],
        )
    }
}

/// What one protocol did.
#[derive(Debug, Clone, Default)]
pub struct Protocol {
    /// Acknowledged commands, or answered reads.
    pub acknowledged: u64,
    /// The longest time without one, over all data centres.
    pub gap: Gap,
    /// How long they took, from the first attempt on.
    pub waits: Histogram,
    /// One for each data centre, from 0.
    pub sites: BTreeMap<usize, Series>,
}

#[derive(Debug, Default)]
struct Seen {
    protocols: BTreeMap<&'static str, Protocol>,
    reads: BTreeMap<usize, Gap>,
    errors: BTreeMap<String, u64>,
    retried: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    marks: Vec<(u64, String)>,
}

/// What is seen, from all sides.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    health: Mutex<Vec<Look>>,
    seen: Mutex<Seen>,
}

/// Everything that a recorder has seen.
#[derive(Debug)]
pub struct Recorded {
    /// By name.
    pub protocols: BTreeMap<&'static str, Protocol>,
    /// The longest time without an answered read through each data centre that had to answer.
    pub reads: BTreeMap<usize, Gap>,
    /// What clients saw and were not told to try again, by kind.
    pub errors: BTreeMap<String, u64>,
    /// What was tried again as told, by kind.
    pub retried: BTreeMap<String, u64>,
    /// What was refused with good reason, by kind.
    pub refused: BTreeMap<String, u64>,
    /// What happened when, in milliseconds.
    pub marks: Vec<(u64, String)>,
}

impl Recorder {
    /// Begins, with all `sites` well.
    pub fn new(sites: usize) -> Self {
        let well = Look {
            health: Health::Well,
            since: 0,
        };
        Self {
            begun: Instant::now(),
            health: Mutex::new(vec![well; sites]),
            seen: Mutex::default(),
        }
    }

    /// Since the beginning.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Says that something happens now.
    pub fn mark(&self, what: impl Into<String>) {
        let at = millis(self.now());
        self.seen.lock().marks.push((at, what.into()));
    }

    /// From now on `site` has to be like this.
    pub fn set(&self, site: usize, health: Health) {
        let mut all = self.health.lock();
        let before = all[site];
        if before.health != health {
            all[site] = Look {
                health,
                since: before.since + 1,
            };
            drop(all);
            // What comes after it was away is no gap.
            if (before.health == Health::Down || health == Health::Down)
                && let Some(gap) = self.seen.lock().reads.get_mut(&site)
            {
                gap.interrupt();
            }
        }
    }

    /// How `site` has to be.
    pub fn look(&self, site: usize) -> Look {
        self.health.lock()[site]
    }

    /// Whether `site` has to be like this.
    pub fn is(&self, site: usize, health: Health) -> bool {
        self.look(site).health == health
    }

    /// A command was acknowledged by `site`, which was asked at `asked`; the first attempt was at `first`.
    pub fn acknowledged(
        &self,
        protocol: &'static str,
        site: usize,
        asked: Instant,
        first: Instant,
    ) {
        let now = self.now();
        let mut seen = self.seen.lock();
        let of = seen.protocols.entry(protocol).or_default();
        of.acknowledged += 1;
        of.gap.heard(now);
        of.waits.add(first.elapsed());
        let took = u32::try_from(asked.elapsed().as_millis()).unwrap_or(u32::MAX);
        let (count, slowest, _) = of.sites.entry(site).or_default().at(bucket(now));
        *count += 1;
        *slowest = took.max(1).max(*slowest);
    }

    /// `site` answered a read.
    pub fn read(&self, protocol: &'static str, site: usize, asked: Instant, before: Look) {
        self.acknowledged(protocol, site, asked, asked);
        let now = self.now();
        let due = |look: Look| look.health != Health::Down;
        if due(before) && due(self.look(site)) {
            self.seen.lock().reads.entry(site).or_default().heard(now);
        }
    }

    /// A client was told to try again, and does.
    pub fn told(&self, protocol: &'static str, site: usize, what: &str) {
        self.failed(protocol, site);
        let mut seen = self.seen.lock();
        *seen
            .retried
            .entry(format!("{protocol}: {what}"))
            .or_default() += 1;
    }

    /// A client was refused with good reason, and does not try again.
    pub fn refused(&self, protocol: &'static str, what: &str) {
        let kind = format!("{protocol}: {what}");
        *self.seen.lock().refused.entry(kind).or_default() += 1;
    }

    /// A client had no answer from `site`, which was as in `before` when it asked. That is an error if it had to
    /// answer all the while.
    pub fn unanswered(
        &self,
        protocol: &'static str,
        site: usize,
        what: &str,
        before: Look,
        read: bool,
    ) {
        self.failed(protocol, site);
        let excused = |look: Look| match look.health {
            Health::Well => false,
            Health::Impaired => !read,
            Health::Down => true,
        };
        let after = self.look(site);
        let mut seen = self.seen.lock();
        if excused(before) || after != before {
            *seen
                .retried
                .entry(format!("{protocol}: {what}"))
                .or_default() += 1;
        } else {
            let kind = format!("{protocol}: {what} at a living data centre");
            *seen.errors.entry(kind).or_default() += 1;
        }
    }

    /// A client saw an error, and was not told to try again.
    pub fn error(&self, protocol: &'static str, site: usize, what: &str) {
        self.failed(protocol, site);
        let mut seen = self.seen.lock();
        *seen
            .errors
            .entry(format!("{protocol}: {what}"))
            .or_default() += 1;
    }

    fn failed(&self, protocol: &'static str, site: usize) {
        let place = bucket(self.now());
        let mut seen = self.seen.lock();
        let of = seen.protocols.entry(protocol).or_default();
        *of.sites.entry(site).or_default().at(place).2 += 1;
    }

    /// Everything so far.
    pub fn take(&self) -> Recorded {
        let seen = std::mem::take(&mut *self.seen.lock());
        Recorded {
            protocols: seen.protocols,
            reads: seen.reads,
            errors: seen.errors,
            retried: seen.retried,
            refused: seen.refused,
            marks: seen.marks,
        }
    }
}

fn bucket(at: Duration) -> usize {
    usize::try_from(millis(at) / BUCKET_MS).unwrap_or(usize::MAX)
}

/// Whole milliseconds.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_an_error_only_where_one_was_due() {
        let check = |change: fn(&Recorder), read: bool, error: bool| {
            let recorder = Recorder::new(1);
            let before = recorder.look(0);
            change(&recorder);
            recorder.unanswered("talk", 0, "silence", before, read);
            let seen = recorder.take();
            assert_eq!(!seen.errors.is_empty(), error);
            assert_eq!(seen.retried.is_empty(), error);
        };
        check(|_| (), false, true);
        check(|_| (), true, true);
        check(|r| r.set(0, Health::Down), true, false);
        // It burned and came back while the request was on its way.
        let back = |r: &Recorder| {
            r.set(0, Health::Down);
            r.set(0, Health::Well);
        };
        check(back, false, false);
        let recorder = Recorder::new(1);
        recorder.set(0, Health::Impaired);
        let before = recorder.look(0);
        recorder.unanswered("talk", 0, "silence", before, false);
        recorder.unanswered("reads", 0, "silence", before, true);
        let seen = recorder.take();
        assert_eq!((seen.errors.len(), seen.retried.len()), (1, 1), "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn reads_have_no_gap_while_a_data_centre_is_down() {
        let recorder = Recorder::new(1);
        let read = || recorder.read("reads", 0, Instant::now(), recorder.look(0));
        read();
        advance(Duration::from_millis(100)).await;
        read();
        recorder.set(0, Health::Down);
        advance(Duration::from_secs(9)).await;
        recorder.set(0, Health::Well);
        read();
        advance(Duration::from_millis(40)).await;
        read();
        assert_eq!(recorder.take().reads[&0].longest_ms(), 100);
    }
}
