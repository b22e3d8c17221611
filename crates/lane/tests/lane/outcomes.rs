//! A record is applied once, and its outcome is what everybody hears who asks again.

use crate::tally::{self, Ask, Place, Tally, TooFew, add, ask, id};
use bongsu_base::{LogTime, Millis, RecordId, Seed};
use bongsu_lane::{
    Actor, Applier, EntryBody, OUTCOME_RETENTION, Outcome, Payload, Record, SubmitError,
};
use bongsu_log::memory::{Chance, Faults};
use std::path::Path;

#[tokio::test(start_paused = true)]
async fn a_repeat_gets_the_first_answer() {
    let place = Place::new();
    let site = place.open("a").await;
    let first = site.submit(add(1, "tea", 5)).await.expect("decided");
    assert_eq!((first.repeated, first.outcome), (false, Ok(5)));
    site.add(2, "tea", 1).await;
    let again = site.submit(add(1, "tea", 5)).await.expect("decided");
    assert_eq!(
        (again.repeated, again.seq, again.outcome),
        (true, first.seq, Ok(5))
    );
    assert_eq!(site.amount("tea").await, 6);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_outcome_and_leaves_no_trace() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 5).await;
    let before = site
        .lane
        .read(|view| tally::amount(view, "tea"))
        .await
        .expect("read");
    let take = || ask(2, Ask::Take("tea".into(), 9));
    let refused = site.submit(take()).await.expect("decided");
    assert_eq!(refused.outcome, Err(TooFew { has: 5 }));
    site.add(3, "tea", 50).await;
    let again = site.submit(take()).await.expect("decided");
    assert!(again.repeated);
    assert_eq!(
        again.outcome,
        Err(TooFew { has: 5 }),
        "the first answer, though there are enough now"
    );
    assert_eq!(site.amount("tea").await, before + 50);
}

#[tokio::test(start_paused = true)]
async fn two_who_ask_the_same_at_once_hear_the_same() {
    let place = Place::new();
    let (a, b) = (place.open("a").await, place.open("b").await);
    let (one, two, three) = tokio::join!(
        a.submit(add(1, "tea", 5)),
        a.submit(add(1, "tea", 5)),
        b.submit(add(1, "tea", 5))
    );
    let seqs = [one, two, three].map(|answer| {
        let decision = answer.expect("decided");
        assert_eq!(decision.outcome, Ok(5));
        decision.seq
    });
    assert!(seqs.iter().all(|seq| *seq == seqs[0]), "{seqs:?}");
    assert_eq!(b.amount("tea").await, 5);
}

/// Every append is stored and forgotten, or lost: nothing is known until it is seen applied.
#[tokio::test(start_paused = true)]
async fn an_unknown_append_is_repeated_and_applied_once() {
    let faults = Faults {
        forget: Chance(5_000),
        lose: Chance(5_000),
        ..Faults::NONE
    };
    let place = Place::with(faults);
    let site = place.open("a").await;
    for n in 1..=20 {
        assert_eq!(site.add(n, "tea", 1).await, n as i64);
    }
    // What was doubtful goes on being repeated for a while after its answer is known.
    place.log.set_faults(Faults::NONE);
    site.close().await;
    let records: Vec<RecordId> = place
        .log
        .history()
        .iter()
        .flat_map(|entry| EntryBody::decode(&entry.body).expect("decodes").records)
        .map(|record| record.id)
        .collect();
    let times = |n| records.iter().filter(|record| **record == id(n)).count();
    assert!(
        (1..=20).any(|n| times(n) > 1),
        "some record stands in the log twice"
    );
    let site = place.open("b").await;
    site.add(99, "tea", 0).await;
    assert_eq!(site.amount("tea").await, 20);
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_never_known_says_so() {
    let place = Place::with(Faults {
        lose: Chance::ALWAYS,
        ..Faults::NONE
    });
    let site = place.open("a").await;
    assert_eq!(
        site.submit(add(1, "tea", 1)).await.err(),
        Some(SubmitError::Unknown)
    );
    place.log.set_faults(Faults::NONE);
    // The lane's own canary finds out that the log takes entries again.
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(site.add(1, "tea", 1).await, 1);
    assert_eq!(site.amount("tea").await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_log_refuses_was_not_done() {
    let place = Place::with(Faults {
        refuse: Chance::ALWAYS,
        ..Faults::NONE
    });
    let site = place.open("a").await;
    assert_eq!(
        site.submit(add(1, "tea", 1)).await.err(),
        Some(SubmitError::Overloaded)
    );
    assert!(place.log.history().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_too_long_is_refused() {
    let place = Place::new();
    let site = place.open("a").await;
    let name = "x".repeat(600 * 1024);
    assert_eq!(
        site.submit(add(1, &name, 1)).await.err(),
        Some(SubmitError::TooLarge)
    );
}

/// The entry is a minute, an hour, … after the one before; ids return.
#[test]
fn outcomes_are_forgotten_by_log_time_alone() {
    let mut applier = Applier::<Tally>::open(Path::new(":memory:")).expect("opens");
    let mut apply = |record: u64, time: LogTime| {
        let command = postcard::to_stdvec(&Ask::Add("tea".into(), 1)).expect("encodes");
        let record = Record {
            id: id(record),
            actor: Actor::Nobody,
            seed: Seed::from_bytes([0; 32]),
            payload: Payload::Command(command),
        };
        let body = EntryBody {
            records: vec![record],
        };
        let entry = body.entry_after(applier.progress().chain, time);
        let applied = applier.apply(&[entry]).expect("applies");
        match &applied.outcomes[..] {
            [(_, verdict)] => match verdict.outcome {
                Some(Outcome::Accepted(amount)) => (amount, verdict.repeated),
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let start = LogTime(1_800_000_000_000);
    assert_eq!(apply(1, start), (1, false));
    assert_eq!(apply(2, start), (2, false));
    let at_the_end = start + OUTCOME_RETENTION;
    assert_eq!(
        apply(1, at_the_end),
        (1, true),
        "kept to the last millisecond"
    );
    assert_eq!(apply(2, at_the_end), (2, true));
    let after = at_the_end + Millis(1);
    assert_eq!(
        apply(3, after),
        (3, false),
        "an entry that makes the lane forget the first two"
    );
    assert_eq!(apply(1, after), (4, false), "now it is a new request");
    assert_eq!(apply(3, after), (3, true));
}
