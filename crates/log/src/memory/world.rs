//! What all handles of one log in memory share.

use super::faults::{Dice, Fate, Faults, Plan};
use crate::{AppendError, Chain, Entry};
use bongsu_base::{LogTime, Seed, Seq};
use bytes::Bytes;
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The time of an entry appended in the first millisecond: 2027-01-15T08:00:00Z.
const START: LogTime = LogTime(1_800_000_000_000);

type Answer = oneshot::Sender<Result<Seq, AppendError>>;

/// An append that has no answer yet.
struct Flying {
    body: Bytes,
    plan: Plan,
    written: Option<Seq>,
    answer: Answer,
}

/// An entry and when it was stored.
pub(super) struct Stored {
    pub entry: Entry,
    pub at: Instant,
}

pub(super) struct World {
    pub seed: Seed,
    pub faults: Faults,
    /// Why the log is down, if it is.
    pub down: Option<&'static str>,
    /// Everything ever stored; what was truncated stays here for [`super::MemoryLog::history`].
    pub stored: Vec<Stored>,
    /// The last entry that was truncated away.
    pub base: Seq,
    /// The first entry that anybody still needs, as far as it was told.
    pub released: Seq,
    pub chain: Chain,
    bytes: u64,
    last_time: LogTime,
    start: Instant,
    appends: u64,
    flying: BTreeMap<u64, Flying>,
}

impl World {
    pub(super) fn new(seed: Seed, faults: Faults) -> Self {
        Self {
            seed,
            faults,
            down: None,
            stored: Vec::new(),
            base: Seq::ZERO,
            released: Seq::ZERO,
            chain: Chain::EMPTY,
            bytes: 0,
            last_time: START,
            start: Instant::now(),
            appends: 0,
            flying: BTreeMap::new(),
        }
    }

    /// Bytes of all bodies that were not truncated.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets an entry set off; returns its number among all appends.
    pub(super) fn launch(&mut self, body: Bytes, answer: Answer) -> Result<u64, AppendError> {
        if let Some(why) = self.down {
            return Err(AppendError::Stopped(why.into()));
        }
        self.appends += 1;
        let dice = Dice::new(self.seed, format!("append {}", self.appends));
        let plan = Plan::draw(&self.faults, dice);
        self.flying.insert(
            self.appends,
            Flying {
                body,
                plan,
                written: None,
                answer,
            },
        );
        Ok(self.appends)
    }

    pub(super) fn plan(&self, append: u64) -> Option<&Plan> {
        self.flying.get(&append).map(|flying| &flying.plan)
    }

    /// Stores the entry if that is its fate. A log that stopped meanwhile has already decided.
    pub(super) fn land(&mut self, append: u64) {
        let Some(flying) = self.flying.get(&append) else {
            return;
        };
        if matches!(flying.plan.fate, Fate::Stored | Fate::Forgotten) {
            let seq = self.store(flying.body.clone());
            if let Some(flying) = self.flying.get_mut(&append) {
                flying.written = Some(seq);
            }
        }
    }

    /// Tells whoever appended what became of it.
    pub(super) fn answer(&mut self, append: u64) {
        let Some(flying) = self.flying.remove(&append) else {
            return;
        };
        let answer = match (flying.plan.fate, flying.written) {
            (Fate::Stored, Some(seq)) => Ok(seq),
            (Fate::Refused, _) => Err(AppendError::Refused("the log is too busy".into())),
            _ => Err(AppendError::Unknown("the answer did not arrive".into())),
        };
        let _ = flying.answer.send(answer);
    }

    /// Decides everything that is under way: some of it is stored, and nobody learns what.
    pub(super) fn stop(&mut self, why: &'static str) {
        self.down = Some(why);
        for flying in std::mem::take(&mut self.flying).into_values() {
            let may = matches!(flying.plan.fate, Fate::Stored | Fate::Forgotten);
            if flying.written.is_none() && may && flying.plan.survives {
                self.store(flying.body);
            }
            let _ = flying.answer.send(Err(AppendError::Unknown(why.into())));
        }
    }

    pub(super) fn truncate(&mut self, keep_from: Seq) {
        let base = Seq(keep_from.0.saturating_sub(1))
            .min(self.chain.seq)
            .max(self.base);
        let gone = &self.stored[index(self.base)..index(base)];
        self.bytes -= gone
            .iter()
            .map(|stored| stored.entry.body.len() as u64)
            .sum::<u64>();
        self.base = base;
    }

    fn store(&mut self, body: Bytes) -> Seq {
        let at = Instant::now();
        let elapsed = at.saturating_duration_since(self.start).as_millis();
        let clock = LogTime(
            START
                .0
                .saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX)),
        );
        let time = clock.max(self.last_time);
        self.last_time = time;
        self.chain = self.chain.extend(time, &body);
        self.bytes += body.len() as u64;
        let Chain { seq, link } = self.chain;
        self.stored.push(Stored {
            entry: Entry {
                seq,
                time,
                body,
                link,
            },
            at,
        });
        seq
    }
}

/// Where the entry after `seq` lies among all that were ever stored.
pub(super) fn index(seq: Seq) -> usize {
    usize::try_from(seq.0).unwrap_or(usize::MAX)
}
