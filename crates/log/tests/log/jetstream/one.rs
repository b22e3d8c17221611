//! One server: what the trait says.

use super::site::{Site, all_to, options};
use crate::common::{append, bodies};
use crate::model::{self, Step};
use bongsu_base::Seq;
use bongsu_log::jetstream::{Fault, OpenError, Opened, Options};
use bongsu_log::{AppendError, Log, ReadError};
use bongsu_test_nats::Servers;
use futures_util::future::{join_all, poll_immediate};
use proptest::test_runner::{Config, TestRunner};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn what_was_appended_is_read_back_at_every_site_also_after_reopening() {
    let servers = Servers::start(1);
    let here = Site::new(&servers, 0, "talk").await;
    let (log, opened) = here.try_open(options()).await.expect("opened");
    assert_eq!(opened, Opened::Created);
    let bounds = log.bounds().await.expect("bounds");
    assert_eq!((bounds.first, bounds.last), (Seq(1), Seq(0)));
    let mut second = Box::pin(log.wait(Seq(1)));
    assert!(poll_immediate(&mut second).await.is_none());
    for body in ["a", "", "ccc"] {
        append(&log, body).await;
    }
    second.await;
    let entries = all_to(&log, Seq(3)).await;
    assert_eq!(bodies(&entries), ["a", "", "ccc"]);

    let mut there = Site::new(&servers, 0, "talk").await;
    there.path.set_extension("there");
    let (other, opened) = there.try_open(Options::default()).await.expect("opened");
    assert_eq!(opened, Opened::Following);
    assert_eq!(
        all_to(&other, Seq(3)).await,
        entries,
        "also times and links"
    );
    let seq = append(&other, "d").await;
    assert_eq!(seq, Seq(4));
    let entries = all_to(&log, seq).await;
    assert_eq!(all_to(&other, seq).await, entries);

    log.close().await;
    drop(log);
    append(&other, "e").await;
    let log = here.open().await;
    assert_eq!(
        bodies(&all_to(&log, Seq(5)).await),
        ["a", "", "ccc", "d", "e"]
    );
}

#[test]
fn a_log_is_a_vector() {
    let servers = Servers::start(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let config = Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = std::cell::Cell::new(0);
    let steps = proptest::collection::vec(model::step(), 1..30);
    let ran = TestRunner::new(config).run(&steps, |steps: Vec<Step>| {
        cases.set(cases.get() + 1);
        let lane = format!("case-{}", cases.get());
        runtime.block_on(async {
            let site = Site::new(&servers, 0, &lane).await;
            let log = site.open().await;
            model::run(steps, log, async |log| {
                log.close().await;
                drop(log);
                site.open().await
            })
            .await;
        });
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn what_is_over_a_bound_is_refused() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let mut options = options();
    options.pace.appends = 4;
    options.pace.append_bytes = 1_000;
    let (log, _) = site.try_open(options).await.expect("opened");
    let log = Arc::new(log);
    let refused =
        |result: &Result<Seq, AppendError>| matches!(result, Err(AppendError::Refused(_)));
    let large = log.append(vec![0; 1_001].into()).await;
    assert!(refused(&large), "{large:?}");
    let crowd = join_all((0..20).map(|_| log.append("x".into()))).await;
    assert_eq!(crowd.iter().filter(|result| refused(result)).count(), 16);
    assert!(log.append("x".into()).await.is_ok(), "there is room again");
}

#[tokio::test]
async fn truncating_is_for_this_site_and_purging_for_all() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = site.open().await;
    for n in 1..=10u8 {
        append(&log, vec![n]).await;
    }
    let entries = all_to(&log, Seq(10)).await;
    log.truncate(Seq(5)).await.expect("truncated");
    assert!(matches!(
        log.read(Seq(3), 10).await,
        Err(ReadError::Truncated { first: Seq(5) })
    ));
    let mut there = Site::new(&servers, 0, "talk").await;
    there.path.set_extension("there");
    let other = there.open().await;
    assert_eq!(
        all_to(&other, Seq(10)).await,
        entries,
        "the engine still has all"
    );

    log.release(Seq(8)).await.expect("purged");
    assert_eq!(append(&log, vec![11]).await, Seq(11));
    assert_eq!(all_to(&other, Seq(11)).await[..10], entries);
    other.close().await;
    drop(other);

    there.forget();
    let Err(error) = there.try_open(options()).await else {
        panic!("it opened");
    };
    assert!(
        matches!(error, OpenError::NeedsSnapshot { first: Seq(8) }),
        "{error}"
    );
    let begin = bongsu_log::Mark {
        chain: bongsu_log::Chain {
            seq: Seq(8),
            link: entries[7].link,
        },
        time: entries[7].time,
    };
    let from_snapshot = Options {
        begin: Some(begin),
        ..options()
    };
    let (other, _) = there.try_open(from_snapshot).await.expect("opened");
    let rest = all_to(&other, Seq(11)).await;
    assert_eq!(rest[..2], entries[8..], "also times and links");
    assert_eq!(rest, all_to(&log, Seq(11)).await[4..]);
}

#[tokio::test]
async fn a_site_that_is_cut_off_reads_on_and_refuses_in_time() {
    let mut servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let mut quick = options();
    quick.pace.append_within = Duration::from_millis(300);
    quick.reach_within = Some(Duration::from_millis(500));
    let (log, _) = site.try_open(quick.clone()).await.expect("opened");
    append(&log, "a").await;
    all_to(&log, Seq(1)).await;
    servers.kill(0);
    let refused = log.append("b".into()).await;
    assert!(
        matches!(
            refused,
            Err(AppendError::Refused(_) | AppendError::Unknown(_))
        ),
        "{refused:?}"
    );
    assert_eq!(bodies(&all_to(&log, Seq(1)).await), ["a"]);
    log.close().await;
    drop(log);

    let (log, opened) = site
        .try_open(quick)
        .await
        .expect("opened on the copy alone");
    assert!(matches!(opened, Opened::Alone(_)), "{opened:?}");
    assert_eq!(bodies(&all_to(&log, Seq(1)).await), ["a"]);
    let nowhere = Site::new(&servers, 0, "other").await;
    let mut quick = options();
    quick.reach_within = Some(Duration::from_millis(500));
    let Err(error) = nowhere.try_open(quick).await else {
        panic!("it opened");
    };
    assert!(matches!(error, OpenError::Away(_)), "{error}");

    servers.start_one(0);
    let seq = super::site::until("an append", async || log.append("c".into()).await.ok()).await;
    let entries = all_to(&log, seq).await;
    assert_eq!(entries[0].body, "a");
    assert_eq!(
        entries.last().map(|entry| entry.body.clone()),
        Some("c".into())
    );
}

#[tokio::test]
async fn a_missing_stream_is_made_only_when_told_to() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let Err(error) = site.try_open(Options::default()).await else {
        panic!("it opened");
    };
    assert!(matches!(error, OpenError::NoStream), "{error}");
    let log = site.open().await;
    append(&log, "a").await;
    all_to(&log, Seq(1)).await;
    log.close().await;
    drop(log);
    site.nats
        .client()
        .request("$JS.API.STREAM.DELETE.bongsu-talk-0-0", "".into())
        .await
        .expect("deleted");
    let Err(error) = site.try_open(options()).await else {
        panic!("it opened");
    };
    let gone = Fault::Gone { held: Seq(1) };
    assert!(
        matches!(&error, OpenError::Fault(fault) if *fault == gone),
        "{error}"
    );
}
