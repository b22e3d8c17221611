//! The SQLite log does what the trait says.

use crate::common::{all, append, bodies, open, open_error, opened, options};
use bongsu_base::{LogTime, Seq};
use bongsu_log::sqlite::{OpenError, Options, SqliteLog};
use bongsu_log::{AppendError, Log, ReadError};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{join_all, poll_immediate};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use tokio::sync::mpsc::UnboundedReceiver;

#[tokio::test]
async fn what_was_appended_is_read_back_also_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, found) = opened(&path, options());
    assert!(found.created);
    assert_eq!((found.bounds.first, found.bounds.last), (Seq(1), Seq(0)));
    for body in ["a", "", "ccc"] {
        append(&log, body).await;
    }
    let before = all(&log, Seq::ZERO).await;
    assert_eq!(bodies(&before), ["a", "", "ccc"]);
    let bounds = log.bounds().await.expect("bounds");
    drop(log);
    assert!(
        !folder.path().join("log-wal").exists(),
        "closing leaves one file"
    );

    let (log, found) = opened(&path, options());
    assert!(!found.created);
    assert_eq!(
        (found.bounds.last, found.bounds.link),
        (Seq(3), bounds.link)
    );
    assert_eq!(all(&log, Seq::ZERO).await, before);
    assert_eq!(append(&log, "d").await, Seq(4));
    assert_eq!(bodies(&all(&log, Seq(2)).await), ["ccc", "d"]);
    assert_eq!(log.verify(None).await.expect("good").last, Seq(4));
}

#[tokio::test]
async fn a_read_gives_as_much_as_asked_for_but_at_least_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    for tail_bytes in [0, 1 << 20] {
        let (log, found) = opened(
            &path,
            Options {
                tail_bytes,
                ..options()
            },
        );
        let after = found.bounds.last;
        for _ in 0..4 {
            append(&log, vec![0; 100]).await;
        }
        for (max_bytes, expected) in [(0, 1), (99, 1), (200, 2), (299, 2), (1_000, 4)] {
            let entries = log.read(after, max_bytes).await.expect("read");
            assert_eq!(
                entries.len(),
                expected,
                "{max_bytes} bytes, tail {tail_bytes}"
            );
        }
        assert!(log.read(Seq(99), 1_000).await.expect("read").is_empty());
    }
}

/// A clock that tells when it is asked and answers when it is let.
fn gated() -> (Options, UnboundedReceiver<()>, mpsc::Sender<()>) {
    let (asked, asks) = tokio::sync::mpsc::unbounded_channel();
    let (gate, opens) = mpsc::channel();
    let opens = Mutex::new(opens);
    let clock = move || {
        let _ = asked.send(());
        let _ = opens.lock().recv();
        LogTime(7)
    };
    (
        Options {
            clock: Arc::new(clock),
            ..options()
        },
        asks,
        gate,
    )
}

#[tokio::test]
async fn appends_that_wait_together_are_committed_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let (options, mut asks, gate) = gated();
    let (log, _) = opened(&folder.path().join("log"), options);
    let mut first = log.append(Bytes::from_static(b"first"));
    assert!(poll_immediate(&mut first).await.is_none());
    asks.recv()
        .await
        .expect("the writer has taken the first one");
    let mut crowd: Vec<_> = (0..200u8)
        .map(|n| log.append(vec![n; 300].into()))
        .collect();
    for waiting in &mut crowd {
        assert!(poll_immediate(waiting).await.is_none());
    }
    drop(gate);
    first.await.expect("appended");
    let appended = join_all(crowd).await;
    let sequences: Vec<u64> = appended
        .into_iter()
        .map(|seq| seq.expect("appended").0)
        .collect();
    assert_eq!(sequences, (2..=201).collect::<Vec<_>>());
    assert_eq!((log.stats().commits, log.stats().entries), (2, 201));
}

#[tokio::test]
async fn what_is_over_the_bound_is_refused_and_a_dropped_append_is_still_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (gated, mut asks, gate) = gated();
    let (log, _) = opened(
        &path,
        Options {
            waiting_entries: 2,
            waiting_bytes: 50,
            ..gated
        },
    );
    let huge = log.append(vec![0; 51].into()).await;
    assert!(matches!(huge, Err(AppendError::Refused(_))), "{huge:?}");
    for n in 0..3u8 {
        assert!(poll_immediate(log.append(vec![n].into())).await.is_none());
        if n == 0 {
            asks.recv()
                .await
                .expect("the writer has taken the first one");
        }
    }
    let refused = log.append(Bytes::new()).await;
    assert!(
        matches!(refused, Err(AppendError::Refused(_))),
        "{refused:?}"
    );
    drop(gate);
    drop(log);
    let log = open(&path);
    assert_eq!(
        bodies(&all(&log, Seq::ZERO).await),
        [vec![0], vec![1], vec![2]]
    );
}

#[tokio::test]
async fn time_never_runs_backwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let clocked = |times: &[i64]| {
        let times: Mutex<VecDeque<i64>> = Mutex::new(times.iter().copied().collect());
        let clock = move || LogTime(times.lock().pop_front().unwrap_or(0));
        Options {
            clock: Arc::new(clock),
            ..options()
        }
    };
    let mut times = Vec::new();
    for clock in [&[5, 3, 8, -1][..], &[2, 9]] {
        let (log, _) = opened(&path, clocked(clock));
        for _ in clock {
            let seq = append(&log, Bytes::new()).await;
            let entry = log.read(Seq(seq.0 - 1), 1).await.expect("read");
            times.push(entry[0].time.0);
        }
        // Also not when the entry with the highest time is truncated away.
        log.truncate(Seq(99)).await.expect("truncated");
    }
    assert_eq!(times, [5, 5, 8, 8, 8, 9]);
}

