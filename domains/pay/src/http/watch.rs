//! Looking after what has to be so, for the metrics: what waits for the bank, and whether the books are in order.

use super::Api;
use super::admin::Bounds;
use crate::bank::{Compared, Differs};
use crate::query;
use bongsu_base::Millis;
use bongsu_lane::{LaneState, ReadView};
use bongsu_ledger::{Account, AccountId};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked what waits.
const EVERY: Duration = Duration::from_secs(5);
/// How often the sums, the limits and the bank's last day are looked at.
const OFTEN: Duration = Duration::from_secs(60);
/// How often the whole history is read.
const SELDOM: Duration = Duration::from_secs(3_600);
/// How much of what the bank did is compared.
const A_DAY: Millis = Millis::hours(24);
/// How many accounts are read at a time.
const PAGE: u32 = 1_000;

/// Whether what has to be so is so.
#[derive(Debug, Clone, Default)]
pub struct Invariants(Family<[(&'static str, &'static str); 1], Gauge>);

impl Invariants {
    /// Enters them into `registry` as `bongsu_pay_invariant`.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Whether something has to be so and is: 1, or 0 if it is broken. sum: debits equal credits; limits: no \
                    account is beyond its own; chain: the books follow from their history; bank: the bank's last day is as here";
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
}

impl Api {
    /// Measures whatever waits and checks what has to be so, until the lane ends.
    pub async fn keep_watched(self) {
        let (mut often, mut seldom) = (Instant::now(), Instant::now());
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            self.look_at_bank().await;
            if often <= Instant::now() {
                self.check_books().await;
                self.check_bank().await;
                often = Instant::now() + OFTEN;
            }
            if seldom <= Instant::now() {
                let checked = self.lane.read_long(|view| bongsu_ledger::check(view.db()));
                self.found("chain", checked.await.map(|checked| checked.is_ok()));
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

    async fn check_books(&self) {
        let sums = self.lane.read(|view| {
            let all = query::ledgers(view)?;
            Ok(all.iter().all(|(ledger, _)| ledger.proof.balances()))
        });
        self.found("sum", sums.await);
        self.found("limits", self.lane.read_long(within_limits).await);
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

    fn found<E: std::fmt::Display>(&self, name: &'static str, found: Result<bool, E>) {
        match found {
            Ok(holds) => self.invariants.set(name, holds),
            Err(error) => tracing::warn!(invariant = name, %error, "the books cannot be read"),
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

/// Whether every account obeys its limit.
fn within_limits(view: &ReadView<'_>) -> rusqlite::Result<bool> {
    let mut after = AccountId(0);
    loop {
        let page = Account::page(view.db(), after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(true);
        };
        after = last.opened.id;
        let within = |account: &Account| account.balance.within(account.opened.limit).is_ok();
        if !page.iter().all(within) {
            return Ok(false);
        }
    }
}
