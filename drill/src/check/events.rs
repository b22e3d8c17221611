//! What merchants were told, compared with what they have to be told: each thing at least once, each under one id, and
//! under that id the same bytes however often it comes.

use super::Findings;
use crate::ledger::number;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many events are remembered, so that an hour's are and memory has a bound.
const REMEMBERED: usize = 500_000;

/// How many deliveries there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Events that were taken.
    #[serde(default)]
    pub webhooks_received: u64,
    /// Deliveries of events that had been taken before.
    #[serde(default)]
    pub webhooks_repeated: u64,
    /// Deliveries that the receiver refused, so that they come again.
    #[serde(default)]
    pub webhooks_refused: u64,
    /// Events that never came.
    #[serde(default)]
    pub webhooks_missing: u64,
}

impl Told {
    /// Adds those of elsewhere.
    pub fn add(&mut self, other: Self) {
        self.webhooks_received += other.webhooks_received;
        self.webhooks_repeated += other.webhooks_repeated;
        self.webhooks_refused += other.webhooks_refused;
        self.webhooks_missing += other.webhooks_missing;
    }
}

/// One event that came.
#[derive(Debug, Clone, Copy)]
struct Came {
    body: u64,
    about: u64,
    taken: bool,
}

/// What merchants have to be told and were told. What an event is about is a text that two events never share: the
/// merchant, what happened, and to what.
#[derive(Debug, Default)]
pub struct Events {
    wanted: BTreeMap<u64, String>,
    came: BTreeMap<u64, Came>,
    /// Under which id each was told.
    ids: BTreeMap<u64, u64>,
    order: VecDeque<u64>,
    found: Findings,
}

impl Events {
    /// Something was acknowledged that a merchant has to be told.
    pub fn want(&mut self, about: String) {
        let key = number(&about);
        let told = self.ids.get(&key).and_then(|id| self.came.get(id));
        if !told.is_some_and(|came| came.taken) {
            self.wanted.insert(key, about);
        }
    }

    /// An event came under `id` that is signed as it has to be. Whether the receiver takes it `takes` says.
    pub fn come(&mut self, (id, about, body): (&str, &str, &[u8]), takes: bool) {
        let (key, about_key, body) = (number(id), number(about), number(body));
        match self.came.get(&key).copied() {
            None => self.first(key, (about_key, about, id)),
            Some(before) if before.about != about_key => {
                self.found.doubled += 1;
                let text = format!("webhook {id} is used for two events, one of them {about}");
                self.found.problem(text);
            }
            Some(before) if before.body != body => {
                self.found.unfaithful += 1;
                let text = format!("webhook {id} came again with another body");
                self.found.problem(text);
            }
            Some(_) => {}
        }
        let came = self.came.entry(key).or_insert(Came {
            body,
            about: about_key,
            taken: false,
        });
        let told = &mut self.found.told;
        match (takes, came.taken) {
            (false, _) => told.webhooks_refused += 1,
            (true, true) => told.webhooks_repeated += 1,
            (true, false) => told.webhooks_received += 1,
        }
        came.taken |= takes;
        if takes {
            self.wanted.remove(&about_key);
        }
    }

    /// An event comes for the first time.
    fn first(&mut self, id: u64, (about, words, name): (u64, &str, &str)) {
        if self.ids.insert(about, id).is_some() {
            self.found.doubled += 1;
            let text = format!("{words} was told under two ids, one of them {name}");
            self.found.problem(text);
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && let Some(gone) = self.came.remove(&oldest)
        {
            self.ids.remove(&gone.about);
        }
    }

    /// Something came that was not signed as it has to be.
    pub fn unsigned(&mut self, why: &str) {
        self.found.unfaithful += 1;
        self.found.problem(format!("a webhook was refused: {why}"));
    }

    /// Whether `id` came before.
    pub fn knows(&self, id: &str) -> bool {
        self.came.contains_key(&number(id))
    }

    /// How many have not come yet.
    pub fn missing(&self) -> usize {
        self.wanted.len()
    }

    /// What was found since this was asked last. What has not come may still come.
    pub fn take(&mut self) -> Findings {
        std::mem::take(&mut self.found)
    }

    /// The same, when what has not come is lost.
    pub fn end(&mut self) -> Findings {
        for about in std::mem::take(&mut self.wanted).into_values() {
            self.found.lost += 1;
            self.found.told.webhooks_missing += 1;
            self.found.problem(format!(
                "no webhook ever said {about}, which was acknowledged"
            ));
        }
        self.take()
    }
}
