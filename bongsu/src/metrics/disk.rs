//! How much of the disk the data take.

use crate::data::DataDir;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// How often the folders are walked: with a lot of media it takes a while.
const EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    part: &'static str,
}

/// The bytes of each part of the data folder.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    bytes: Family<Labels, Gauge>,
}

impl Disk {
    /// Enters them into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Bytes of the files in each part of the data folder";
        registry.register("bongsu_disk_bytes", help, self.bytes.clone());
    }

    /// Measures now and then, for ever.
    pub async fn keep_measured(self, data: DataDir) {
        loop {
            let folder = data.clone();
            match tokio::task::spawn_blocking(move || folder.sizes()).await {
                Ok(sizes) => {
                    for (part, bytes) in sizes {
                        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
                        self.bytes.get_or_create(&Labels { part }).set(bytes);
                    }
                }
                Err(error) => tracing::warn!(%error, "the data folder could not be measured"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
