//! A lane that cannot go on stops and says so; nobody is left waiting.

use crate::tally::{Ask, Place, add, ask};
use bongsu_lane::{LaneState, ReachError, SubmitError, View};
use bongsu_log::memory::Faults;
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::time::Duration;

fn is_stopped<T: std::fmt::Debug>(answer: &Result<T, SubmitError>) -> bool {
    matches!(answer, Err(SubmitError::Stopped(_)))
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_the_lane_and_all_who_wait_are_told() {
    let place = Place::new();
    let site = place.open("a").await;
    site.submit(ask(1, Ask::Limit(1)))
        .await
        .expect("decided")
        .outcome
        .expect("accepted");
    let asked = (2..10).map(|n| site.submit(ask(n, Ask::Keep(100_000))));
    let reach = site
        .lane
        .reach(bongsu_base::Seq(1_000), Duration::from_secs(100));
    let (answers, reach) = tokio::join!(join_all(asked), reach);
    assert!(answers.iter().all(is_stopped), "{answers:?}");
    assert!(matches!(reach, Err(ReachError::Stopped(_))), "{reach:?}");
    let health = site.lane.health();
    assert!(!health.is_ready(Duration::from_secs(1_000)));
    match health.state {
        LaneState::Stopped(reason) => assert!(reason.contains("full"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let late = site
        .submit(add(20, "tea", 1))
        .now_or_never()
        .expect("at once");
    assert!(is_stopped(&late));
    assert!(
        site.lane.read(|view| view.applied()).await.is_ok(),
        "what it has can still be read"
    );

    // With room again, nothing was skipped.
    let again = place.open("a").await;
    assert_eq!(again.how, View::Kept);
    let decided = again
        .submit(ask(2, Ask::Keep(100_000)))
        .await
        .expect("decided");
    assert_eq!(decided.outcome, Ok(100_000));
    let count = |view: &bongsu_lane::ReadView<'_>| {
        view.db()
            .query_row("SELECT count(*) FROM kept", (), |row| row.get::<_, i64>(0))
    };
    assert_eq!(again.lane.read(count).await.expect("read"), 8);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_stopped_stops_the_lane() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    place.log.stop();
    let answers = join_all((2..5).map(|n| site.submit(add(n, "tea", 1)))).await;
    assert!(answers.iter().all(is_stopped), "{answers:?}");
    place.log.restart();
    let again = place.open("a").await;
    assert_eq!(again.add(6, "tea", 1).await, 2);
}

#[tokio::test(start_paused = true)]
async fn loops_that_are_gone_leave_nobody_waiting() {
    let place = Place::with(Faults {
        append_delay: 1_000..=1_000,
        ..Faults::NONE
    });
    let site = place.open("a").await;
    let lane = site.lane.clone();
    let asked = tokio::spawn(async move { lane.submit(add(1, "tea", 1)).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    site.kill().await;
    let answer = asked.await.expect("it ends");
    assert!(is_stopped(&answer), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn closing_answers_everybody_and_takes_nothing_new() {
    let place = Place::with(Faults {
        append_delay: 400..=1_000,
        ..Faults::NONE
    });
    let site = place.open("a").await;
    let lane = site.lane.clone();
    let asked =
        tokio::spawn(async move { join_all((1..50).map(|n| lane.submit(add(n, "tea", 1)))).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let lane = site.lane.clone();
    let (late, ()) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(lane.health().state, LaneState::Closing);
            lane.submit(add(99, "tea", 1)).await
        },
        site.close()
    );
    assert_eq!(late.err(), Some(SubmitError::Overloaded));
    let answers = asked.await.expect("it ends");
    assert!(answers.iter().all(|answer| answer.is_ok()), "{answers:?}");
    assert!(matches!(lane.health().state, LaneState::Stopped(_)));
    place.log.set_faults(Faults::NONE);
    let again = place.open("a").await;
    assert_eq!(again.how, View::Kept);
    assert_eq!(
        again.amount("tea").await,
        49,
        "the view was closed with everything in it"
    );
}

/// What the log refuses is answered without anything being applied; closing must notice.
#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_what_was_refused() {
    let refusing = Faults {
        append_delay: 1_000..=1_000,
        refuse: bongsu_log::memory::Chance::ALWAYS,
        ..Faults::NONE
    };
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    place.log.set_faults(refusing);
    let lane = site.lane.clone();
    let asked = tokio::spawn(async move { lane.submit(add(2, "tea", 1)).await });
    tokio::task::yield_now().await;
    let begun = tokio::time::Instant::now();
    site.close().await;
    assert_eq!(
        asked.await.expect("it ends").err(),
        Some(SubmitError::Overloaded)
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lane_on_threads_opens_serves_and_closes() {
    use bongsu_lane::{Lane, Offload, Options};
    use std::sync::Arc;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let served = std::thread::spawn(move || {
        runtime.block_on(async {
            let place = Place::new();
            let options = Options {
                offload: Offload::Thread,
                ..Options::new(place.view("a"))
            };
            let opened = Lane::<crate::tally::Tally>::open(Arc::new(place.log.clone()), options);
            let (lane, runner, _) = opened.await.expect("it opens");
            let running = runner.start().expect("a thread");
            let asked = (0..200).map(|n| {
                let lane = lane.clone();
                tokio::spawn(async move { lane.submit(add(n, "tea", 1)).await.expect("decided") })
            });
            join_all(asked).await;
            let sum = lane
                .read_long(|view| crate::tally::amount(view, "tea"))
                .await
                .expect("read");
            lane.close().await;
            tokio::task::spawn_blocking(|| running.join())
                .await
                .expect("it ends");
            sum
        })
    });
    assert_eq!(served.join().expect("it ends"), 200);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_nobody_waits_for_still_ends_the_lane() {
    let place = Place::with(Faults {
        append_delay: 1_000..=1_000,
        ..Faults::NONE
    });
    let site = place.open("a").await;
    let lane = site.lane.clone();
    let asked = tokio::spawn(async move { lane.submit(add(1, "tea", 1)).await });
    tokio::task::yield_now().await;
    let patience = Duration::from_millis(10);
    assert!(
        tokio::time::timeout(patience, site.lane.close())
            .await
            .is_err()
    );
    assert!(matches!(site.lane.health().state, LaneState::Stopped(_)));
    assert!(is_stopped(&asked.await.expect("it ends")));
}
