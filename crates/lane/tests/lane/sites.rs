//! Several data centres over one log: they notice who is wrong, and what one of them cannot reach.

use crate::tally::{Ask, Place, Site, add, ask};
use bongsu_base::{DataCentre, Seq};
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{LaneState, Offload, Options, Sites, SubmitError, View, condemned};
use bongsu_log::memory::{Chance, Faults};
use object_store::memory::InMemory;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const NAMES: [&str; 3] = ["dc1", "dc2", "dc3"];

fn sites(own: &str) -> Sites {
    let name = |name: &str| -> DataCentre { name.parse().expect("a name") };
    Sites {
        own: name(own),
        all: NAMES.map(name).to_vec(),
    }
}

fn options(place: &Place, own: &str) -> Options {
    Options {
        sites: Some(sites(own)),
        ..place.options(own)
    }
}

async fn open(place: &Place, own: &str) -> Site {
    let opened = place.open_with(options(place, own)).await;
    opened.expect("the lane opens")
}

async fn open_all(place: &Place) -> [Site; 3] {
    [
        open(place, NAMES[0]).await,
        open(place, NAMES[1]).await,
        open(place, NAMES[2]).await,
    ]
}

/// Changes a row of a running replica's view behind its back.
fn spoil(place: &Place, own: &str) {
    let db = Connection::open(place.view(own)).expect("the view opens");
    let changed = db.execute(
        "UPDATE tally SET amount = amount + 1 WHERE name = 'tea'",
        (),
    );
    assert_eq!(changed.expect("it can be written"), 1);
}

async fn state_of(site: &Site) -> LaneState {
    for _ in 0..100 {
        sleep(Duration::from_secs(1)).await;
        let state = site.lane.health().state;
        if state != LaneState::Running {
            return state;
        }
    }
    LaneState::Running
}