#[tokio::test]
async fn a_log_is_open_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let log = open(&path);
    let error = open_error(&path);
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    let error = SqliteLog::cut_tail(&path, Seq::ZERO).expect_err("locked");
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(log);
    open(&path);
}

#[tokio::test]
async fn a_waiting_reader_wakes_for_the_entry_it_waits_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(&folder.path().join("log"));
    append(&log, "1").await;
    log.wait(Seq::ZERO).await;
    let mut second = log.wait(Seq(1));
    assert!(poll_immediate(&mut second).await.is_none());
    assert!(log.wait(Seq(2)).now_or_never().is_none());
    append(&log, "2").await;
    second.await;
}

#[tokio::test]
async fn truncation_moves_the_beginning_and_gives_space_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, _) = opened(
        &path,
        Options {
            tail_bytes: 0,
            ..options()
        },
    );
    join_all((0..3_000u32).map(|n| log.append(n.to_le_bytes().repeat(100).into()))).await;
    log.truncate(Seq(2_990)).await.expect("truncated");
    let error = log.read(Seq(2_988), 10).await.expect_err("truncated");
    assert!(
        matches!(error, ReadError::Truncated { first: Seq(2_990) }),
        "{error}"
    );
    let kept = all(&log, Seq(2_989)).await;
    assert_eq!(kept.len(), 11);
    log.truncate(Seq(5)).await.expect("nothing to do");
    assert_eq!(append(&log, "next").await, Seq(3_001));
    drop(log);

    let (log, found) = opened(&path, options());
    assert_eq!(
        (found.bounds.first, found.bounds.last),
        (Seq(2_990), Seq(3_001))
    );
    assert_eq!(all(&log, Seq(2_989)).await[..11], kept);
    log.truncate(Seq(9_999)).await.expect("truncated");
    let bounds = log.bounds().await.expect("bounds");
    assert_eq!((bounds.first, bounds.last), (Seq(3_002), Seq(3_001)));
    // One append at a time gives the writer its turns to hand free pages back.
    for _ in 0..20 {
        append(&log, "small").await;
    }
    drop(log);
    let bytes = std::fs::metadata(&path).expect("the log").len();
    assert!(bytes < 200_000, "{bytes} bytes are left of 1.2 MB");
    let (log, found) = opened(&path, options());
    assert_eq!(
        (found.bounds.first, found.bounds.last),
        (Seq(3_002), Seq(3_021))
    );
    assert_eq!(log.verify(None).await.expect("good").last, Seq(3_021));
}

#[tokio::test]
async fn opening_and_verifying_tell_how_far_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, _) = opened(
        &path,
        Options {
            batch_entries: 100,
            ..options()
        },
    );
    join_all((0..5_000).map(|_| log.append(Bytes::from_static(b"x")))).await;
    drop(log);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let progress = || -> Option<bongsu_log::sqlite::Progress> {
        let heard = Arc::clone(&heard);
        Some(Box::new(move |done, total| {
            heard.lock().push((done, total))
        }))
    };
    let (log, _) = opened(
        &path,
        Options {
            progress: progress(),
            ..options()
        },
    );
    assert_eq!(*heard.lock(), [(4_096, 5_000), (5_000, 5_000)]);
    log.verify(progress()).await.expect("good");
    assert_eq!(heard.lock()[2..], [(4_096, 5_000), (5_000, 5_000)]);
}

#[tokio::test]
async fn only_the_log_that_was_meant_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let check = |options: Options, expected: &str| {
        let error = SqliteLog::open(&path, options)
            .map(|_| ())
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains(expected) && error.contains(&path.display().to_string()),
            "{error}"
        );
    };
    check(
        Options {
            create: false,
            ..options()
        },
        "there is no such file",
    );
    std::fs::write(folder.path().join("log-wal"), b"left behind").expect("written");
    check(options(), "it is missing while");
    std::fs::remove_file(folder.path().join("log-wal")).expect("removed");
    for (content, expected) in [
        (&b""[..], "application id"),
        (&[7; 5_000], "not an SQLite database"),
        (b"SQLite format 3\0", "not an SQLite database"),
    ] {
        std::fs::write(&path, content).expect("written");
        check(options(), expected);
    }
    std::fs::remove_file(&path).expect("removed");
    drop(open(&path));
    check(Options::new("other"), "it is the log `test`, not `other`");
    let database = rusqlite::Connection::open(&path).expect("a database");
    database
        .pragma_update(None, "user_version", 2)
        .expect("set");
    drop(database);
    check(options(), "it has format 2");
}

#[tokio::test]
async fn a_full_disk_stops_the_log_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, _) = opened(
        &path,
        Options {
            max_file_bytes: Some(160_000),
            ..options()
        },
    );
    let mut stored = 0;
    let error = loop {
        match log.append(vec![1; 10_000].into()).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&error, AppendError::Unknown(what) if what.contains("full")),
        "{error}"
    );
    let error = log.append("small".into()).await.expect_err("stopped");
    assert!(matches!(error, AppendError::Stopped(_)), "{error}");
    let error = log.truncate(Seq(2)).await.expect_err("stopped");
    assert!(matches!(error, ReadError::Unavailable(_)), "{error}");
    assert_eq!(
        log.read(Seq::ZERO, 1 << 20)
            .await
            .expect("still readable")
            .len(),
        stored
    );
    drop(log);

    let (log, found) = opened(&path, options());
    assert_eq!(found.bounds.last.0, stored as u64);
    log.append("small".into())
        .await
        .expect("there is room again");
}
