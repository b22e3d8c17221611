//! Many seeds, and the one command that repeats the one that failed.

use crate::run::run;
use crate::workload::Workload;
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs the seeds of the workload `W`, on all cores; `test` is the test that calls it. With the
/// environment variable `BONGSU_SIM_SEED` it runs that seed alone.
///
/// # Panics
/// When a seed fails, with the command that runs it again.
pub fn check_seeds<W: Workload>(test: &str, seeds: Range<u64>) {
    let seeds = match std::env::var("BONGSU_SIM_SEED") {
        Ok(seed) => {
            // Whoever repeats one seed wants to see what the lanes say. Another test may have asked.
            let _ = tracing_subscriber::fmt()
                .without_time()
                .with_test_writer()
                .try_init();
            let seed = seed.parse().expect("BONGSU_SIM_SEED is a number");
            seed..seed + 1
        }
        Err(_) => seeds,
    };
    if let Some((seed, what)) = first_failure::<W>(seeds) {
        panic!(
            "seed {seed} failed: {what}\n\nto run it again:\n\n    \
             BONGSU_SIM_SEED={seed} cargo nextest run -p bongsu-sim {test}\n"
        );
    }
}

/// The lowest seed found to fail before all threads noticed, and why.
pub(crate) fn first_failure<W: Workload>(seeds: Range<u64>) -> Option<(u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while failed.lock().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let ran = std::panic::catch_unwind(|| run::<W>(seed));
            let what = match ran {
                Ok(Ok(_)) => continue,
                Ok(Err(what)) => what,
                Err(_) => "it panicked".to_owned(),
            };
            let mut failed = failed.lock();
            if failed.as_ref().is_none_or(|(other, _)| seed < *other) {
                *failed = Some((seed, what));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    failed.into_inner()
}