#[tokio::test(start_paused = true)]
async fn the_odd_one_out_stops_makes_its_view_again_and_rejoins() {
    let place = Place::new();
    let [one, two, three] = open_all(&place).await;
    one.add(1, "tea", 5).await;
    // The others are heard to agree before anything is wrong.
    sleep(Duration::from_secs(30)).await;
    spoil(&place, "dc3");
    let decided = one.submit(add(2, "tea", 1)).await.expect("decided");
    let LaneState::Stopped(why) = state_of(&three).await else {
        panic!("a replica whose state is wrong goes on serving");
    };
    assert!(
        why.contains("differs from what the other data centres have"),
        "{why}"
    );
    let sentence = condemned(&place.view("dc3"))
        .expect("readable")
        .expect("condemned");
    assert!(!sentence.log && sentence.agreed > Seq::ZERO && sentence.agreed < decided.seq);
    assert_eq!(one.lane.health().state, LaneState::Running);
    assert_eq!(two.lane.health().state, LaneState::Running);

    three.task_ended().await;
    let again = open(&place, "dc3").await;
    assert!(
        matches!(&again.how, View::Rebuilt(reason) if **reason == *why),
        "{:?}",
        again.how
    );
    assert_eq!(condemned(&place.view("dc3")).expect("readable"), None);
    let wanted = one.lane.progress().chain.seq;
    again
        .lane
        .reach(wanted, Duration::from_secs(5))
        .await
        .expect("it catches up");
    assert_eq!(again.amount("tea").await, 6);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(again.lane.health().state, LaneState::Running);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_younger_than_the_disagreement_is_not_used() {
    let place = Place::new();
    let store = Arc::new(InMemory::new());
    let others = Snapshots::new(store, "tally");
    let own = Snapshots::new(Arc::new(InMemory::new()), "tally");
    let [one, two, three] = [
        open_with_snapshots(&place, "dc1", others.clone(), vec![]).await,
        open(&place, "dc2").await,
        open_with_snapshots(&place, "dc3", own.clone(), vec![others.clone()]).await,
    ];
    one.add(1, "tea", 5).await;
    sleep(Duration::from_secs(30)).await;
    three.lane.snapshot().await.expect("taken");
    let agreed = own.list().await.expect("listed")[0].seq;
    // A defect of this machine, made to look as if all had been written in order.
    three
        .submit(ask(2, Ask::Keep(10)))
        .await
        .expect("decided")
        .outcome
        .expect("kept");
    spoil(&place, "dc3");
    one.add(3, "tea", 1).await;
    let young = own.take(&place.view("dc1"), Offload::Inline).await;
    assert!(young.expect("taken").seq > agreed);
    assert!(matches!(state_of(&three).await, LaneState::Stopped(_)));
    three.task_ended().await;
    let taken = one
        .lane
        .snapshot()
        .await
        .expect("taken")
        .expect("somewhere to put it");
    assert!(taken.seq > agreed);

    let again = open_with_snapshots(&place, "dc3", own.clone(), vec![others]).await;
    assert!(
        matches!(again.how, View::Restored(seq, Some(_)) if seq == taken.seq),
        "{:?}",
        again.how
    );
    assert_eq!(again.amount("tea").await, 6);
    let left = own.list().await.expect("listed");
    let left: Vec<_> = left.iter().map(|manifest| manifest.seq).collect();
    assert_eq!(left, [agreed], "nobody begins with the wrong one");
    drop((one, two));
}

async fn open_with_snapshots(
    place: &Place,
    own: &str,
    to: Snapshots,
    peers: Vec<Snapshots>,
) -> Site {
    let options = Options {
        snapshots: Some(to),
        peers,
        ..options(place, own)
    };
    place.open_with(options).await.expect("the lane opens")
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_does_not_reach_the_log_refuses_and_takes_changes_again_when_it_does() {
    let place = Place::new();
    let options = Options {
        answer_within: Duration::from_secs(5),
        ..options(&place, "dc1")
    };
    let site = place.open_with(options).await.expect("the lane opens");
    site.add(1, "tea", 5).await;
    let away = Faults {
        lose: Chance::ALWAYS,
        ..Faults::NONE
    };
    place.log.set_faults(away);
    let first = site.submit(add(2, "tea", 1)).await;
    assert!(matches!(first, Err(SubmitError::Unknown)), "{first:?}");
    sleep(Duration::from_secs(20)).await;
    let before = place.log.history().len();
    let refused = site.submit(add(3, "tea", 1)).await;
    assert!(matches!(refused, Err(SubmitError::Detached)), "{refused:?}");
    assert_eq!(
        site.amount("tea").await,
        5,
        "what is known can still be read"
    );
    assert_eq!(place.log.history().len(), before);

    place.log.set_faults(Faults::NONE);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(site.add(3, "tea", 1).await, 6);
}

#[tokio::test(start_paused = true)]
async fn what_the_log_may_let_go_of_is_what_every_data_centre_holds() {
    let place = Place::new();
    let snapshots = || Snapshots::new(Arc::new(InMemory::new()), "tally");
    let mut all = Vec::new();
    for name in NAMES {
        all.push(open_with_snapshots(&place, name, snapshots(), vec![]).await);
    }
    let settle = || sleep(Duration::from_secs(60));
    for n in 0..2 {
        all[0].add(n, "tea", 1).await;
        for site in &all[..2] {
            site.lane.snapshot().await.expect("taken");
        }
    }
    settle().await;
    assert_eq!(
        place.log.released(),
        Seq::ZERO,
        "one data centre holds nothing yet"
    );
    let mut last = Seq::ZERO;
    for n in 2..4 {
        all[0].add(n, "tea", 1).await;
        let wanted = all[0].lane.progress().chain.seq;
        all[2]
            .lane
            .reach(wanted, Duration::from_secs(5))
            .await
            .expect("it comes");
        let taken = all[2]
            .lane
            .snapshot()
            .await
            .expect("taken")
            .expect("somewhere to put it");
        last = taken.seq;
    }
    settle().await;
    let released = place.log.released();
    assert!(
        released > Seq::ZERO && released < last,
        "{released} of {last}"
    );
}
