//! Over its bounds a lane refuses before it writes, the unimportant first.

use crate::tally::{Ask, Place, add, id};
use bongsu_lane::{EntryBody, Options, Priority, Request, SubmitError};
use bongsu_log::memory::Faults;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_before_anything_is_appended() {
    let place = Place::with(Faults {
        append_delay: 1_000..=1_000,
        ..Faults::NONE
    });
    let options = Options {
        queue_bound: 10,
        batch_records: 1,
        ..place.options("a")
    };
    let site = place.open_with(options).await.expect("opens");
    let lane = &site.lane;
    let submit = |n: u64, priority| async move {
        (
            n,
            lane.submit(Request {
                priority,
                ..add(n, "tea", 1)
            })
            .await
            .map(|_| ()),
        )
    };
    // One by one, so that each finds what the ones before it left.
    let background = join_all((0..20).map(|n| submit(n, Priority::Background)));
    let normal = join_all((20..40).map(|n| submit(n, Priority::Normal)));
    let vital = join_all((40..42).map(|n| submit(n, Priority::Vital)));
    let (background, normal, vital) = tokio::join!(background, normal, vital);
    let taken = |answers: &[(u64, Result<(), SubmitError>)]| {
        assert!(
            answers
                .iter()
                .all(|(_, answer)| matches!(answer, Ok(()) | Err(SubmitError::Overloaded)))
        );
        answers
            .iter()
            .filter(|(_, answer)| answer.is_ok())
            .map(|(n, _)| id(*n))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(taken(&background).len(), 4);
    assert_eq!(taken(&normal).len(), 4);
    assert_eq!(taken(&vital).len(), 2);
    let all: BTreeSet<_> = [background, normal, vital]
        .iter()
        .flat_map(|answers| taken(answers))
        .collect();
    let history = place.log.history();
    let written: BTreeSet<_> = history
        .iter()
        .flat_map(|entry| EntryBody::decode(&entry.body).expect("decodes").records)
        .map(|record| record.id)
        .collect();
    for n in 0..42 {
        assert_eq!(written.contains(&id(n)), all.contains(&id(n)), "{n}");
    }
    assert_eq!(site.amount("tea").await, 10);
}

#[tokio::test(start_paused = true)]
async fn those_on_their_way_are_bounded_too_and_the_vital_pass() {
    let place = Place::with(Faults {
        append_delay: 1_000..=1_000,
        ..Faults::NONE
    });
    let options = Options {
        waiting_bound: 10,
        ..place.options("a")
    };
    let site = place.open_with(options).await.expect("opens");
    let lane = &site.lane;
    let normal = join_all((0..20).map(|n| lane.submit(add(n, "tea", 1))));
    let same = join_all((0..100).map(|_| lane.submit(add(0, "tea", 1))));
    let vital = lane.submit(Request {
        priority: Priority::Vital,
        ..add(99, "tea", 1)
    });
    let (normal, same, vital) = tokio::join!(normal, same, vital);
    assert_eq!(normal.iter().filter(|answer| answer.is_ok()).count(), 8);
    assert_eq!(
        same.iter().filter(|answer| answer.is_ok()).count(),
        63,
        "and one that came first"
    );
    assert!(vital.is_ok());
    site.add(200, "tea", 1).await;
}

#[tokio::test(start_paused = true)]
async fn health_is_a_canary_that_was_applied_lately() {
    let place = Place::new();
    let site = place.open("a").await;
    let soon = Duration::from_secs(5);
    assert!(
        !site.lane.health().is_ready(soon),
        "a process that is up proves nothing"
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(site.lane.health().is_ready(soon));
    let slow = Faults {
        append_delay: 10_000..=10_000,
        ..Faults::NONE
    };
    place.log.set_faults(slow);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!site.lane.health().is_ready(soon), "nothing can be written");
    place.log.set_faults(Faults::NONE);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let health = site.lane.health();
    assert!(health.is_ready(soon), "{health:?}");
    site.submit(crate::tally::ask(1, Ask::Ring("x".into())))
        .await
        .expect("decided");
}
