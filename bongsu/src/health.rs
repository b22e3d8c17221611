//! Whether the server works: a canary was appended and seen applied, in every domain, lately.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_lane::{Behaviour, Checkpoint, Domain, Health, Lane, LaneState};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Where it is told.
pub const READY: &str = "/health/ready";

/// One lane, whatever its domain.
struct Watched {
    name: &'static str,
    look: Box<dyn Fn() -> (Health, u64) + Send + Sync>,
    checkpoints: Box<dyn Fn() -> Vec<Checkpoint> + Send + Sync>,
    behaviour: Box<dyn Fn() -> Behaviour + Send + Sync>,
}

/// The lanes that must work.
#[derive(Clone)]
pub struct Watch {
    lanes: Arc<Vec<Watched>>,
    within: Duration,
    begun: Instant,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lanes.iter().map(|lane| lane.name);
        f.debug_list().entries(names).finish()
    }
}

/// Whether the server works.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether every domain works.
    pub ready: bool,
    /// Each domain's state.
    pub domains: Vec<DomainHealth>,
}

/// Whether one domain works.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DomainHealth {
    /// The domain.
    pub domain: String,
    /// Whether it works: it runs, and its canary was applied lately.
    pub ready: bool,
    /// `running`, `closing` or `stopped`.
    pub state: String,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last log entry that was applied.
    pub applied: u64,
    /// The behaviour that all data centres show.
    #[serde(default = "first_behaviour")]
    pub behaviour: u32,
    /// The highest that this release knows: with a higher one than they show, not all data centres are upgraded.
    #[serde(default = "first_behaviour")]
    pub knows: u32,
    /// How long ago the last canary was applied, in milliseconds; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_age_ms: Option<u64>,
    /// How long the last canary took from being asked to being applied, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_took_ms: Option<u64>,
}

/// What one data centre says to another of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct SiteStatus {
    /// Whether it works.
    pub readiness: Readiness,
    /// What it made of each domain's log.
    pub lanes: Vec<LaneStatus>,
}

/// What a data centre made of one domain's log.
#[derive(Debug, Serialize, Deserialize)]
pub struct LaneStatus {
    /// The domain.
    pub domain: String,
    /// What it was at the latest entries at which data centres compare themselves, oldest first.
    pub checkpoints: Vec<Checkpoint>,
}

/// What a release knows that does not say so.
const fn first_behaviour() -> u32 {
    1
}

/// The process answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Liveness {
    /// Always true.
    pub live: bool,
}

impl Watch {
    /// Watches no lane yet; a canary has to be heard `within` this span.
    pub fn new(within: Duration) -> Self {
        Self {
            lanes: Arc::default(),
            within,
            begun: Instant::now(),
        }
    }

    /// Watches `lane` too. To be called before the watch is shared.
    #[must_use]
    pub fn and<D: Domain>(mut self, lane: &Lane<D>) -> Self {
        let lane = lane.clone();
        let (same, behaving) = (lane.clone(), lane.clone());
        let look = Box::new(move || (lane.health(), lane.progress().chain.seq.0));
        let checkpoints = Box::new(move || same.checkpoints());
        let behaviour = Box::new(move || behaving.behaviour());
        let lanes = Arc::get_mut(&mut self.lanes).expect("the watch is not shared yet");
        lanes.push(Watched {
            name: D::NAME,
            look,
            checkpoints,
            behaviour,
        });
        self
    }

    /// How things stand.
    pub fn look(&self) -> Readiness {
        let domains: Vec<_> = self.lanes.iter().map(|lane| self.look_at(lane)).collect();
        Readiness {
            ready: domains.iter().all(|domain| domain.ready),
            domains,
        }
    }

    /// What this data centre lets another one compare with its own.
    pub fn site(&self) -> SiteStatus {
        let lanes = self.lanes.iter().map(|lane| LaneStatus {
            domain: lane.name.to_owned(),
            checkpoints: (lane.checkpoints)(),
        });
        SiteStatus {
            readiness: self.look(),
            lanes: lanes.collect(),
        }
    }

    /// How long ago the oldest of the lanes' last canaries was applied; `None` before each had one.
    pub fn age(&self) -> Option<Duration> {
        let ages = self.lanes.iter().map(|lane| (lane.look)().0.canary_age);
        ages.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The same of each lane by its name. Before a lane's first canary, its view is as old as the watch, at the least.
    pub fn ages(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let lanes = self.lanes.iter();
        lanes.map(|lane| {
            let age = (lane.look)().0.canary_age;
            (lane.name, age.unwrap_or_else(|| self.begun.elapsed()))
        })
    }

    fn look_at(&self, lane: &Watched) -> DomainHealth {
        let (health, applied) = (lane.look)();
        let Behaviour { active, known } = (lane.behaviour)();
        let ready = health.is_ready(self.within);
        let (state, reason) = match health.state {
            LaneState::Running => ("running", None),
            LaneState::Closing => ("closing", None),
            LaneState::Stopped(reason) => ("stopped", Some(reason.to_string())),
        };
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        DomainHealth {
            domain: lane.name.to_owned(),
            ready,
            state: state.to_owned(),
            reason,
            applied,
            behaviour: active,
            knows: known,
            canary_age_ms: health.canary_age.map(millis),
            canary_took_ms: health.canary_took.map(millis),
        }
    }
}

impl SiteStatus {
    /// The highest behaviour of `domain` that the data centre's release knows.
    pub fn knows(&self, domain: &str) -> u32 {
        let domains = self.readiness.domains.iter();
        let known = domains
            .filter(|found| found.domain == domain)
            .map(|found| found.knows);
        known.max().unwrap_or_else(first_behaviour)
    }
}

/// The process answers; this proves nothing else.
#[utoipa::path(get, path = "/health/live", tag = "health",
    responses((status = 200, description = "The process answers", body = Liveness)))]
pub async fn live() -> Json<Liveness> {
    Json(Liveness { live: true })
}

/// Every domain appended a record and saw it applied, here, within the last seconds.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "Every domain works", body = Readiness),
    (status = 503, description = "Some domain does not; the body says which and why", body = Readiness)))]
pub async fn ready(State(watch): State<Watch>) -> Response {
    let readiness = watch.look();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_centre_that_does_not_say_what_it_knows_has_a_first_release() {
        let domain = |name: &str, more: &str| {
            format!(r#"{{"domain":"{name}","ready":true,"state":"running","applied":7{more}}}"#)
        };
        let old = domain("talk", "");
        let new = domain("pay", r#","behaviour":2,"knows":3"#);
        let status =
            format!(r#"{{"readiness":{{"ready":true,"domains":[{old},{new}]}},"lanes":[]}}"#);
        let status: SiteStatus = serde_json::from_str(&status).expect("a status");
        let known = ["talk", "pay", "maps"].map(|domain| status.knows(domain));
        assert_eq!(known, [1, 3, 1]);
    }
}
