//! Whoever reads can wait until a replica has come far enough, and until something changes.

use crate::tally::{Place, add};
use bongsu_base::Seq;
use bongsu_lane::{ReachError, Topic};
use bongsu_log::memory::Faults;
use futures_util::FutureExt;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_reader_elsewhere_waits_for_the_place_it_was_told() {
    let place = Place::with(Faults {
        read_delay: 200..=300,
        ..Faults::NONE
    });
    let a = place.open("a").await;
    let b = crate::tally::Site::open(
        std::sync::Arc::new(place.log.reader("b")),
        place.options("b"),
    );
    let b = b.await.expect("opens");
    let decided = a.submit(add(1, "tea", 5)).await.expect("decided");
    assert!(
        a.lane.progress().chain.seq >= decided.seq,
        "an answer means that it can be read here"
    );
    let late = b.lane.reach(decided.seq, Duration::ZERO).await;
    assert!(
        matches!(late, Err(ReachError::Late { wanted, .. }) if wanted == decided.seq),
        "{late:?}"
    );
    b.lane
        .reach(decided.seq, Duration::from_secs(1))
        .await
        .expect("it comes");
    assert_eq!(b.amount("tea").await, 5);
    b.lane
        .reach(Seq::ZERO, Duration::ZERO)
        .await
        .expect("it was there already");
}

#[tokio::test(start_paused = true)]
async fn a_change_wakes_those_who_wait_for_it_once_it_can_be_read() {
    let place = Place::new();
    let (a, b) = (place.open("a").await, place.open("b").await);
    let tea = b.lane.wake().listen(&[Topic::of("tally", "tea")]);
    let coffee = b.lane.wake().listen(&[Topic::of("tally", "coffee")]);
    a.add(1, "tea", 5).await;
    tea.woken().await;
    assert_eq!(b.amount("tea").await, 5);
    assert!(coffee.woken().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn one_look_is_of_one_moment_and_cannot_write() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 5).await;
    let (seq, sum) = site
        .lane
        .read_long(|view| Ok((view.applied()?, crate::tally::amount(view, "tea")?)))
        .await
        .expect("read");
    assert_eq!((seq, sum), (site.lane.progress().chain.seq, 5));
    let write = site
        .lane
        .read(|view| view.db().execute("DELETE FROM tally", ()))
        .await;
    assert!(write.is_err());
    assert_eq!(site.amount("tea").await, 5);
}
