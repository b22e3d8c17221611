//! What a store of blobs measures of itself.

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// A store's counters and gauges. [`MediaMetrics::register`] gives them their names.
#[derive(Debug, Clone, Default)]
pub struct MediaMetrics {
    pub(crate) copied: Counter,
    pub(crate) copies_failed: Counter,
    pub(crate) too_few: Counter,
    pub(crate) elsewhere: Counter,
    pub(crate) damaged: Counter,
    pub(crate) missing: Missing,
    pub(crate) repaired: Counter,
    pub(crate) repaired_bytes: Counter,
    pub(crate) unrepaired: Counter,
    pub(crate) scrubbed_bytes: Counter,
    pub(crate) swept: Counter,
    pub(crate) passes: Counter,
    pub(crate) passes_failed: Counter,
}

impl MediaMetrics {
    /// Enters them into `registry` as `bongsu_media_…`.
    pub fn register(&self, registry: &mut Registry) {
        let media = registry.sub_registry_with_prefix("bongsu_media");
        let help = "Blobs that are named and, when last looked for, were not here";
        media.register("missing", help, self.missing.gauge.clone());
        let mut counter =
            |name, help, counter: &Counter| media.register(name, help, counter.clone());
        let help = "Uploads copied to a second data centre";
        counter("copied", help, &self.copied);
        let help = "Copies that a data centre did not take; the next one was asked";
        counter("copies_failed", help, &self.copies_failed);
        let help = "Uploads refused since no second data centre took them";
        counter("too_few_copies", help, &self.too_few);
        let help = "Reads answered by another data centre";
        counter("read_elsewhere", help, &self.elsewhere);
        let help = "Times that a blob here was found damaged";
        counter("damaged", help, &self.damaged);
        let help = "Missing or damaged blobs replaced by another data centre's";
        counter("repaired", help, &self.repaired);
        let help = "Bytes of the blobs that were replaced";
        counter("repaired_bytes", help, &self.repaired_bytes);
        let help = "Attempts to replace a blob that no data centre could give";
        counter("unrepaired", help, &self.unrepaired);
        let help = "Bytes read to compare blobs with their ids";
        counter("scrubbed_bytes", help, &self.scrubbed_bytes);
        let help = "Blobs removed that nothing names";
        counter("swept", help, &self.swept);
        counter("passes", "Passes over all named blobs", &self.passes);
        let help = "Passes over all named blobs that broke off";
        counter("passes_failed", help, &self.passes_failed);
    }
}

/// How many blobs are missing, by the folder in which they should stand.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    gauge: Gauge,
    folders: Arc<Mutex<[i64; 256]>>,
}

impl Default for Missing {
    fn default() -> Self {
        Self {
            gauge: Gauge::default(),
            folders: Arc::new(Mutex::new([0; 256])),
        }
    }
}

impl Missing {
    /// `missing` are, in this folder.
    pub(crate) fn set(&self, folder: u8, missing: usize) {
        let mut folders = self.folders.lock();
        let place = &mut folders[usize::from(folder)];
        let change = missing as i64 - *place;
        *place += change;
        self.gauge.inc_by(change);
    }

    #[cfg(test)]
    pub(crate) fn get(&self) -> i64 {
        self.gauge.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_adds_up_over_the_folders() {
        let missing = Missing::default();
        missing.set(0, 5);
        missing.set(255, 2);
        missing.set(0, 1);
        assert_eq!(missing.get(), 3);
    }

    #[test]
    fn all_of_it_has_a_name() {
        let mut registry = Registry::default();
        MediaMetrics::default().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a text takes all");
        for name in [
            "missing",
            "repaired_total",
            "scrubbed_bytes_total",
            "swept_total",
        ] {
            assert!(
                text.contains(&format!("\nbongsu_media_{name} 0\n")),
                "{name}: {text}"
            );
        }
    }
}
