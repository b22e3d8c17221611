//! The log in memory goes wrong in every way it can, and the same way each time.

use bongsu_base::{Seed, Seq};
use bongsu_log::memory::{Chance, Faults, MemoryLog};
use bongsu_log::{AppendError, Chain, Entry, Log, ReadError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn seed(number: u8) -> Seed {
    Seed::from_bytes([number; 32])
}

/// What a run saw, in the order of the simulated time, and how often each thing happened.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    events: Vec<String>,
    counts: BTreeMap<&'static str, u32>,
    history: Vec<Entry>,
}

type Shared = Arc<parking_lot::Mutex<Seen>>;

fn note(seen: &Shared, start: Instant, what: &'static str, more: &str) {
    let mut seen = seen.lock();
    *seen.counts.entry(what).or_default() += 1;
    seen.events
        .push(format!("{:?} {what} {more}", start.elapsed()));
}

/// Appends the same body until it is known to be stored.
async fn appender(log: MemoryLog, name: usize, seen: Shared, start: Instant) {
    for n in 0..30 {
        let body = format!("{name}-{n}");
        loop {
            let result = log.append(body.clone().into()).await;
            let stored = log
                .history()
                .iter()
                .filter(|entry| entry.body == body.as_bytes())
                .count();
            let what = match (&result, stored) {
                (Ok(_), 1) => "appended",
                (Ok(_), _) => "appended again",
                (Err(AppendError::Refused(_)), _) => "refused",
                (Err(AppendError::Unknown(_)), 0) => "unknown and lost",
                (Err(AppendError::Unknown(_)), _) => "unknown and stored",
                (Err(AppendError::Stopped(_)), _) => "stopped",
            };
            note(&seen, start, what, &body);
            match result {
                Ok(_) => break,
                Err(AppendError::Stopped(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(_) => {}
            }
        }
    }
}

/// Follows the log for ever and checks the chain.
async fn follower(log: MemoryLog, name: String, seen: Shared, start: Instant) {
    let mut chain = Chain::EMPTY;
    loop {
        log.wait(chain.seq).await;
        match log.read(chain.seq, 200).await {
            Ok(entries) => {
                for entry in &entries {
                    chain = chain.extend(entry.time, &entry.body);
                    assert_eq!((chain.seq, chain.link), (entry.seq, entry.link));
                }
                note(&seen, start, "read", &format!("{name} {}", chain.seq));
            }
            Err(error) => {
                note(&seen, start, "read failed", &format!("{name}: {error}"));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

fn run(number: u8) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let log = MemoryLog::new(seed(number), Faults::ROUGH);
        let start = Instant::now();
        let seen = Shared::default();
        for name in ["one", "two", "three"] {
            tokio::spawn(follower(
                log.reader(name),
                name.into(),
                Arc::clone(&seen),
                start,
            ));
        }
        let appenders: Vec<_> = (0..4)
            .map(|name| tokio::spawn(appender(log.clone(), name, Arc::clone(&seen), start)))
            .collect();
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(777)).await;
            log.stop();
            assert!(log.bounds().await.is_err());
            assert!(matches!(
                log.read(Seq(0), 1).await,
                Err(ReadError::Unavailable(_))
            ));
            tokio::time::sleep(Duration::from_millis(100)).await;
            log.restart();
        }
        for appender in appenders {
            appender.await.expect("done");
        }
        // Everyone sees everything in the end.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let last = log.bounds().await.expect("bounds").last;
        let mut seen = std::mem::take(&mut *seen.lock());
        for name in ["one", "two", "three"] {
            let end = format!(" read {name} {last}");
            assert!(
                seen.events.iter().any(|event| event.ends_with(&end)),
                "seed {number}:{end}"
            );
        }
        seen.history = log.history();
        seen
    })
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for number in 0..4 {
        let first = run(number);
        for _ in 0..3 {
            assert!(run(number) == first, "seed {number}");
        }
        assert_ne!(first.history, run(number + 1).history);
    }
}

#[test]
fn everything_that_can_go_wrong_does() {
    let mut counts = BTreeMap::new();
    for number in 0..10 {
        let seen = run(number);
        assert!(
            seen.history.is_sorted_by_key(|entry| entry.time),
            "seed {number}"
        );
        for (what, count) in seen.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    for what in [
        "appended",
        "appended again",
        "refused",
        "unknown and lost",
        "unknown and stored",
        "stopped",
        "read",
        "read failed",
    ] {
        assert!(
            counts.get(what).is_some_and(|count: &u32| *count >= 10),
            "{what}: {counts:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_faults_it_is_a_plain_log() {
    let log = MemoryLog::new(seed(1), Faults::NONE);
    let reader = log.reader("one");
    for n in 1..=5u8 {
        assert_eq!(
            log.append(vec![n; 10].into()).await.expect("appended"),
            Seq(u64::from(n))
        );
    }
    assert_eq!(reader.read(Seq(1), 30).await.expect("read").len(), 3);
    log.truncate(Seq(4)).await.expect("truncated");
    let error = reader.read(Seq(2), 30).await.expect_err("truncated");
    assert!(
        matches!(error, ReadError::Truncated { first: Seq(4) }),
        "{error}"
    );
    let bounds = log.bounds().await.expect("bounds");
    assert_eq!(
        (bounds.first, bounds.last, bounds.bytes),
        (Seq(4), Seq(5), 20)
    );
    assert_eq!(
        reader.read(Seq(3), 30).await.expect("read")[..],
        log.history()[3..]
    );
    log.truncate(Seq(99)).await.expect("truncated");
    assert_eq!(log.bounds().await.expect("bounds").first, Seq(6));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_append_is_not_withdrawn_and_readers_see_it_at_their_own_time() {
    let faults = Faults {
        append_delay: 10..=10,
        read_delay: 0..=1_000,
        ..Faults::NONE
    };
    let log = MemoryLog::new(seed(3), faults);
    let start = Instant::now();
    let append = tokio::time::timeout(Duration::from_millis(1), log.append("x".into())).await;
    assert!(append.is_err());
    let readers = ["a", "b", "c", "d"].map(|name| {
        let reader = log.reader(name);
        async move {
            reader.wait(Seq::ZERO).await;
            assert_eq!(reader.read(Seq::ZERO, 1).await.expect("read").len(), 1);
            start.elapsed()
        }
    });
    let mut moments = futures_util::future::join_all(readers).await;
    moments.sort();
    moments.dedup();
    assert!(
        moments[0].as_millis() >= 10 && moments.len() > 1,
        "{moments:?}"
    );
    log.set_faults(Faults {
        refuse: Chance::ALWAYS,
        ..Faults::NONE
    });
    assert!(matches!(
        log.append("y".into()).await,
        Err(AppendError::Refused(_))
    ));
}
