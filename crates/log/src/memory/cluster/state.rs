//! What the model of the engine holds.

use super::EngineFaults;
use crate::jetstream::{Found, Message, Origin, Replicas, StreamId};
use crate::memory::faults::{Chance, Dice, within};
use crate::{Entry, jetstream};
use bongsu_base::{Epoch, LogTime, Seed};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The time of a message taken in the first millisecond: 2027-01-15T08:00:00Z.
const START: i64 = 1_800_000_000_000;

/// What an engine must never do, and does when told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It forgets its last messages.
    LoseEnd(usize),
    /// It forgets one message in its middle.
    Remove(u64),
    /// It alters one message.
    Alter(u64),
    /// It forgets the stream.
    LoseStream,
    /// Somebody has it let go of the messages before this one.
    Purge(u64),
}

/// A message and when it was stored.
struct Stored {
    /// `None` once it was lost.
    message: Option<Message>,
    at: Instant,
}

struct Stream {
    origin: Origin,
    messages: Vec<Stored>,
    first: u64,
    sealed: bool,
}

/// How one site reaches the engine.
pub(super) struct SiteState {
    pub cut: bool,
    pub dice: Dice,
    /// How slow the near server is among the others, and how late it has each message.
    pace: Dice,
    altered: Dice,
    /// When the near server has each message, in the order of the stream.
    visible: Vec<Instant>,
    /// What the leader told of, and of which stream.
    pub told: Vec<(StreamId, Message)>,
}

pub(super) struct State {
    seed: Seed,
    pub faults: EngineFaults,
    pub sites: Vec<SiteState>,
    streams: BTreeMap<Epoch, Stream>,
    start: Instant,
    leaderless_until: Instant,
    elections: u64,
    published: u64,
    dice: Dice,
}

impl State {
    pub fn new(seed: Seed, sites: usize, faults: EngineFaults) -> Self {
        let site = |n: usize| SiteState {
            cut: false,
            dice: Dice::new(seed, format!("site {n}")),
            pace: Dice::new(seed, format!("pace of site {n}")),
            altered: Dice::new(seed, format!("disk of site {n}")),
            visible: Vec::new(),
            told: Vec::new(),
        };
        Self {
            seed,
            faults,
            sites: (0..sites).map(site).collect(),
            streams: BTreeMap::new(),
            start: Instant::now(),
            leaderless_until: Instant::now(),
            elections: 0,
            published: 0,
            dice: Dice::new(seed, "the leader".to_owned()),
        }
    }

    /// Chances of one message, in the order of publishing.
    pub fn dice_of_next(&mut self) -> Dice {
        self.published += 1;
        Dice::new(self.seed, format!("message {}", self.published))
    }

    pub fn elect(&mut self, span: Duration) {
        self.elections += 1;
        self.leaderless_until = self.leaderless_until.max(Instant::now() + span);
    }

    /// How many elections there were, by which a message under way knows whether there was one.
    pub fn elections(&self) -> u64 {
        self.elections
    }

    pub fn has_leader(&self) -> bool {
        Instant::now() >= self.leaderless_until
    }

    pub fn create(&mut self, origin: &Origin) {
        let stream = Stream {
            origin: origin.clone(),
            messages: Vec::new(),
            first: 1,
            sealed: false,
        };
        let epoch = origin.epochs.current();
        self.streams.entry(epoch).or_insert(stream);
    }

    fn stream(&mut self, origin: &Origin) -> Option<&mut Stream> {
        let stream = self.streams.get_mut(&origin.epochs.current())?;
        (stream.origin.id == origin.id).then_some(stream)
    }

    pub fn seal(&mut self, origin: &Origin) {
        if let Some(stream) = self.stream(origin) {
            stream.sealed = true;
        }
    }

    /// Whether the stream takes messages; `None` when there is none.
    pub fn takes(&mut self, origin: &Origin) -> Option<bool> {
        self.stream(origin).map(|stream| !stream.sealed)
    }

    /// The number of the next message.
    pub fn next(&mut self, origin: &Origin) -> u64 {
        self.stream(origin)
            .map_or(1, |stream| stream.messages.len() as u64 + 1)
    }

    /// Stores a message; `None` when there is no stream for it.
    pub fn store(&mut self, origin: &Origin, payload: Bytes) -> Option<u64> {
        let at = Instant::now();
        let since = at.saturating_duration_since(self.start).as_millis();
        let time = LogTime(START.saturating_add(i64::try_from(since).unwrap_or(i64::MAX)));
        let stream = self.stream(origin)?;
        let seq = stream.messages.len() as u64 + 1;
        let message = Some(Message { seq, time, payload });
        stream.messages.push(Stored { message, at });
        Some(seq)
    }

    /// Tells the sites of message `seq`; those that hear of it.
    pub fn tell(&mut self, origin: &Origin, seq: u64) -> Vec<usize> {
        let Some(message) = self.get(origin, seq) else {
            return Vec::new();
        };
        let deaf = self.faults.deaf;
        let mut hear = Vec::new();
        for (n, site) in self.sites.iter_mut().enumerate() {
            if !site.cut && !site.dice.happens(deaf) {
                site.told.push((origin.id, message.clone()));
                hear.push(n);
            }
        }
        hear
    }

