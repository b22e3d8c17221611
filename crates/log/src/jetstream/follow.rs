//! Following the engine: fetch what comes next, check it, add it to this site's copy.
//!
//! The follower keeps its own place, which is the end of the copy. The stream's leader tells it of each message, and what
//! it was told of is what comes next unless one was lost: then it fetches. It also looks by itself every
//! [`super::Pace::poll`], so that nothing depends on being told. One fetch is under way at a time.

use super::admit::{Admitted, Wrong, admit};
use super::engine::Message;
use super::fault::{Fault, Trouble};
use super::shared::{Counters, Shared};
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use futures_util::FutureExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The first pause before the near server is asked again for what must be there soon.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How long the near server may be behind before the leader is asked.
const NEAR_MAY_LAG: Duration = Duration::from_secs(2);
/// How long what was acknowledged may take to be told of; the leader tells of it first.
const TOLD_WITHIN: Duration = Duration::from_millis(5);
/// How much that it was told of is kept until what comes before it has been fetched, in messages.
const TOLD_AT_MOST: usize = 1_024;
/// The pause after something went wrong.
const TROUBLE_PAUSE: Duration = Duration::from_millis(200);

/// An entry, and when the engine took it.
type Copied = (LogTime, Bytes);

pub(super) struct Follower {
    shared: Arc<Shared>,
    /// The end of this site's copy.
    tip: Seq,
    /// What the leader told of and is not in the copy.
    told: BTreeMap<u64, Message>,
    /// The highest message that it told of.
    told_to: u64,
    /// Whether the end of the copy is what it told of last.
    up_to_date: bool,
    /// Since when the near server does not have what was taken.
    behind: Option<Instant>,
    pause: Duration,
    suspected: Option<Instant>,
}

impl Follower {
    pub fn new(shared: Arc<Shared>, tip: Seq) -> Self {
        Self {
            shared,
            tip,
            told: BTreeMap::new(),
            told_to: 0,
            up_to_date: false,
            behind: None,
            pause: FIRST_PAUSE,
            suspected: None,
        }
    }

    /// Follows until the log has failed.
    pub async fn run(mut self) {
        while self.shared.failed().is_none() {
            match self.turn().await {
                Ok(moved) => {
                    self.suspected = None;
                    self.shared.set(|health| health.reading = None);
                    if moved {
                        self.behind = None;
                        self.pause = FIRST_PAUSE;
                    } else {
                        self.rest().await;
                    }
                }
                Err(trouble) => self.endure(trouble).await,
            }
        }
    }

    /// Takes what it was told of, or fetches once; returns whether the copy grew.
    async fn turn(&mut self) -> Result<bool, Trouble> {
        let shared = Arc::clone(&self.shared);
        let from = shared.origin.message(self.tip.next());
        if let Some(messages) = shared.engine.told(&shared.origin).now_or_never() {
            self.hear(messages);
        }
        let told = self.take_told(from);
        let (seq, batch, _) = self.admit(&told)?;
        if !batch.is_empty() {
            Counters::add(&shared.counters.told, batch.len());
            self.up_to_date = true;
            return self.commit(seq, batch).await;
        }
        if std::mem::take(&mut self.up_to_date) && self.known() < from {
            // Whatever it may have failed to tell of is looked for when it has been silent for a while.
            return Ok(false);
        }
        let messages = shared
            .engine
            .fetch(&shared.origin, from, shared.pace.fetch_bytes)
            .await?;
        Counters::add(&shared.counters.fetches, 1);
        if messages.is_empty() {
            return self.nothing(from).await;
        }
        match self.admit(&messages)? {
            (_, batch, Some(wrong)) if batch.is_empty() => self.ask_leader(from, Some(wrong)).await,
            // What comes before a wrong one is good; it is met again at the next turn.
            (seq, batch, _) => self.commit(seq, batch).await,
        }
    }

    /// The entries in `messages` that come next, the number of the last, and why no more of them do.
    fn admit(&self, messages: &[Message]) -> Result<(Seq, Vec<Copied>, Option<Wrong>), Trouble> {
        let mut batch = Vec::with_capacity(messages.len());
        let mut seq = self.tip;
        for message in messages {
            match admit(&self.shared.origin, seq.next(), message) {
                Ok(admitted) => {
                    seq = seq.next();
                    batch.push(self.read_back(seq, message, admitted)?);
                }
                Err(wrong) => return Ok((seq, batch, Some(wrong))),
            }
        }
        Ok((seq, batch, None))
    }

