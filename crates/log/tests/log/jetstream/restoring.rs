//! A log that is made again from what the sites hold.

use super::site::{ID, Site, all_to, options};
use crate::common::{all, append, open};
use bongsu_base::{Epoch, Seq};
use bongsu_log::jetstream::{OpenError, RestoreError, Restored, Restoring, StreamId, restore};
use bongsu_log::sqlite::{self, SqliteLog};
use bongsu_log::{Entry, Log};
use bongsu_test_nats::Servers;
use std::path::PathBuf;

const NEW: StreamId = StreamId::from_bytes([9; 16]);

pub fn restoring(name: &str, copies: Vec<PathBuf>) -> Restoring {
    Restoring {
        name: name.to_owned(),
        copies,
        id: NEW,
        give_up_newer: false,
    }
}

/// Two sites, closed, of which the second one has fewer entries.
async fn two_sites(servers: &Servers) -> (Site, Site, Vec<Entry>) {
    let here = Site::new(servers, 0, "talk").await;
    let mut there = Site::new(servers, 0, "talk").await;
    there.path.set_extension("there");
    let log = here.open().await;
    let other = there.open().await;
    for n in 1..=30u8 {
        append(&log, vec![n; 100]).await;
    }
    all_to(&other, Seq(30)).await;
    other.close().await;
    for n in 31..=40u8 {
        append(&log, vec![n; 100]).await;
    }
    log.truncate(Seq(6)).await.expect("truncated");
    let entries = all_to(&log, Seq(40)).await;
    log.close().await;
    (here, there, entries)
}

async fn delete(site: &Site) {
    let deleted = site
        .nats
        .client()
        .request("$JS.API.STREAM.DELETE.bongsu-talk-0-0", "".into());
    deleted.await.expect("deleted");
}

#[tokio::test]
async fn positions_and_times_go_on_in_the_next_epoch() {
    let servers = Servers::start(1);
    let (here, there, entries) = two_sites(&servers).await;
    delete(&here).await;
    let copies = vec![there.path.clone(), here.path.clone()];
    let restored = restore(&*here.engine(), restoring("talk", copies), &|_| ()).await;
    let expected = Restored {
        epoch: Epoch(1),
        first: Seq(6),
        last: Seq(40),
    };
    assert_eq!(restored.expect("restored"), expected);

    let log = here.open().await;
    assert_eq!(log.epochs().current(), Epoch(1));
    assert_eq!(log.epochs().keep(Epoch(0), Seq(40)), Some(Seq(40)));
    assert_eq!(append(&log, "on").await, Seq(41));
    let mut longer = all_to(&log, Seq(41)).await;
    let other = there.open().await;
    assert_eq!(all_to(&other, Seq(41)).await[5..], longer);

    // A site that begins from nothing, where the restored log begins.
    let mut third = Site::new(&servers, 0, "talk").await;
    third.path.set_extension("third");
    let third = third.open().await;
    assert_eq!(all_to(&third, Seq(41)).await, longer);
    longer.pop();
    assert_eq!(longer, entries);
}

#[tokio::test]
async fn what_only_the_engine_or_one_site_has_is_not_given_up_silently() {
    let servers = Servers::start(1);
    let (here, there, _) = two_sites(&servers).await;
    let short = vec![there.path.clone()];
    let refused = restore(&*here.engine(), restoring("talk", short.clone()), &|_| ()).await;
    let error = refused.expect_err("the engine has more");
    assert!(
        matches!(
            error,
            RestoreError::EngineHasMore {
                last: Seq(40),
                held: Seq(30)
            }
        ),
        "{error}"
    );
    let given_up = Restoring {
        give_up_newer: true,
        ..restoring("talk", short)
    };
    let restored = restore(&*here.engine(), given_up, &|_| ())
        .await
        .expect("restored");
    assert_eq!((restored.epoch, restored.last), (Epoch(1), Seq(30)));
    let Err(error) = here.try_open(options()).await else {
        panic!("it opened");
    };
    assert!(
        matches!(
            error,
            OpenError::NotKept {
                kept: Seq(30),
                held: Seq(40)
            }
        ),
        "{error}"
    );
    let log = there.open().await;
    assert_eq!(append(&log, "on").await, Seq(31));
    assert_eq!(log.epochs().keep(Epoch(0), Seq(31)), Some(Seq(30)));
}

#[tokio::test]
async fn copies_that_differ_are_named() {
    let servers = Servers::start(1);
    let (here, there, entries) = two_sites(&servers).await;
    // As `there`, but for one entry.
    let wrong = servers.folder().join("wrong");
    let options = sqlite::Options {
        durable: false,
        ..sqlite::Options::new("talk")
    };
    let log = SqliteLog::open(&there.path, sqlite::Options::new("talk"))
        .expect("sound")
        .0;
    let first = all(&log, Seq::ZERO).await;
    drop(log);
    let mut altered: Vec<_> = first.iter().map(|e| (e.time, e.body.clone())).collect();
    altered[16].1 = "altered".into();
    let log = SqliteLog::open(&wrong, options).expect("made").0;
    log.extend(altered).await.expect("written");
    drop(log);
    let copies = vec![here.path.clone(), wrong.clone()];
    let error = restore(&*here.engine(), restoring("talk", copies), &|_| ()).await;
    assert!(
        matches!(&error, Err(RestoreError::Differ { other, seq: Seq(17), .. }) if *other == wrong),
        "{error:?}"
    );
    let none = restore(&*here.engine(), restoring("talk", Vec::new()), &|_| ()).await;
    assert!(matches!(none, Err(RestoreError::NoCopy)));
    // Nothing was done to the engine.
    let log = here.open().await;
    assert_eq!(all_to(&log, Seq(40)).await, entries);
    assert_eq!(log.origin().id, ID);
}

#[tokio::test]
async fn the_log_of_a_single_machine_moves_into_the_engine() {
    let servers = Servers::start(1);
    let path = servers.folder().join("single");
    let log = open(&path);
    for n in 0..100u8 {
        append(&log, vec![n; 50]).await;
    }
    log.truncate(Seq(11)).await.expect("truncated");
    let entries = all(&log, Seq(10)).await;
    drop(log);
    let site = Site::new(&servers, 0, "test").await;
    let restored = restore(
        &*site.engine(),
        restoring("test", vec![path.clone()]),
        &|_| (),
    )
    .await;
    assert_eq!(restored.expect("restored").epoch, Epoch(1));
    let log = site.open().await;
    assert_eq!(all_to(&log, Seq(100)).await, entries);
    assert_eq!(append(&log, "on").await, Seq(101));
    log.close().await;
    drop(log);

    // It is not taken for a copy by itself.
    let mut wrong = Site::new(&servers, 0, "test").await;
    wrong.path = path;
    let Err(error) = wrong.try_open(options()).await else {
        panic!("it opened");
    };
    assert!(
        error.to_string().contains("the log of a single machine"),
        "{error}"
    );
}
