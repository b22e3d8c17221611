//! Appends a second on the SQLite log, by the number of appenders. Run with
//! `cargo bench -p bongsu-log --bench append`; the log lies in the system's temporary folder.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures and tells"
)]

use bongsu_log::Log;
use bongsu_log::sqlite::{Options, SqliteLog};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BODY: [u8; 300] = [7; 300];
const SPAN: Duration = Duration::from_secs(2);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    for appenders in [1, 16, 256] {
        runtime.block_on(measure(appenders));
    }
}

async fn measure(appenders: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, _) = SqliteLog::open(&path, Options::new("bench")).expect("opened");
    let log = Arc::new(log);
    let start = Instant::now();
    let tasks: Vec<_> = (0..appenders)
        .map(|_| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < SPAN {
                    let begun = Instant::now();
                    log.append(Bytes::from_static(&BODY))
                        .await
                        .expect("appended");
                    waits.push(begun.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("done"));
    }
    let seconds = start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100];
    println!(
        "{appenders:>3} appenders: {:>8.0} appends/s, {:>6} commits, median {:?}, 99% {:?}",
        waits.len() as f64 / seconds,
        log.stats().commits,
        at(50),
        at(99),
    );
    drop(log);
    let begun = Instant::now();
    SqliteLog::open(&path, Options::new("bench")).expect("opened");
    println!(
        "              opening {} entries took {:?}",
        waits.len(),
        begun.elapsed()
    );
}
