//! Until when the certificates are in force that this data centre shows and trusts in.

use crate::certificates::expiry;
use crate::config::Sites;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    role: &'static str,
}

/// Enters the ends of the certificates of `sites` into `registry`. They are taken when the process starts, and so are
/// they read here. One that cannot be read has expired in 1970.
pub fn register(registry: &mut Registry, sites: &Sites) {
    let ends: Family<Labels, Gauge> = Family::default();
    for (role, path) in sites.certificates() {
        let end = expiry(path).unwrap_or_else(|error| {
            tracing::warn!("{error:#}");
            0
        });
        ends.get_or_create(&Labels { role }).set(end);
    }
    registry.register(
        "bongsu_certificate_expiry_timestamp_seconds",
        "When the first certificate in a file expires, in seconds since 1970; as it was read at the start",
        ends,
    );
}
