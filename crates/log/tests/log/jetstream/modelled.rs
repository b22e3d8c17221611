//! The log over a model of the engine: bad days by the hundred, and every damage.

use super::restoring::restoring;
use super::site::{ID, failure};
use crate::common::{all, append, open};
use bongsu_base::{Seed, Seq};
use bongsu_log::jetstream::{Fault, JetstreamLog, Options, Pace, Purged, restore};
use bongsu_log::memory::{Chance, Cluster, Damage, EngineFaults, MemoryMirror};
use bongsu_log::{AppendError, Entry, Log};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

const SITES: usize = 3;

fn seed(number: u64) -> Seed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Seed::from_bytes(bytes)
}

/// A runtime whose clock goes on when nobody has anything to do.
fn simulate<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(run)
}

/// A site whose process ends now and then. Its log is there while it runs.
struct Site {
    cluster: Cluster,
    number: usize,
    mirror: MemoryMirror,
    log: Mutex<Option<Arc<JetstreamLog>>>,
}

impl Site {
    async fn open(&self) {
        let engine = self.cluster.engine(self.number);
        loop {
            let options = Options {
                create: Some(ID),
                ..Options::default()
            };
            match JetstreamLog::open(engine.clone(), &self.mirror, options).await {
                Ok((log, _)) => {
                    *self.log.lock().await = Some(Arc::new(log));
                    return;
                }
                Err(bongsu_log::jetstream::OpenError::Away(_)) => {}
                Err(error) => panic!("site {}: {error}", self.number),
            }
        }
    }

