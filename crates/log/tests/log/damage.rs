//! Whatever happens to the file: the log opens as it was, or says what is wrong.

use crate::common::{all, append, block_on, bodies, open, open_error, opened, options};
use bongsu_base::Seq;
use bongsu_log::sqlite::{OpenError, Options, SqliteLog};
use bongsu_log::{Entry, Log, ReadError};
use std::path::Path;

/// A small log that begins at 4, with an entry that needs several pages; returns what it holds.
async fn small_log(path: &Path) -> Vec<Entry> {
    let (log, _) = opened(
        path,
        Options {
            page_size: 512,
            ..options()
        },
    );
    for n in 0..14u8 {
        if n == 6 {
            log.truncate(Seq(4)).await.expect("truncated");
        }
        append(&log, vec![n; if n == 8 { 1_000 } else { 40 }]).await;
    }
    all(&log, Seq(3)).await
}

/// Opens what `content` says; an error names the file, and success means `expected`, and with
/// `further` also after the log was used. Returns whether it opened.
async fn opens_as_it_was_or_not(
    path: &Path,
    content: &[u8],
    expected: &[Entry],
    further: bool,
    case: &str,
) -> bool {
    std::fs::write(path, content).expect("written");
    let log = match SqliteLog::open(path, options()) {
        Ok((log, _)) => log,
        Err(error) => {
            let known = !matches!(
                error,
                OpenError::Locked { .. } | OpenError::NoSuchEntry { .. }
            );
            let text = error.to_string();
            assert!(
                known && text.contains(&path.display().to_string()),
                "{case}: {text}"
            );
            return false;
        }
    };
    assert_eq!(all(&log, Seq(3)).await, expected, "{case}");
    if !further {
        return true;
    }
    let more = (0..6u8).map(|n| append(&log, vec![n; if n == 3 { 1_500 } else { 100 }]));
    futures_util::future::join_all(more).await;
    let before = all(&log, Seq(3)).await;
    drop(log);
    match SqliteLog::open(path, options()) {
        Ok((log, _)) => assert_eq!(all(&log, Seq(3)).await, before, "{case}, used further"),
        Err(error) => panic!("{case}: opened, was used, and then: {error}"),
    }
    true
}

#[test]
fn a_flipped_byte_is_harmless_or_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    block_on(async {
        let expected = small_log(&path).await;
        let content = std::fs::read(&path).expect("the log");
        let (mut opened, mut refused) = (0, 0);
        for at in 0..content.len() {
            // The header three ways, all the rest one of them.
            let flips = [0xff, 0x01, 0x80];
            let flips = if at < 100 {
                &flips[..]
            } else {
                &flips[at % 3..=at % 3]
            };
            for flip in flips {
                let mut damaged = content.clone();
                damaged[at] ^= flip;
                let case = format!("byte {at} of {} with {flip:#x}", content.len());
                let further = at < 100 || at % 32 == 0;
                let harmless =
                    opens_as_it_was_or_not(&path, &damaged, &expected, further, &case).await;
                *(if harmless { &mut opened } else { &mut refused }) += 1;
            }
        }
        assert!(
            opened > 0 && refused > opened,
            "{opened} harmless, {refused} refused"
        );
    });
}

#[test]
fn a_shortened_file_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    block_on(async {
        let expected = small_log(&path).await;
        let content = std::fs::read(&path).expect("the log");
        for length in (0..content.len()).step_by(128).chain([content.len() - 1]) {
            let case = format!("{length} of {} bytes", content.len());
            let harmless =
                opens_as_it_was_or_not(&path, &content[..length], &expected, true, &case).await;
            assert!(!harmless, "{case}");
        }
    });
}

/// The files of a log as they are after a crash, with `count` entries of which none is checkpointed.
fn crashed(folder: &Path, count: u8) -> (Vec<u8>, Vec<u8>, Vec<Entry>) {
    let path = folder.join("crashed");
    block_on(async {
        let (log, _) = opened(
            &path,
            Options {
                page_size: 512,
                ..options()
            },
        );
        for n in 0..count {
            append(&log, vec![n; 60]).await;
        }
        let read = |path: &Path| std::fs::read(path).expect("a file");
        (
            read(&path),
            read(&folder.join("crashed-wal")),
            all(&log, Seq::ZERO).await,
        )
    })
}

#[test]
fn a_damaged_wal_gives_the_entries_before_the_damage_or_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (database, wal, expected) = crashed(folder.path(), 20);
    let check = |damaged: &[u8], case: &str| -> Option<usize> {
        std::fs::write(&path, &database).expect("written");
        std::fs::write(folder.path().join("log-wal"), damaged).expect("written");
        let _ = std::fs::remove_file(folder.path().join("log-shm"));
        let (log, _) = SqliteLog::open(&path, options()).ok()?;
        let entries = block_on(all(&log, Seq::ZERO));
        assert_eq!(entries[..], expected[..entries.len()], "{case}");
        Some(entries.len())
    };
    assert_eq!(check(&wal, "whole"), Some(20));
    let mut counts = Vec::new();
    for length in (0..wal.len()).step_by(701) {
        counts.extend(check(
            &wal[..length],
            &format!("{length} of {} bytes", wal.len()),
        ));
    }
    assert!(counts.is_sorted() && counts.len() > 10, "{counts:?}");
    for at in (0..wal.len()).step_by(97) {
        let mut damaged = wal.clone();
        damaged[at] ^= 0x55;
        check(&damaged, &format!("byte {at}"));
    }
}

