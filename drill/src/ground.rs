//! What traffic stands on: where the data centres are, and what the drill knows while a scenario runs.

use crate::record::Recorder;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long after the end of a scenario everything that was begun may take to be acknowledged.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data centre, as a client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `dc1` and so on.
    pub name: String,
    /// Host and port.
    pub address: String,
}

/// The same in all scenarios.
#[derive(Debug)]
pub struct Ground {
    /// As `/.well-known/bongsu` lists them, in the order of their names.
    pub sites: Arc<[Site]>,
    /// What everything is drawn from.
    pub seed: u64,
    /// Where the bank is, which does not burn: host and port.
    pub bank: String,
    /// The token of whoever runs the platform.
    pub operator: String,
    /// How many people chat.
    pub people: usize,
    /// How many messages a second they send.
    pub rate: u32,
}

/// One scenario.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What it stands on.
    pub ground: Arc<Ground>,
    /// What is seen.
    pub recorder: Arc<Recorder>,
    /// Which one it is, from 0.
    pub round: u32,
    /// When it ended, once it has.
    pub ended: watch::Receiver<Option<Instant>>,
}

impl Stage {
    /// Whether nothing new is to be begun.
    pub fn over(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Returns at `when`, or when nothing new is to be begun.
    pub async fn pass(&self, when: Instant) {
        let mut ended = self.ended.clone();
        tokio::select! {
            () = sleep_until(when) => {}
            // An error means that the drill itself is gone.
            _ = ended.wait_for(Option::is_some) => {}
        }
    }

    /// Whether what was begun is given up.
    pub fn hopeless(&self) -> bool {
        self.ended
            .borrow()
            .is_some_and(|ended| ended.elapsed() > PATIENCE)
    }
}
