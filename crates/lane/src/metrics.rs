//! What a lane measures of itself.

use crate::applier::{Applied, Verdict};
use crate::domain::{Domain, Outcome};
use crate::view::Progress;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use std::sync::atomic::AtomicU64;

/// A lane's counters, gauges and histograms. [`LanesMetrics`] tells of them.
#[derive(Debug, Clone)]
pub struct LaneMetrics {
    pub(crate) up: Gauge,
    pub(crate) active_behaviour: Gauge,
    pub(crate) known_behaviour: Gauge,
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
            active_behaviour: Gauge::default(),
            known_behaviour: Gauge::default(),
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

/// A measurement with its name and what it says.
type Named<'a> = (&'static str, &'static str, &'a dyn EncodeMetric);

impl LaneMetrics {
    fn all(&self) -> impl Iterator<Item = Named<'_>> {
        self.states().into_iter().chain(self.counters())
    }

    fn counters(&self) -> [Named<'_>; 7] {
        [
            ("bongsu_lane_accepted", "Commands accepted", &self.accepted),
            (
                "bongsu_lane_rejected",
                "Commands that the domain's rules rejected",
                &self.rejected,
            ),
            (
                "bongsu_lane_defects",
                "Commands on which the domain's code failed",
                &self.defects,
            ),
            (
                "bongsu_lane_repeated",
                "Records answered with an earlier outcome",
                &self.repeated,
            ),
            (
                "bongsu_lane_refused",
                "Requests refused before the append for load",
                &self.refused,
            ),
            (
                "bongsu_lane_unknown_appends",
                "Appends repeated since their fate was unknown",
                &self.unknown,
            ),
            (
                "bongsu_lane_condemned",
                "Times the other data centres agreed on another state than this one had",
                &self.condemned,
            ),
        ]
    }

    fn states(&self) -> [Named<'_>; 11] {
        [
            (
                "bongsu_lane_up",
                "1 while the lane appends and applies",
                &self.up,
            ),
            (
                "bongsu_lane_active_behaviour",
                "The behaviour that all data centres show",
                &self.active_behaviour,
            ),
            (
                "bongsu_lane_known_behaviour",
                "The highest behaviour that this release knows",
                &self.known_behaviour,
            ),
            (
                "bongsu_lane_applied_seq",
                "Sequence of the last entry applied here",
                &self.applied_seq,
            ),
            (
                "bongsu_lane_queued",
                "Records waiting to be appended",
                &self.queued,
            ),
            (
                "bongsu_lane_batch_records",
                "Records in an entry",
                &self.batch,
            ),
            (
                "bongsu_lane_append_seconds",
                "Time from handing an entry to the log until it is durable",
                &self.append,
            ),
            (
                "bongsu_lane_apply_seconds",
                "Time to apply and commit what was read at once",
                &self.apply,
            ),
            (
                "bongsu_lane_canary_seconds",
                "Time the last canary took from asked to applied",
                &self.canary,
            ),
            (
                "bongsu_lane_log_bytes",
                "Bytes that the log occupies",
                &self.log_bytes,
            ),
            (
                "bongsu_lane_snapshot_seq",
                "Sequence of the last snapshot kept here",
                &self.snapshot_seq,
            ),
        ]
    }

    /// The replica has come so far.
    pub(crate) fn at(&self, progress: &Progress) {
        self.applied_seq.set(progress.chain.seq.0 as i64);
        self.active_behaviour.set(progress.active_version.into());
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
        self.at(&applied.progress);
    }
}

/// The measurements of a process's lanes as `bongsu_lane_…`: each once, with the lanes' names as labels, as OpenMetrics wants
/// it.
#[derive(Debug, Default)]
pub struct LanesMetrics(Vec<(&'static str, LaneMetrics)>);

impl LanesMetrics {
    /// And those of this lane.
    #[must_use]
    pub fn and<D: Domain>(mut self, metrics: &LaneMetrics) -> Self {
        self.0.push((D::NAME, metrics.clone()));
        self
    }
}

impl Collector for LanesMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some((_, first)) = self.0.first() else {
            return Ok(());
        };
        let each = self.0.iter().map(|(lane, metrics)| (*lane, metrics.all()));
        let mut each: Vec<_> = each.collect();
        for (name, help, metric) in first.all() {
            let kind = metric.metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (lane, all) in &mut each {
                if let Some((.., metric)) = all.next() {
                    metric.encode(family.encode_family(&[("lane", *lane)])?)?;
                }
            }
        }
        Ok(())
    }
}
