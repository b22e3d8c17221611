//! The engine of the logs as this data centre sees it, for `/metrics` and for `bongsu doctor`.
//!
//! It is looked at every few seconds by the logs themselves; whoever asks here is told what was seen last, and nothing
//! once that is old.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use bongsu_log::jetstream::{Health, JetstreamLog, Seen};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::watch;

/// Longer than a look takes that waits for every answer. What is older says nothing of now.
const OLD: Duration = Duration::from_secs(30);

/// Where [`LogStatus`] is given at the control socket.
pub const PATH: &str = "/engine";

/// One log's engine.
#[derive(Debug, Clone)]
pub struct LogWatch {
    lane: &'static str,
    /// The engine's server in this data centre.
    own: String,
    seen: watch::Receiver<Option<Seen>>,
    health: watch::Receiver<Health>,
}

impl LogWatch {
    /// The engine behind the log of `lane`, as the data centre `own` sees it.
    pub fn new(lane: &'static str, own: String, log: &JetstreamLog) -> Self {
        Self {
            lane,
            own,
            seen: log.seen(),
            health: log.health(),
        }
    }

    /// How it is now.
    fn status(&self) -> LogStatus {
        let seen = self.seen.borrow().clone();
        status(self.lane, &self.own, seen, &self.health.borrow())
    }
}

/// How a log's engine is, as one data centre sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStatus {
    /// The lane.
    pub lane: String,
    /// Servers that hold the log; 0 while the engine is silent.
    pub replicas: usize,
    /// Those that have all of it.
    pub current: usize,
    /// Whether one leads it, as far as is known here.
    pub led: bool,
    /// Whether that one is in this data centre.
    pub led_here: bool,
    /// What the engine did to the log, in words.
    pub damage: Option<String>,
}

fn status(lane: &str, own: &str, seen: Option<Seen>, health: &Health) -> LogStatus {
    let failed = health.failed.as_ref().map(ToString::to_string);
    let purged = health.purged.as_ref().map(ToString::to_string);
    let mut status = LogStatus {
        lane: lane.to_owned(),
        damage: failed.or_else(|| health.wound.clone()).or(purged),
        ..LogStatus::default()
    };
    if let Some(seen) = seen.filter(|seen| seen.at.elapsed() < OLD) {
        status.replicas = seen.replicas.all;
        status.current = seen.replicas.current;
        status.led = true;
        status.led_here = seen.leader.as_deref() == Some(own);
    }
    status
}

/// The engines of all logs; none on one machine alone.
#[derive(Debug, Clone, Default)]
pub struct EngineWatch(Vec<LogWatch>);

impl EngineWatch {
    /// These logs' engines.
    pub fn new(logs: impl IntoIterator<Item = LogWatch>) -> Self {
        Self(logs.into_iter().collect())
    }

    /// What is told at the control socket.
    pub fn routes(self) -> Router {
        Router::new().route(PATH, get(tell)).with_state(self)
    }

    fn all(&self) -> Vec<LogStatus> {
        self.0.iter().map(LogWatch::status).collect()
    }
}

async fn tell(State(watch): State<EngineWatch>) -> Json<Vec<LogStatus>> {
    Json(watch.all())
}

/// A measurement: its name, what it says, and how it is read.
type Measured = (&'static str, &'static str, fn(&LogStatus) -> usize);

const MEASURED: [Measured; 5] = [
    (
        "bongsu_log_replicas",
        "Servers of the engine that hold the log; 0 while it is silent or nobody leads the log",
        |log| log.replicas,
    ),
    (
        "bongsu_log_replicas_current",
        "Those of them that have all of the log, its leader among them",
        |log| log.current,
    ),
    (
        "bongsu_log_leader",
        "1 while a server of the engine leads the log, as far as is known here",
        |log| log.led.into(),
    ),
    (
        "bongsu_log_leader_here",
        "1 while the server that leads the log is in this data centre",
        |log| log.led_here.into(),
    ),
    (
        "bongsu_log_damaged",
        "1 while the engine is found to have lost, altered or let go of what it had acknowledged",
        |log| log.damage.is_some().into(),
    ),
];

impl Collector for EngineWatch {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let logs = self.all();
        if logs.is_empty() {
            return Ok(());
        }
        for (name, help, read) in MEASURED {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for log in &logs {
                let value = ConstGauge::new(i64::try_from(read(log)).unwrap_or(i64::MAX));
                value.encode(family.encode_family(&[("lane", log.lane.as_str())])?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::Seq;
    use bongsu_log::jetstream::{Purged, Replicas};
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use tokio::time::{Instant, advance};

    fn seen() -> Option<Seen> {
        Some(Seen {
            at: Instant::now(),
            leader: Some("dc1".to_owned()),
            replicas: Replicas { all: 3, current: 2 },
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_is_told_until_it_is_old() {
        let (tell_seen, seen_here) = watch::channel(seen());
        let (tell_health, health) = watch::channel(Health::default());
        let log = LogWatch {
            lane: "talk",
            own: "dc1".to_owned(),
            seen: seen_here,
            health,
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(EngineWatch::new([log])));
        let values = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let value = |line: &str| line.rsplit(' ').next().map(str::to_owned);
            lines.filter_map(value).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(values(), "3 2 1 1 0");
        advance(OLD).await;
        assert_eq!(values(), "0 0 0 0 0", "whoever looked has stopped looking");
        tell_seen.send_replace(seen());
        assert_eq!(values(), "3 2 1 1 0");
        let (from, first) = (Seq(1), Seq(4));
        tell_health.send_modify(|health| health.purged = Some(Purged { from, first }));
        tell_seen.send_replace(None);
        assert_eq!(values(), "0 0 0 0 1", "it does not answer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_elsewhere_is_a_leader() {
        let status = status("talk", "dc2", seen(), &Health::default());
        assert!(status.led && !status.led_here, "{status:?}");
    }
}
