//! How old the views are.

use crate::health::Watch;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// The ages of the lanes' views, at the moment when they are asked for.
#[derive(Debug)]
pub struct Ages(pub Watch);

impl Collector for Ages {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(
            "bongsu_lane_view_age_seconds",
            "Time since the last proof that the view knew all that was acknowledged anywhere, or since the start",
            None,
            MetricType::Gauge,
        )?;
        for (lane, age) in self.0.ages() {
            let age = ConstGauge::new(age.as_secs_f64());
            age.encode(family.encode_family(&[("lane", lane)])?)?;
        }
        Ok(())
    }
}
