//! Appends a second over JetStream: the bare engine beside the log with its copy, by the number of
//! appenders and the size of an entry. Run with `cargo bench -p bongsu-log --bench jetstream`; three servers
//! run on this machine, which syncs every append three times.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures and tells"
)]

use bongsu_base::{Partition, Seq};
use bongsu_log::Log;
use bongsu_log::jetstream::{
    Engine, JetstreamLog, Layout, MirrorFile, Nats, NatsOptions, Options, Origin, StreamId,
};
use bongsu_test_nats::Servers;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(3);
const ELECTION: Duration = Duration::from_secs(60);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let servers = Servers::start(3);
        for (appenders, bytes) in [
            (1, 300),
            (1, 8 << 10),
            (16, 300),
            (16, 8 << 10),
            (4, 64 << 10),
        ] {
            measure(&servers, appenders, bytes).await;
        }
    });
}

/// One kind of append.
#[derive(Clone)]
enum Way {
    /// Published, and acknowledged.
    Bare(Arc<dyn Engine>, Origin),
    /// Appended, and read back from this site's copy.
    Whole(Arc<JetstreamLog>),
}

impl Way {
    async fn append(&self, body: Bytes) {
        match self {
            Self::Bare(engine, origin) => {
                engine.publish(origin, body, None).await.expect("taken");
            }
            Self::Whole(log) => {
                let seq = log.append(body).await.expect("appended");
                log.wait(Seq(seq.0 - 1)).await;
            }
        }
    }
}

async fn measure(servers: &Servers, appenders: usize, bytes: usize) {
    let nats = Nats::connect(NatsOptions::new(servers.urls(0)))
        .await
        .expect("options");
    let engine = |lane: String| nats.engine(&lane, Partition(0), Layout::default());
    let origin = Origin::new(StreamId::from_bytes([1; 16]));
    let bare = engine(format!("bare-{appenders}-{bytes}"));
    while bare.create(&origin).await.is_err() || !matches!(bare.find().await, Ok(Some(_))) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    run("engine alone", Way::Bare(bare, origin), appenders, bytes).await;

    // Three sites follow, as in earnest.
    let lane = format!("whole-{appenders}-{bytes}");
    let mut logs = Vec::new();
    for site in 0..3 {
        let nats = Nats::connect(NatsOptions::new(servers.urls(site)))
            .await
            .expect("options");
        let path = servers.folder().join(format!("{lane}-{site}"));
        let options = Options {
            create: Some(StreamId::from_bytes([2; 16])),
            reach_within: Some(ELECTION),
            ..Options::default()
        };
        let engine = nats.engine(&lane, Partition(0), Layout::default());
        let opened = JetstreamLog::open(engine, &MirrorFile::new(path, &lane), options).await;
        logs.push(Arc::new(opened.expect("opened").0));
    }
    let whole = Way::Whole(Arc::clone(&logs[0]));
    run("log with copies", whole, appenders, bytes).await;
    let last = logs[0].bounds().await.expect("bounds").last;
    let begun = Instant::now();
    for log in &logs {
        assert!(log.reach(last, Duration::from_secs(60)).await);
    }
    let stats = logs[0].stats();
    println!(
        "                 {} entries in {} fetches; all three copies complete {:?} later",
        stats.entries,
        stats.fetches,
        begun.elapsed()
    );
    for log in &logs {
        log.close().await;
    }
}

async fn run(what: &str, way: Way, appenders: usize, bytes: usize) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..appenders)
        .map(|_| {
            let way = way.clone();
            let body = Bytes::from(vec![7; bytes]);
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < SPAN {
                    let begun = Instant::now();
                    way.append(body.clone()).await;
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
        "{appenders:>3} x {bytes:>6} bytes, {what:>15}: {:>7.0} appends/s, median {:?}, 99% {:?}",
        waits.len() as f64 / seconds,
        at(50),
        at(99),
    );
}