fn sql(path: &Path, statement: &str) {
    let database = rusqlite::Connection::open(path).expect("a database");
    database.execute_batch(statement).expect("done");
}

fn ten_entries(path: &Path) {
    block_on(async {
        let log = open(path);
        for n in 1..=10u8 {
            append(&log, vec![n]).await;
        }
    });
}

#[test]
fn damage_is_named_and_can_be_cut_off_when_asked_for() {
    // The first bad entry, and how many are cut off with it.
    let cases = [
        ("UPDATE entries SET body = x'00' WHERE seq = 7", 7, 4),
        ("UPDATE entries SET link = x'00' WHERE seq = 7", 7, 4),
        ("UPDATE entries SET time = time + 1 WHERE seq = 7", 7, 4),
        ("UPDATE entries SET time = time - 1 WHERE seq = 7", 7, 4),
        ("DELETE FROM entries WHERE seq = 7", 7, 3),
        ("DELETE FROM entries WHERE seq > 8", 9, 0),
        ("UPDATE entries SET seq = seq + 1 WHERE seq = 10", 10, 1),
        (
            "INSERT INTO entries SELECT seq + 1, time, body, link FROM entries WHERE seq = 10",
            11,
            1,
        ),
        ("UPDATE log SET tip_link = zeroblob(16)", 11, 0),
        ("DELETE FROM entries WHERE seq = 1", 1, 9),
    ];
    for (statement, bad, cut) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        ten_entries(&path);
        sql(&path, statement);
        let error = open_error(&path);
        let OpenError::Damaged { seq, last_good, .. } = &error else {
            panic!("{statement}: {error}")
        };
        assert_eq!(
            (seq.0, last_good.seq.0),
            (bad, bad - 1),
            "{statement}: {error}"
        );
        assert!(error.to_string().contains("`bongsu restore`"), "{error}");
        if bad < 10 {
            let error = SqliteLog::cut_tail(&path, Seq(bad)).expect_err("damaged");
            let stays = matches!(
                error,
                OpenError::Damaged { .. } | OpenError::NoSuchEntry { .. }
            );
            assert!(stays, "{statement}: {error}");
        }
        let good = last_good.seq;
        assert_eq!(
            SqliteLog::cut_tail(&path, good).expect(statement),
            cut,
            "{statement}"
        );
        block_on(async {
            let log = open(&path);
            assert_eq!(append(&log, "next").await, good.next(), "{statement}");
            assert_eq!(all(&log, Seq::ZERO).await.len() as u64, bad, "{statement}");
        });
        open(&path);
    }
}

#[test]
fn only_what_is_there_can_be_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let error = SqliteLog::cut_tail(&path, Seq::ZERO).expect_err("missing");
    assert!(matches!(error, OpenError::NotALog { .. }), "{error}");
    ten_entries(&path);
    block_on(open(&path).truncate(Seq(4))).expect("truncated");
    for after in [2, 11] {
        let error = SqliteLog::cut_tail(&path, Seq(after)).expect_err("not there");
        assert!(matches!(error, OpenError::NoSuchEntry { .. }), "{error}");
    }
    assert_eq!(SqliteLog::cut_tail(&path, Seq(10)).expect("cut"), 0);
    assert_eq!(SqliteLog::cut_tail(&path, Seq(8)).expect("cut"), 2);
    assert_eq!(SqliteLog::cut_tail(&path, Seq(3)).expect("cut"), 5);
    block_on(async {
        let (log, found) = opened(&path, options());
        assert_eq!((found.bounds.first, found.bounds.last), (Seq(4), Seq(3)));
        assert_eq!(append(&log, "new").await, Seq(4));
    });
}

#[tokio::test]
async fn damage_under_an_open_log_is_noticed_by_who_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let (log, _) = opened(
        &path,
        Options {
            tail_bytes: 0,
            ..options()
        },
    );
    for n in 1..=10u8 {
        append(&log, vec![n]).await;
    }
    sql(&path, "UPDATE entries SET body = x'00' WHERE seq = 7");
    let damaged = |error: &ReadError| matches!(error, ReadError::Damaged { seq: Seq(7), .. });
    for max_bytes in [3, 1_000] {
        let good = log.read(Seq(3), max_bytes).await.expect("before it");
        assert_eq!(bodies(&good), [vec![4], vec![5], vec![6]]);
    }
    let error = log.read(Seq(6), 1_000).await.expect_err("damaged");
    assert!(damaged(&error), "{error}");
    let error = log.verify(None).await.expect_err("damaged");
    assert!(damaged(&error), "{error}");
    assert_eq!(log.read(Seq(8), 1_000).await.expect("after it").len(), 2);
}
