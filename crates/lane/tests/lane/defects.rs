//! A rule that fails is an outcome like any other: it changes nothing, and it is the same everywhere.

use crate::tally::{Ask, Place, ask};
use bongsu_lane::{SubmitError, Topic};
use futures_util::FutureExt;

#[tokio::test(start_paused = true)]
async fn a_defect_changes_nothing_and_is_kept() {
    for command in [Ask::Panic, Ask::Break, Ask::Positions] {
        let place = Place::new();
        let site = place.open("a").await;
        site.add(1, "tea", 5).await;
        let woken = site.lane.wake().listen(&[Topic::of("tally", "panic")]);
        for _ in 0..2 {
            let answer = site.submit(ask(2, command.clone())).await;
            assert_eq!(answer.err(), Some(SubmitError::Defect), "{command:?}");
        }
        assert!(
            woken.woken().now_or_never().is_none(),
            "{command:?} woke somebody"
        );
        for name in ["panic", "break", "new"] {
            assert_eq!(site.amount(name).await, 0, "{command:?} left {name}");
        }
        assert_eq!(
            site.add(3, "tea", 1).await,
            6,
            "the lane goes on after {command:?}"
        );
        site.close().await;
        let kept = place.open("a").await;
        assert_eq!(
            kept.how,
            bongsu_lane::View::Kept,
            "the digest after {command:?} is that of the rows"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn all_replicas_agree_on_a_defect() {
    let place = Place::new();
    let (a, b) = (place.open("a").await, place.open("b").await);
    a.submit(ask(1, Ask::Panic)).await.expect_err("a defect");
    a.submit(ask(2, Ask::Break)).await.expect_err("a defect");
    a.submit(ask(3, Ask::RingAndRefuse))
        .await
        .expect("decided")
        .outcome
        .expect_err("refused");
    a.add(4, "tea", 1).await;
    b.add(5, "tea", 1).await;
    let seq = b.lane.progress().chain.seq;
    a.lane
        .reach(seq, std::time::Duration::from_secs(1))
        .await
        .expect("it comes as far");
    assert_eq!(a.lane.progress(), b.lane.progress());
}
