//! What the operating system knows of this process (Linux, `proc(5)`).

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// Read anew each time it is asked for.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut gauge = |name: &str, help: &str, value: Option<i64>| {
            let Some(value) = value else { return Ok(()) };
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)
        };
        gauge(
            "process_resident_memory_bytes",
            "Memory in use",
            resident_bytes(),
        )?;
        gauge(
            "process_open_fds",
            "Files and connections that are open",
            open_files(),
        )?;
        gauge("process_threads", "Threads that run", status("Threads:"))
    }
}

fn resident_bytes() -> Option<i64> {
    status("VmRSS:").map(|kib| kib * 1024)
}

fn status(field: &str) -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

fn open_files() -> Option<i64> {
    // Reading the folder opens one more.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as i64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_has_memory_files_and_threads() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(open_files().unwrap() > 0);
        assert!(status("Threads:").unwrap() > 0);
    }
}
