//! A site: its connection, its copy, its log.

use bongsu_base::{Partition, Seq};
use bongsu_log::jetstream::{
    Engine, Fault, JetstreamLog, Layout, MirrorFile, Nats, NatsOptions, OpenError, Opened, Options,
    Pace, StreamId,
};
use bongsu_log::{Entry, Log};
use bongsu_test_nats::Servers;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub const ID: StreamId = StreamId::from_bytes([1; 16]);

/// A site's way to the engine, and where it keeps its copy.
pub struct Site {
    pub nats: Nats,
    pub lane: String,
    pub path: PathBuf,
    replicas: u8,
}

/// What the tests wait for comes sooner than what operators wait for.
pub fn options() -> Options {
    Options {
        create: Some(ID),
        pace: Pace {
            look_every: Duration::from_millis(100),
            suspect_for: Duration::from_secs(1),
            ..Pace::default()
        },
        ..Options::default()
    }
}

impl Site {
    /// Site `n` of `servers`, for the log of `lane`.
    pub async fn new(servers: &Servers, n: usize, lane: &str) -> Self {
        let urls = servers.urls(n);
        let replicas = u8::try_from(urls.len()).expect("few");
        let nats = Nats::connect(NatsOptions::new(urls))
            .await
            .expect("options");
        Self {
            nats,
            lane: lane.to_owned(),
            path: servers.folder().join(format!("{lane}-{n}.sqlite")),
            replicas,
        }
    }

    pub fn engine(&self) -> Arc<dyn Engine> {
        let layout = Layout {
            replicas: self.replicas,
            ..Layout::default()
        };
        self.nats.engine(&self.lane, Partition(0), layout)
    }

    pub fn store(&self) -> MirrorFile {
        MirrorFile::new(self.path.clone(), &self.lane)
    }

    pub async fn try_open(&self, options: Options) -> Result<(JetstreamLog, Opened), OpenError> {
        JetstreamLog::open(self.engine(), &self.store(), options).await
    }

    pub async fn open(&self) -> JetstreamLog {
        self.try_open(options()).await.expect("opened").0
    }

    /// Forgets this site's copy.
    pub fn forget(&self) {
        for ending in ["", "-wal", "-shm", "-origin"] {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }
}

/// Waits until the log has failed; says why.
pub async fn failure(log: &JetstreamLog) -> Fault {
    let mut health = log.health();
    let failed = health.wait_for(|health| health.failed.is_some());
    let failed = tokio::time::timeout(Duration::from_secs(120), failed).await;
    let health = failed.expect("it fails").expect("it is there").clone();
    health.failed.expect("it failed")
}

/// Everything in this site's copy, once that holds `last`.
pub async fn all_to(log: &JetstreamLog, last: Seq) -> Vec<Entry> {
    assert!(
        log.reach(last, Duration::from_secs(30)).await,
        "it reaches {last}"
    );
    let after = Seq(log.bounds().await.expect("bounds").first.0 - 1);
    crate::common::all(log, after).await
}

/// Looks again and again until `look` finds something, for another process' sake.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within a minute"))
}