    /// The newest stream, as its leader describes it, or as one did some messages ago.
    pub fn find(&mut self) -> Option<Found> {
        let stale = self.dice.happens(self.faults.stale);
        let behind = if stale { self.dice.up_to(3) as u64 } else { 0 };
        let (_, stream) = self.streams.last_key_value()?;
        let last = stream.messages.len() as u64;
        let held = &stream.messages[index(stream.first)..];
        let removed = held.iter().filter(|stored| stored.message.is_none());
        Some(Found {
            origin: stream.origin.clone(),
            first: stream.first,
            last: last.saturating_sub(behind),
            removed: removed.count() as u64,
            bytes: 0,
            weakness: None,
            sealed: stream.sealed,
            leader: None,
            replicas: Replicas {
                all: self.sites.len(),
                current: self.sites.len(),
            },
        })
    }

    pub fn leader_answers(&mut self) -> bool {
        self.has_leader() && !self.dice.happens(self.faults.away)
    }

    pub fn get(&mut self, origin: &Origin, seq: u64) -> Option<Message> {
        let stream = self.stream(origin)?;
        if seq < stream.first {
            return None;
        }
        stream.messages.get(index(seq))?.message.clone()
    }

    pub fn purge(&mut self, origin: &Origin, keep_from: u64) {
        if let Some(stream) = self.stream(origin) {
            let end = stream.messages.len() as u64 + 1;
            stream.first = stream.first.max(keep_from.min(end));
        }
    }

    /// What the server near `site` gives of the messages from `from` on.
    pub fn fetch(
        &mut self,
        site: usize,
        origin: &Origin,
        from: u64,
        max_bytes: usize,
    ) -> Vec<Message> {
        let faults = self.faults.clone();
        let Self { sites, streams, .. } = self;
        let site = &mut sites[site];
        let stream = streams.get(&origin.epochs.current());
        let Some(stream) = stream.filter(|stream| stream.origin.id == origin.id) else {
            return Vec::new();
        };
        site.look(stream, &faults.near_delay);
        let now = Instant::now();
        let seen = site.visible.partition_point(|at| *at <= now);
        let seen = seen.min(stream.messages.len());
        let begin = index(from.max(stream.first)).min(seen);
        let mut messages = Vec::new();
        let mut bytes = 0;
        for stored in &stream.messages[begin..seen] {
            let Some(message) = &stored.message else {
                continue;
            };
            if bytes >= max_bytes {
                break;
            }
            bytes += message.payload.len();
            messages.push(site.near_copy(message, faults.near_altered));
        }
        if messages.len() > 1 && site.dice.happens(faults.skip) {
            let lost = site.dice.up_to(messages.len()) - 1;
            messages.remove(lost);
        }
        messages
    }

    pub fn damage(&mut self, damage: Damage) {
        let Some(mut last) = self.streams.last_entry() else {
            return;
        };
        let stream = last.get_mut();
        match damage {
            Damage::LoseEnd(count) => {
                let keep = stream.messages.len().saturating_sub(count);
                stream.messages.truncate(keep);
                for site in &mut self.sites {
                    site.visible.truncate(keep);
                }
            }
            Damage::Remove(seq) => {
                if let Some(stored) = stream.messages.get_mut(index(seq)) {
                    stored.message = None;
                }
            }
            Damage::Alter(seq) => {
                if let Some(stored) = stream.messages.get_mut(index(seq))
                    && let Some(message) = &mut stored.message
                {
                    message.payload = flipped(&message.payload);
                }
            }
            Damage::LoseStream => {
                last.remove();
            }
            Damage::Purge(keep_from) => stream.first = keep_from,
        }
    }

    pub fn history(&self) -> Vec<Entry> {
        let Some((_, stream)) = self.streams.last_key_value() else {
            return Vec::new();
        };
        let messages = stream.messages.iter();
        let messages = messages.filter_map(|stored| stored.message.as_ref());
        jetstream::entries(&stream.origin, messages).expect("the engine holds entries")
    }
}

impl SiteState {
    /// Decides when the near server has the messages that came since the last look, never one before
    /// another that is older.
    fn look(&mut self, stream: &Stream, delay: &std::ops::RangeInclusive<u64>) {
        let slowest = within(self.pace.at(0), delay);
        for (n, stored) in stream.messages.iter().enumerate().skip(self.visible.len()) {
            let late = within(self.pace.at(n as u64 + 1), &(0..=slowest));
            let at = stored.at + Duration::from_millis(late);
            let at = self.visible.last().map_or(at, |before| at.max(*before));
            self.visible.push(at);
        }
    }

    /// The message as the near server has it.
    fn near_copy(&self, message: &Message, altered: Chance) -> Message {
        let part = self.altered.at(message.seq) % u64::from(Chance::ALWAYS.0);
        let mut message = message.clone();
        if part < u64::from(altered.0) {
            message.payload = flipped(&message.payload);
        }
        message
    }
}

/// The bytes with one bit altered.
fn flipped(payload: &Bytes) -> Bytes {
    let mut bytes = payload.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

/// Where message `seq` lies among all that were ever stored.
fn index(seq: u64) -> usize {
    usize::try_from(seq.saturating_sub(1)).unwrap_or(usize::MAX)
}