    /// Keeps what the leader told of, as far as there is room.
    fn hear(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.told_to = self.told_to.max(message.seq);
            if self.told.len() < TOLD_AT_MOST {
                self.told.insert(message.seq, message);
            }
        }
    }

    /// What the leader told of from `from` on without a gap.
    fn take_told(&mut self, from: u64) -> Vec<Message> {
        self.told = self.told.split_off(&from);
        (from..).map_while(|seq| self.told.remove(&seq)).collect()
    }

    /// Sees that the message is what was acknowledged here under its number.
    fn read_back(
        &self,
        seq: Seq,
        message: &Message,
        admitted: Admitted,
    ) -> Result<Copied, Trouble> {
        let mut acks = self.shared.acks.lock();
        if acks.read_back(message.seq, &admitted.checksum) {
            Ok((admitted.time, admitted.body))
        } else {
            let what = "the engine acknowledged another entry under this number".to_owned();
            Err(Trouble::Certain(Fault::Altered { seq, what }))
        }
    }

    async fn commit(&mut self, tip: Seq, batch: Vec<Copied>) -> Result<bool, Trouble> {
        let entries = batch.len();
        let extended = self.shared.mirror.extend(batch).await;
        extended.map_err(|error| Trouble::Certain(Fault::Mirror(error.to_string())))?;
        self.tip = tip;
        Counters::add(&self.shared.counters.entries, entries);
        Ok(true)
    }

    /// The highest message that is known to have been taken.
    fn known(&self) -> u64 {
        self.shared.acks.lock().highest().max(self.told_to)
    }

    /// The near server has nothing at `from`.
    async fn nothing(&mut self, from: u64) -> Result<bool, Trouble> {
        if self.known() < from {
            self.behind = None;
            return Ok(false);
        }
        let since = *self.behind.get_or_insert_with(Instant::now);
        if since.elapsed() < NEAR_MAY_LAG {
            return Ok(false);
        }
        self.ask_leader(from, None).await
    }

    /// Asks the stream's leader for message `from`, which the near server does not have or has
    /// otherwise.
    async fn ask_leader(&mut self, from: u64, near: Option<Wrong>) -> Result<bool, Trouble> {
        let shared = Arc::clone(&self.shared);
        let seq = self.tip.next();
        let message = shared.engine.get(&shared.origin, from).await?;
        Counters::add(&shared.counters.leader_reads, 1);
        let Some(message) = message else {
            return if near.is_some() {
                Err(Trouble::Suspect(Fault::Hole { seq }))
            } else if shared.acks.lock().highest() >= from {
                Err(Trouble::Suspect(Fault::Unheld { seq }))
            } else {
                // Whoever told of it was wrong.
                self.told_to = 0;
                Ok(false)
            };
        };
        let altered = |what: &str| {
            let what = what.to_owned();
            Trouble::Suspect(Fault::Altered { seq, what })
        };
        match admit(&shared.origin, seq, &message) {
            Ok(admitted) => {
                if near.is_some() {
                    Counters::add(&shared.counters.near_faults, 1);
                    let wound = format!("the near server has lost or altered entry {seq}");
                    shared.set(|health| health.wound = Some(wound));
                }
                let entry = self.read_back(seq, &message, admitted)?;
                self.commit(seq, vec![entry]).await
            }
            Err(Wrong::Hole) => Err(altered("the engine gives another one in its place")),
            Err(Wrong::Altered(what)) => Err(altered(what)),
        }
    }

    /// Waits until there may be something new.
    async fn rest(&mut self) {
        let shared = Arc::clone(&self.shared);
        if self.behind.is_some() {
            sleep(self.pause).await;
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
            return;
        }
        self.pause = FIRST_PAUSE;
        let next = shared.origin.message(self.tip.next());
        let look = Instant::now() + shared.pace.poll;
        loop {
            tokio::select! {
                biased;
                messages = shared.engine.told(&shared.origin) => return self.hear(messages),
                () = shared.kick.notified() => {
                    // Most often it was told of, and copied, before it was acknowledged.
                    if shared.acks.lock().highest() < next {
                        continue;
                    }
                    let told = shared.engine.told(&shared.origin);
                    if let Ok(messages) = timeout(TOLD_WITHIN, told).await {
                        self.hear(messages);
                    }
                    return;
                }
                () = sleep_until(look) => return,
            }
        }
    }

    /// Takes note of trouble, and waits a moment.
    async fn endure(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Away(why) => {
                // What looked wrong has to look so without a break.
                self.suspected = None;
                self.shared.set(|health| health.reading = Some(why));
            }
            Trouble::Certain(fault) => return self.shared.fail(fault),
            Trouble::Suspect(fault) => {
                let since = *self.suspected.get_or_insert_with(Instant::now);
                let why = fault.to_string();
                if since.elapsed() >= self.shared.pace.suspect_for {
                    return self.shared.fail(fault);
                }
                self.shared.set(|health| health.reading = Some(why));
            }
        }
        sleep(TROUBLE_PAUSE).await;
    }
}