    async fn log(&self) -> Arc<JetstreamLog> {
        loop {
            if let Some(log) = &*self.log.lock().await {
                return Arc::clone(log);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Appends until that is acknowledged.
    async fn append(&self, body: Bytes) -> Seq {
        loop {
            match self.log().await.append(body.clone()).await {
                Ok(seq) => return seq,
                Err(AppendError::Refused(_) | AppendError::Unknown(_)) => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(AppendError::Stopped(why)) => panic!("{why}"),
            }
        }
    }
}

/// Makes trouble until it is dropped.
async fn trouble(cluster: Cluster, sites: Vec<Arc<Site>>, mut dice: Rng) {
    loop {
        sleep(Duration::from_millis(dice.u64(50..3_000))).await;
        let site = &sites[dice.usize(0..SITES)];
        match dice.u32(0..6) {
            0 | 1 => {
                cluster.cut(site.number, true);
                sleep(Duration::from_millis(dice.u64(10..20_000))).await;
                cluster.cut(site.number, false);
            }
            2 => cluster.elect(Duration::from_millis(dice.u64(100..9_000))),
            3 | 4 => {
                let ended = site.log.lock().await.take();
                if let Some(log) = ended {
                    log.close().await;
                }
                match dice.u32(0..3) {
                    0 => site.mirror.cut(dice.usize(0..10)),
                    1 => site.mirror.wipe(),
                    _ => {}
                }
                site.open().await;
            }
            _ => {
                cluster.set_faults(EngineFaults::NONE);
                sleep(Duration::from_millis(dice.u64(10..2_000))).await;
                cluster.set_faults(EngineFaults::ROUGH);
            }
        }
    }
}

/// One bad day; gives what is in the log at its end.
async fn bad_day(number: u64) -> Vec<Entry> {
    let mut dice = Rng::with_seed(number);
    let cluster = Cluster::new(seed(number), SITES, EngineFaults::ROUGH);
    let sites: Vec<Arc<Site>> = (0..SITES)
        .map(|number| {
            Arc::new(Site {
                cluster: cluster.clone(),
                number,
                mirror: MemoryMirror::default(),
                log: Mutex::default(),
            })
        })
        .collect();
    join_all(sites.iter().map(|site| site.open())).await;
    let trouble = tokio::spawn(trouble(cluster.clone(), sites.clone(), dice.fork()));
    let mut appenders = Vec::new();
    for (n, site) in sites.iter().enumerate() {
        for appender in 0..2 {
            let site = Arc::clone(site);
            let mut dice = dice.fork();
            appenders.push(tokio::spawn(async move {
                let mut acked = Vec::new();
                for number in 0..12 {
                    sleep(Duration::from_millis(dice.u64(0..500))).await;
                    let body = Bytes::from(format!("{n}-{appender}-{number}"));
                    acked.push((site.append(body.clone()).await, body));
                }
                acked
            }));
        }
    }
    let acked = join_all(appenders).await;
    trouble.abort();
    assert!(!trouble.await.is_err_and(|error| error.is_panic()));
    cluster.set_faults(EngineFaults::NONE);
    for site in &sites {
        cluster.cut(site.number, false);
        if site.log.lock().await.is_none() {
            site.open().await;
        }
    }
    let history = cluster.history();
    let last = history.last().expect("some").seq;
    for site in &sites {
        let log = site.log().await;
        assert!(log.reach(last, Duration::from_secs(600)).await);
        assert_eq!(all(&*log, Seq::ZERO).await, history);
        assert_eq!(log.health().borrow().failed, None);
    }
    for (seq, body) in acked.into_iter().flat_map(|acked| acked.expect("done")) {
        let entry = &history[usize::try_from(seq.0 - 1).expect("small")];
        assert_eq!((entry.seq, &entry.body), (seq, &body));
    }
    history
}

#[test]
fn on_a_bad_day_nothing_acknowledged_is_lost_and_nothing_differs() {
    for number in 0..300 {
        let day = std::panic::catch_unwind(|| simulate(bad_day(number)));
        assert!(day.is_ok(), "seed {number}");
    }
}

#[test]
fn a_seed_is_one_history() {
    for number in 300..310 {
        let history = simulate(bad_day(number));
        assert_eq!(simulate(bad_day(number)), history, "seed {number}");
    }
}

/// Two sites with ten entries each, of which the second one appends nothing.
async fn two_sites(pace: &Pace) -> (Cluster, Vec<JetstreamLog>) {
    let cluster = Cluster::new(seed(1), 2, EngineFaults::NONE);
    let mut logs = Vec::new();
    for site in 0..2 {
        let options = Options {
            create: Some(ID),
            pace: pace.clone(),
            ..Options::default()
        };
        let engine = cluster.engine(site);
        let opened = JetstreamLog::open(engine, &MemoryMirror::default(), options).await;
        logs.push(opened.expect("opened").0);
    }
    for n in 1..=10u8 {
        append(&logs[0], vec![n]).await;
    }
    for log in &logs {
        assert!(log.reach(Seq(10), Duration::from_secs(60)).await);
    }
    (cluster, logs)
}

#[test]
fn every_damage_stops_every_site() {
    for (damage, expected) in [
        (
            Damage::LoseEnd(1),
            "entry 9, and this site's copy at entry 10",
        ),
        (
            Damage::LoseEnd(10),
            "entry 0, and this site's copy at entry 10",
        ),
        (Damage::LoseStream, "no stream of this log any more"),
        (Damage::Alter(3), "entry 3 is not what was appended"),
        (Damage::Alter(10), "entry 10 is not what was appended"),
    ] {
        simulate(async {
            let (cluster, logs) = two_sites(&Pace::default()).await;
            cluster.damage(damage);
            for log in &logs {
                let fault = failure(log).await;
                assert!(fault.to_string().contains(expected), "{damage:?}: {fault}");
            }
        });
    }
}

#[test]
fn a_lost_end_is_noticed_by_the_acknowledgement_of_the_next_append() {
    simulate(async {
        let never = Pace {
            look_every: Duration::from_secs(1_000_000),
            ..Pace::default()
        };
        let (cluster, logs) = two_sites(&never).await;
        cluster.damage(Damage::LoseEnd(4));
        let stopped = logs[1].append("x".into()).await;
        assert!(
            matches!(stopped, Err(AppendError::Stopped(_))),
            "{stopped:?}"
        );
        let fault = failure(&logs[1]).await;
        assert!(
            matches!(fault, Fault::Altered { seq: Seq(7), .. }),
            "{fault}"
        );
    });
}

#[test]
fn what_only_the_engine_has_lost_does_not_stop_who_has_it() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        cluster.damage(Damage::Remove(4));
        for log in &logs {
            let mut health = log.health();
            let wound = health.wait_for(|health| health.wound.is_some());
            wound.await.expect("noticed");
        }
        let seq = append(&logs[1], "on").await;
        assert!(logs[0].reach(seq, Duration::from_secs(60)).await);
    });
}

/// No near server shows what is new for an hour.
fn blind() -> EngineFaults {
    EngineFaults {
        near_delay: 3_600_000..=3_600_000,
        ..EngineFaults::NONE
    }
}

#[test]
fn what_the_leader_tells_of_is_copied_without_asking() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        cluster.set_faults(blind());
        let before = logs[1].stats();
        let seq = append(&logs[0], "x").await;
        for log in &logs {
            assert!(log.reach(seq, Duration::from_millis(1)).await);
        }
        let after = logs[1].stats();
        assert_eq!(after.told, before.told + 1);
        assert_eq!(after.leader_reads, before.leader_reads);
    });
}

