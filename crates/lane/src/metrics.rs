//! What a lane measures of itself.

use crate::applier::{Applied, Verdict};
use crate::domain::{Domain, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// A lane's counters, gauges and histograms. [`LaneMetrics::register`] gives them their names.
#[derive(Debug, Clone)]
pub struct LaneMetrics {
    pub(crate) up: Gauge,
    pub(crate) applied_seq: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) rejected: Counter,
    pub(crate) defects: Counter,
    pub(crate) repeated: Counter,
    pub(crate) refused: Counter,
    pub(crate) unknown: Counter,
    pub(crate) condemned: Counter,
    pub(crate) queued: Gauge,
    pub(crate) batch: Histogram,
    pub(crate) append: Histogram,
    pub(crate) apply: Histogram,
    pub(crate) canary: Gauge<f64, AtomicU64>,
    pub(crate) log_bytes: Gauge,
    pub(crate) snapshot_seq: Gauge,
}

impl Default for LaneMetrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        Self {
            up: Gauge::default(),
            applied_seq: Gauge::default(),
            accepted: Counter::default(),
            rejected: Counter::default(),
            defects: Counter::default(),
            repeated: Counter::default(),
            refused: Counter::default(),
            unknown: Counter::default(),
            condemned: Counter::default(),
            queued: Gauge::default(),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            append: seconds(),
            apply: seconds(),
            canary: Gauge::default(),
            log_bytes: Gauge::default(),
            snapshot_seq: Gauge::default(),
        }
    }
}

impl LaneMetrics {
    /// Enters them into `registry` as `bongsu_lane_…` with the lane's name as label.
    pub fn register<D: Domain>(&self, registry: &mut Registry) {
        let lane = ("lane".into(), D::NAME.into());
        let lanes = registry
            .sub_registry_with_prefix("bongsu_lane")
            .sub_registry_with_label(lane);
        self.register_counters(lanes);
        self.register_spans(lanes);
        let mut gauge = |name, help, gauge: &Gauge| lanes.register(name, help, gauge.clone());
        gauge("up", "1 while the lane appends and applies", &self.up);
        gauge(
            "applied_seq",
            "Sequence of the last entry applied here",
            &self.applied_seq,
        );
        gauge("queued", "Records waiting to be appended", &self.queued);
        gauge("log_bytes", "Bytes that the log occupies", &self.log_bytes);
        let help = "Sequence of the last snapshot taken by this process";
        gauge("snapshot_seq", help, &self.snapshot_seq);
    }

    fn register_counters(&self, lanes: &mut Registry) {
        let mut counter =
            |name, help, counter: &Counter| lanes.register(name, help, counter.clone());
        counter("accepted", "Commands accepted", &self.accepted);
        counter(
            "rejected",
            "Commands that the domain's rules rejected",
            &self.rejected,
        );
        counter(
            "defects",
            "Commands on which the domain's code failed",
            &self.defects,
        );
        counter(
            "repeated",
            "Records answered with an earlier outcome",
            &self.repeated,
        );
        counter(
            "refused",
            "Requests refused before the append for load",
            &self.refused,
        );
        let help = "Appends repeated since their fate was unknown";
        counter("unknown_appends", help, &self.unknown);
        let help = "Times the other data centres agreed on another state than this one had";
        counter("condemned", help, &self.condemned);
    }

    fn register_spans(&self, lanes: &mut Registry) {
        lanes.register("batch_records", "Records in an entry", self.batch.clone());
        let help = "Time from handing an entry to the log until it is durable";
        lanes.register("append_seconds", help, self.append.clone());
        let help = "Time to apply and commit what was read at once";
        lanes.register("apply_seconds", help, self.apply.clone());
        let help = "Time the last canary took from asked to applied";
        lanes.register("canary_seconds", help, self.canary.clone());
    }

    pub(crate) fn count<D: Domain>(&self, applied: &Applied<D>) {
        for (
            _,
            Verdict {
                repeated, outcome, ..
            },
        ) in &applied.outcomes
        {
            let counter = match outcome {
                _ if *repeated => &self.repeated,
                Some(Outcome::Accepted(_)) => &self.accepted,
                Some(Outcome::Rejected(_)) => &self.rejected,
                Some(Outcome::Defect) => &self.defects,
                None => continue,
            };
            counter.inc();
        }
        self.applied_seq.set(applied.progress.chain.seq.0 as i64);
    }
}
