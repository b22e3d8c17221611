//! Looking after what has to be so, for the metrics: what waits for the bank, and whether the books are in order.

use super::Api;
use super::admin::Bounds;
use crate::bank::{Compared, Differs};
use crate::query;
use bongsu_base::Millis;
use bongsu_lane::LaneState;
use bongsu_ledger::{Broken, Patrol, Seen};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked what waits.
const EVERY: Duration = Duration::from_secs(5);
/// How often the bank's last day is compared, by the site that carries its orders out.
const SELDOM: Duration = Duration::from_secs(600);
/// How much of what the bank did is compared.
const A_DAY: Millis = Millis::hours(24);
/// How much of the history is looked at in one go: a third of a second's work, and 300 million lines a day.
const STRETCH: u32 = 20_000;

/// Whether what has to be so is so.
#[derive(Debug, Clone, Default)]
pub struct Invariants(Family<[(&'static str, &'static str); 1], Gauge>);

impl Invariants {
    /// Enters them into `registry` as `bongsu_pay_invariant`.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Whether something has to be so and is: 1, or 0 if it is broken. sum: debits equal credits; limits: no \
                    account is beyond its own; chain: the books follow from their history; bank: the bank's last day is as here, \
                    said by the site that carries its orders out";
        registry.register("bongsu_pay_invariant", help, self.0.clone());
    }

    fn set(&self, name: &'static str, holds: bool) {
        if !holds {
            tracing::error!(
                invariant = name,
                "the books are not in order; `bongsu pay proof` and `bongsu pay reconcile` say more"
            );
        }
        let gauge = self.0.get_or_create(&[("invariant", name)]);
        gauge.set(i64::from(holds));
    }

    /// Says no longer whether `name` is so: another site does.
    fn forget(&self, name: &'static str) {
        self.0.remove(&[("invariant", name)]);
    }
}

impl Api {
    /// Measures whatever waits and checks what has to be so, until the lane ends.
    pub async fn keep_watched(self) {
        let (mut patrol, mut seldom) = (Patrol::default(), Instant::now());
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            self.look_at_bank().await;
            self.check_sums().await;
            patrol = self.check_books(patrol).await;
            if !self.lane.leads() {
                self.invariants.forget("bank");
                seldom = Instant::now();
            } else if seldom <= Instant::now() {
                self.check_bank().await;
                seldom = Instant::now() + SELDOM;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look_at_bank(&self) {
        let now = self.lane.progress().time;
        match self.lane.read(query::waits_since).await {
            Ok(since) => {
                let age = since.map_or(0, |since| now.since(since).0);
                self.bank.metrics.waits_since(age);
            }
            Err(error) => {
                tracing::warn!(%error, "what waits for the bank cannot be read");
            }
        }
    }

    async fn check_sums(&self) {
        let sums = self.lane.read(|view| {
            let all = query::ledgers(view)?;
            Ok(all.iter().all(|(ledger, _)| ledger.proof.balances()))
        });
        match sums.await {
            Ok(hold) => self.invariants.set("sum", hold),
            Err(error) => tracing::warn!(%error, "the sums of the books cannot be read"),
        }
    }

    /// Walks on along the books. That they are in order is said when all of them were seen.
    async fn check_books(&self, mut patrol: Patrol) -> Patrol {
        let before = patrol.clone();
        let walked = self.lane.read_long(move |view| {
            let seen = patrol.walk(view.db(), STRETCH)?;
            Ok((patrol, seen))
        });
        let (patrol, seen) = match walked.await {
            Ok(walked) => walked,
            Err(error) => {
                tracing::warn!(%error, "the books cannot be read");
                return before;
            }
        };
        match seen {
            Seen::Good => {}
            Seen::Round => {
                self.invariants.set("chain", true);
                self.invariants.set("limits", true);
            }
            Seen::Broken(broken) => {
                tracing::error!(%broken, "the books are broken");
                let limits = matches!(broken, Broken::Limit(_));
                self.invariants
                    .set(if limits { "limits" } else { "chain" }, false);
            }
        }
        patrol
    }

    /// Compares the bank's last day with the books, if it can be asked.
    async fn check_bank(&self) {
        let bounds = Bounds {
            from_ms: Some(self.lane.progress().time.0 - A_DAY.0),
            to_ms: None,
        };
        if let (Some(_), Ok(all)) = (&self.bank.asked, self.reconcile(&bounds).await) {
            self.invariants.set("bank", all.iter().all(is_sound));
        }
    }
}

/// Whether nothing differs but what is on its way.
fn is_sound(compared: &Compared) -> bool {
    let differ = |differs: Differs| differs != Differs::Waiting;
    !compared
        .differences
        .iter()
        .any(|found| differ(found.differs))
}
