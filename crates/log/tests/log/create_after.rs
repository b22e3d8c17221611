//! A log that goes on where a snapshot ended.

use crate::common::{all, append, bodies, open, open_error};
use bongsu_base::{LogTime, Seq};
use bongsu_log::sqlite::{OpenError, SqliteLog};
use bongsu_log::{Chain, Log, ReadError};

#[tokio::test]
async fn it_begins_after_its_base_and_extends_that_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let base = Chain::EMPTY
        .extend(LogTime(1), b"a")
        .extend(LogTime(5_000), b"b");
    SqliteLog::create_after(&path, "test", base, LogTime(5_000)).expect("made");
    let log = open(&path);
    let bounds = log.bounds().await.expect("bounds");
    assert_eq!(
        (bounds.first, bounds.last, bounds.link),
        (Seq(3), Seq(2), base.link)
    );
    assert!(matches!(
        log.read(Seq(1), 1).await,
        Err(ReadError::Truncated { first: Seq(3) })
    ));
    assert_eq!(append(&log, "c").await, Seq(3));
    let entries = all(&log, Seq(2)).await;
    assert_eq!(bodies(&entries), ["c"]);
    assert_eq!(
        entries[0].time,
        LogTime(5_000),
        "time does not run backwards over the gap"
    );
    assert_eq!(entries[0].link, base.extend(LogTime(5_000), b"c").link);
    drop(log);
    assert_eq!(all(&open(&path), Seq(2)).await, entries);
}

#[test]
fn it_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    drop(open(&path));
    let error =
        SqliteLog::create_after(&path, "test", Chain::EMPTY, LogTime(0)).expect_err("there is one");
    assert!(matches!(error, OpenError::NotALog { .. }), "{error}");
    std::fs::write(&path, b"").expect("written");
    assert!(matches!(
        open_error(&path),
        OpenError::NotALog { .. } | OpenError::Damaged { .. }
    ));
}
