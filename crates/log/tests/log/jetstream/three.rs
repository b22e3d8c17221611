//! Three servers: what happens when one of them is lost.

use super::site::{Site, all_to, options, until};
use bongsu_base::Seq;
use bongsu_log::jetstream::{JetstreamLog, Options, Pace};
use bongsu_log::{AppendError, Log};
use bongsu_test_nats::Servers;
use bytes::Bytes;
use futures_util::future::join_all;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What was acknowledged.
type Acked = Arc<Mutex<BTreeMap<Seq, Bytes>>>;

/// Three sites and those who append at them.
struct House {
    servers: Servers,
    sites: Vec<Site>,
    logs: Vec<Arc<JetstreamLog>>,
    acked: Acked,
    enough: Arc<AtomicBool>,
    appenders: Vec<JoinHandle<()>>,
}

impl House {
    async fn new(options: impl Fn(usize) -> Options) -> Self {
        let servers = Servers::start(3);
        let mut sites = Vec::new();
        for n in 0..3 {
            sites.push(Site::new(&servers, n, "talk").await);
        }
        let opened = sites.iter().enumerate().map(async |(n, site)| {
            let mut options = Options {
                reach_within: Some(Duration::from_secs(60)),
                ..options(n)
            };
            // A new leader may be behind for a while.
            options.pace.suspect_for = Pace::default().suspect_for;
            let opened = site.try_open(options).await;
            Arc::new(opened.unwrap_or_else(|error| panic!("site {n}: {error}")).0)
        });
        let logs = join_all(opened).await;
        Self {
            servers,
            sites,
            logs,
            acked: Acked::default(),
            enough: Arc::default(),
            appenders: Vec::new(),
        }
    }

    /// Lets two at each site append, each entry until it is acknowledged.
    fn append(&mut self) {
        for (n, log) in self.logs.iter().enumerate() {
            for appender in 0..2 {
                let (log, acked) = (Arc::clone(log), Arc::clone(&self.acked));
                let enough = Arc::clone(&self.enough);
                self.appenders.push(tokio::spawn(async move {
                    for number in 0.. {
                        if enough.load(Ordering::Relaxed) {
                            return;
                        }
                        let body = Bytes::from(format!("{n}-{appender}-{number}"));
                        let seq = until_acknowledged(&log, &body).await;
                        let before = acked.lock().insert(seq, body);
                        assert_eq!(before, None, "two entries were acknowledged as {seq}");
                    }
                }));
            }
        }
    }

    /// Returns once so many more were acknowledged.
    async fn see_appended(&self, more: usize) {
        let goal = self.acked.lock().len() + more;
        until("appending", async || {
            (self.acked.lock().len() >= goal).then_some(())
        })
        .await;
    }

    /// Returns once every server has everything.
    async fn see_all_current(&self) {
        until("catching up", async || {
            let found = self.sites[0].engine().find().await.ok()??;
            (found.replicas.current == 3).then_some(())
        })
        .await;
    }

    /// Ends appending and compares what the sites have.
    async fn compare(self) {
        self.enough.store(true, Ordering::Relaxed);
        for appender in self.appenders {
            appender.await.expect("it ended well");
        }
        let acked = std::mem::take(&mut *self.acked.lock());
        let last = *acked.last_key_value().expect("some").0;
        let entries = join_all(self.logs.iter().map(|log| all_to(log, last))).await;
        let common = entries.iter().map(Vec::len).min().expect("three");
        for n in 1..3 {
            assert_eq!(entries[0][..common], entries[n][..common], "site {n}");
        }
        for (seq, body) in &acked {
            let entry = &entries[0][usize::try_from(seq.0 - 1).expect("small")];
            assert_eq!((entry.seq, &entry.body), (*seq, body));
        }
        for log in &self.logs {
            let health = log.health().borrow().clone();
            assert_eq!((health.failed, health.wound), (None, None));
        }
    }
}

async fn until_acknowledged(log: &JetstreamLog, body: &Bytes) -> Seq {
    loop {
        match log.append(body.clone()).await {
            Ok(seq) => return seq,
            Err(AppendError::Refused(_) | AppendError::Unknown(_)) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(AppendError::Stopped(why)) => panic!("{why}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_each_server_is_killed_in_turn() {
    let mut house = House::new(|_| options()).await;
    house.append();
    for n in 0..3 {
        house.see_appended(100).await;
        house.servers.kill(n);
        house.see_appended(100).await;
        house.servers.start_one(n);
        house.see_all_current().await;
    }
    house.see_appended(100).await;
    house.compare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_stands_where_it_ought_to_and_nothing_is_lost_when_it_freezes() {
    let mut house = House::new(|n| {
        let mut options = options();
        if n == 2 {
            options.pace.lead_from = Some("n2".to_owned());
            options.pace.lead_after = Duration::from_millis(300);
        }
        options
    })
    .await;
    house.append();
    until("the leader's move", async || {
        let found = house.sites[0].engine().find().await.ok()??;
        (found.leader.as_deref() == Some("n2")).then_some(())
    })
    .await;
    house.see_appended(100).await;
    house.servers.freeze(2);
    house.see_appended(100).await;
    house.servers.thaw(2);
    house.see_all_current().await;
    house.see_appended(100).await;
    house.compare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_alone_is_given_nothing_more_until_it_hears_of_the_others() {
    let house = House::new(|_| options()).await;
    let found = house.sites[0].engine().find().await.expect("it answers");
    let found = found.expect("the stream is there");
    let leader = found.leader.expect("it has one");
    let alone = (0..3).find(|n| leader == format!("n{n}")).expect("of ours");
    let others = (0..3).filter(|n| *n != alone);
    for n in others.clone() {
        house.servers.freeze(n);
    }
    let log = &house.logs[alone];
    let (mut unknown, mut refused) = (0, 0);
    while refused < 3 {
        match log.append(Bytes::from_static(b"alone")).await {
            Ok(seq) => panic!("{seq} was acknowledged by a minority"),
            Err(AppendError::Unknown(_)) => unknown += 1,
            Err(AppendError::Refused(_)) => refused += 1,
            Err(AppendError::Stopped(why)) => panic!("{why}"),
        }
    }
    assert_eq!(unknown, 1, "the first alone may have been stored");
    for n in others {
        house.servers.thaw(n);
    }
    let seq = until_acknowledged(log, &Bytes::from_static(b"together")).await;
    house
        .acked
        .lock()
        .insert(seq, Bytes::from_static(b"together"));
    house.see_all_current().await;
    house.compare().await;
}
