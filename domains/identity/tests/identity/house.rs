//! A log in memory whose time the test sets, and a lane over it.

use async_trait::async_trait;
use bongsu_base::{LogTime, Millis, Seq};
use bongsu_identity::Identity;
use bongsu_lane::{Domain, Lane, Options};
use bongsu_log::{AppendError, Bounds, Chain, Entry, Log, ReadError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Notify;

/// A log in memory whose time the test sets.
#[derive(Debug)]
pub struct TestLog {
    entries: Mutex<Vec<Entry>>,
    appended: Notify,
    now: AtomicI64,
}

impl TestLog {
    /// An empty log.
    pub fn empty() -> Self {
        Self {
            entries: Mutex::default(),
            appended: Notify::new(),
            now: AtomicI64::new(1_800_000_000_000),
        }
    }

    /// The time.
    pub fn now(&self) -> LogTime {
        LogTime(self.now.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn pass(&self, span: Millis) {
        self.now.fetch_add(span.0, Ordering::SeqCst);
    }

    fn chain(entries: &[Entry]) -> Chain {
        entries.last().map_or(Chain::EMPTY, |last| Chain {
            seq: last.seq,
            link: last.link,
        })
    }

    fn push(&self, time: LogTime, body: Bytes) -> Seq {
        let mut entries = self.entries.lock();
        let Chain { seq, link } = Self::chain(&entries).extend(time, &body);
        entries.push(Entry {
            seq,
            time,
            body,
            link,
        });
        drop(entries);
        self.appended.notify_waiters();
        seq
    }
}

#[async_trait]
impl Log for TestLog {
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError> {
        Ok(self.push(self.now(), body))
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        let mut bytes = 0;
        let entries = self.entries.lock();
        let fits = |entry: &&Entry| {
            let first = bytes == 0;
            bytes += entry.body.len();
            first || bytes <= max_bytes
        };
        Ok(entries
            .iter()
            .skip(after.0 as usize)
            .take_while(fits)
            .cloned()
            .collect())
    }

    async fn wait(&self, after: Seq) {
        let appended = self.appended.notified();
        if Self::chain(&self.entries.lock()).seq <= after {
            appended.await;
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        let Chain { seq, link } = Self::chain(&self.entries.lock());
        Ok(Bounds {
            first: Seq(1),
            last: seq,
            link,
            bytes: 0,
        })
    }

    async fn truncate(&self, _: Seq) -> Result<(), ReadError> {
        Ok(())
    }
}

/// A lane over a log in memory.
pub struct House {
    /// The lane.
    pub lane: Lane<Identity>,
    /// Its log.
    pub log: Arc<TestLog>,
    join: Option<Box<dyn FnOnce() + Send>>,
    _folder: tempfile::TempDir,
}

impl House {
    /// Opens a lane over `log`.
    pub async fn over(log: TestLog) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = Arc::new(log);
        let mut options = Options::new(folder.path().join("identity.view"));
        options.durable_view = false;
        let (lane, runner, _) = Lane::open(log.clone(), options)
            .await
            .expect("an empty view opens");
        let running = runner.start().expect("a thread");
        let activated = lane.activate(Identity::VERSION).await;
        activated.expect("this code knows it");
        let join: Box<dyn FnOnce() + Send> = Box::new(|| running.join());
        Self {
            lane,
            log,
            join: Some(join),
            _folder: folder,
        }
    }

    /// Ends the lane's loops.
    pub async fn close(&mut self) {
        self.lane.close().await;
        if let Some(join) = self.join.take() {
            tokio::task::spawn_blocking(join)
                .await
                .expect("the follower ends");
        }
    }
}