#[test]
fn what_it_was_not_told_of_is_fetched_before_what_it_was() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        cluster.set_faults(EngineFaults {
            deaf: Chance::ALWAYS,
            ..EngineFaults::NONE
        });
        append(&logs[0], "x").await;
        cluster.set_faults(EngineFaults::NONE);
        let seq = append(&logs[0], "y").await;
        for log in &logs {
            assert!(log.reach(seq, Duration::from_millis(1)).await);
            assert_eq!(all(log, Seq(0)).await, cluster.history());
        }
    });
}

#[test]
fn what_was_acknowledged_and_lost_before_it_was_read_is_missed() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        cluster.set_faults(EngineFaults {
            deaf: Chance::ALWAYS,
            ..blind()
        });
        let seq = append(&logs[0], "x").await;
        assert_eq!(seq, Seq(11));
        cluster.damage(Damage::LoseEnd(1));
        let fault = failure(&logs[0]).await;
        assert_eq!(fault, Fault::Unheld { seq });
    });
}

#[test]
fn a_restoration_says_what_it_waits_for_and_gives_up() {
    simulate(async {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy");
        let log = open(&copy);
        append(&log, "a").await;
        drop(log);
        let cluster = Cluster::new(seed(1), 1, EngineFaults::NONE);
        let engine = cluster.engine(0);
        let told = parking_lot::Mutex::new(Vec::new());
        let tell = |why: &str| told.lock().push(why.to_owned());
        let what = || restoring("test", vec![copy.clone()]);

        cluster.cut(0, true);
        let error = restore(&*engine, what(), &tell).await.expect_err("nobody");
        let expected = "waited 60 s for the engine in vain: the site is cut off";
        assert_eq!(error.to_string(), expected);
        assert_eq!(*told.lock(), ["the site is cut off"], "once");

        cluster.elect(Duration::from_secs(90));
        told.lock().clear();
        let (restored, ()) = tokio::join!(restore(&*engine, what(), &tell), async {
            sleep(Duration::from_secs(50)).await;
            cluster.cut(0, false);
        });
        let error = restored.expect_err("still nobody").to_string();
        assert!(error.ends_with("in vain: no leader answered"), "{error}");
        let waits = ["the site is cut off", "no leader answered"];
        assert_eq!(*told.lock(), waits, "each change");
        let restored = restore(&*engine, what(), &tell).await.expect("restored");
        assert_eq!(restored.last, Seq(1));
    });
}

#[test]
fn what_somebody_else_purged_is_noticed_and_stops_nobody() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        let purged = |log: &JetstreamLog| log.health().borrow().purged;
        logs[0].truncate(Seq(4)).await.expect("truncated");
        logs[0].release(Seq(4)).await.expect("purged");
        sleep(Duration::from_secs(60)).await;
        assert_eq!(purged(&logs[0]), None, "it asked for that");
        let (from, first) = (Seq(1), Seq(4));
        let other = Some(Purged { from, first });
        assert_eq!(purged(&logs[1]), other, "it did not");
        logs[1].truncate(Seq(4)).await.expect("truncated");
        cluster.damage(Damage::Purge(8));
        let (from, first) = (Seq(4), Seq(8));
        for log in &logs {
            let mut health = log.health();
            let noticed = health.wait_for(|health| health.purged == Some(Purged { from, first }));
            noticed.await.expect("noticed");
        }
        let words = "somebody purged the entries 4 to 7 from the engine, which no site let go of";
        assert_eq!(Purged { from, first }.to_string(), words);
        let seq = append(&logs[1], "on").await;
        assert!(logs[0].reach(seq, Duration::from_secs(60)).await);
        assert_eq!(logs[0].health().borrow().failed, None);
        for log in &logs {
            log.truncate(Seq(8)).await.expect("truncated");
            let mut health = log.health();
            let healed = health.wait_for(|health| health.purged.is_none());
            healed.await.expect("needed no longer");
        }
    });
}

#[test]
fn an_engine_that_is_silent_is_seen_no_more() {
    simulate(async {
        let (cluster, logs) = two_sites(&Pace::default()).await;
        let mut seen = logs[0].seen();
        let found = seen.wait_for(Option::is_some).await.expect("seen").clone();
        let replicas = found.expect("seen").replicas;
        assert_eq!((replicas.all, replicas.current), (2, 2));
        cluster.cut(0, true);
        seen.wait_for(Option::is_none).await.expect("silent");
        cluster.cut(0, false);
        seen.wait_for(Option::is_some).await.expect("seen again");
        cluster.elect(Duration::from_secs(5));
        seen.wait_for(Option::is_none).await.expect("no leader");
    });
}
