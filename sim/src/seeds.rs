//! Many seeds, and the one command that repeats the one that failed.

use crate::ground::Kind;
use crate::run::run;
use crate::workload::Workload;
use std::ops::Range;

/// Runs the seeds of the workload `W` on the ground `kind`, one after the other; `test` is the test that calls it. With the
/// environment variable `BONGSU_SIM_SEED` it runs that seed alone. To use several cores, let several
/// tests run a part of the seeds each: SQLite's memory has one lock in a process.
///
/// # Panics
/// When a seed fails, with the command that runs it again.
pub fn check_seeds<W: Workload>(kind: Kind, test: &str, seeds: Range<u64>) {
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
    if let Some((seed, what)) = first_failure::<W>(kind, seeds) {
        panic!(
            "seed {seed} failed: {what}\n\nto run it again:\n\n    \
             BONGSU_SIM_SEED={seed} cargo nextest run -p bongsu-sim {test}\n"
        );
    }
}

/// The lowest seed that fails, and why.
fn first_failure<W: Workload>(kind: Kind, mut seeds: Range<u64>) -> Option<(u64, String)> {
    seeds.find_map(|seed| {
        let ran = std::panic::catch_unwind(|| run::<W>(kind, seed));
        match ran {
            Ok(Ok(_)) => None,
            Ok(Err(what)) => Some((seed, what)),
            Err(_) => Some((seed, "it panicked".to_owned())),
        }
    })
}
