//! Bare messages that are stored in the engine all the time. What they have to wait for is the engine's own doing.

use super::{Engine, LED, OURS};
use crate::cluster::{SITES, name};
use crate::ground::Stage;
use crate::record::Gap;
use anyhow::Result;
use async_nats::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What the probe is called in plots.
pub const ENGINE: &str = "engine alone";
/// How often each stream gets a message.
const EVERY: Duration = Duration::from_millis(50);
/// How long a message may take before it is stored again, elsewhere.
const HASTE: Duration = Duration::from_millis(400);

/// The streams.
pub fn names() -> Vec<String> {
    (0..SITES * LED).map(|n| format!("{OURS}-{n}")).collect()
}

/// Where their messages go.
pub fn subject(stream: &str) -> String {
    stream.to_lowercase().replace('-', ".")
}

impl Engine {
    /// Lets each data centre lead the same number of the drill's streams.
    pub async fn spread(&self) {
        for (n, stream) in names().iter().enumerate() {
            let wanted = json!({ "placement": { "preferred": name(n % SITES) } });
            // Where it leads already, that is an error; where it cannot, another one leads.
            let _ = self
                .ask(&format!("STREAM.LEADER.STEPDOWN.{stream}"), &wanted)
                .await;
        }
    }

    /// Stores messages until the stage is over; gives the longest time that a stream took none.
    pub async fn probe(&self, stage: &Stage) -> Result<Duration> {
        let gaps: Arc<Mutex<Vec<Gap>>> = Arc::new(Mutex::new(vec![Gap::default(); names().len()]));
        let mut storing = JoinSet::new();
        for (n, stream) in names().into_iter().enumerate() {
            let probe = Probe {
                n,
                stream,
                clients: self.clients.clone(),
                stage: stage.clone(),
            };
            storing.spawn(probe.store(gaps.clone()));
        }
        storing.join_all().await;
        let longest = gaps.lock().iter().map(Gap::longest_ms).max().unwrap_or(0);
        Ok(Duration::from_millis(longest))
    }
}

struct Probe {
    n: usize,
    stream: String,
    clients: Vec<Client>,
    stage: Stage,
}

impl Probe {
    async fn store(self, gaps: Arc<Mutex<Vec<Gap>>>) {
        let recorder = &self.stage.recorder;
        let mut at = self.n % self.clients.len();
        while !self.stage.over() {
            let asked = Instant::now();
            let stored = self.clients[at].request(subject(&self.stream), "beacon".into());
            let answer = timeout(HASTE, stored).await;
            let answer = answer.ok().and_then(Result::ok);
            let answer: Option<Value> =
                answer.and_then(|answer| serde_json::from_slice(&answer.payload).ok());
            if answer.is_some_and(|answer| answer["seq"].is_u64()) {
                recorder.acknowledged(ENGINE, self.n % SITES, asked, asked);
                gaps.lock()[self.n].heard(recorder.now());
            } else {
                at = (at + 1) % self.clients.len();
            }
            self.stage.pass(asked + EVERY).await;
        }
    }
}
