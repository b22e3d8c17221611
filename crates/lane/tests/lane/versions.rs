//! New behaviour begins at one entry, for every replica.

use crate::tally::{Ask, Place, ask, id};
use bongsu_base::{LogTime, Seed, Seq};
use bongsu_lane::{
    Actor, Applier, ApplyError, Behaviour, EntryBody, LaneState, OpenError, Options, Payload,
    Record, Request, SubmitError, System, SystemAccount,
};
use bongsu_log::Log;
use std::path::Path;
use std::time::Duration;

fn activation(version: u32) -> EntryBody {
    let record = Record {
        id: id(1_000 + u64::from(version)),
        actor: Actor::Platform,
        seed: Seed::from_bytes([0; 32]),
        payload: Payload::System(System::ActivateVersion { version }),
    };
    EntryBody {
        records: vec![record],
    }
}

#[tokio::test(start_paused = true)]
async fn an_activated_behaviour_holds_everywhere_from_one_entry_on() {
    let place = Place::new();
    let (a, b) = (place.open("a").await, place.open("b").await);
    assert_eq!(a.add(1, "tea", 1).await, 1);
    let seq = a.lane.activate(2).await.expect("activated");
    assert_eq!(a.add(2, "tea", 1).await, 3, "twice as much now");
    assert_eq!(b.add(3, "tea", 1).await, 5, "here too");
    b.lane.activate(1).await.expect("changes nothing");
    assert_eq!(b.add(4, "tea", 1).await, 7);
    assert!(
        a.lane.activate(3).await.is_err(),
        "this code has no such behaviour"
    );
    assert_eq!(b.lane.progress().active_version, 2);
    assert!(b.lane.progress().chain.seq > seq);
    a.close().await;
    let again = place.open("a").await;
    assert_eq!(
        again.lane.progress().active_version,
        2,
        "a restart does not forget it"
    );
    // A new replica goes the same way from the first entry.
    let c = place.open("c").await;
    let far = b.lane.progress().chain.seq;
    c.lane
        .reach(far, Duration::from_secs(1))
        .await
        .expect("it comes");
    assert_eq!(c.amount("tea").await, 7);
}

/// Who asked for what stands in the log.
async fn actors(place: &Place) -> Vec<Actor> {
    let entries = place.log.read(Seq::ZERO, usize::MAX).await.expect("read");
    let records = entries
        .iter()
        .flat_map(|entry| EntryBody::decode(&entry.body).expect("decodes").records);
    let commands = records.filter(|record| matches!(record.payload, Payload::Command(_)));
    commands.map(|record| record.actor).collect()
}

#[tokio::test(start_paused = true)]
async fn what_not_all_data_centres_know_is_not_written() {
    let place = Place::new();
    let site = place.open("a").await;
    let mina = Actor::OperatorAs(SystemAccount {
        uid: 1_000,
        name: Some("mina".to_owned()),
    });
    let as_mina = |n, command| Request {
        actor: mina.clone(),
        ..ask(n, command)
    };
    site.add(1, "tea", 1).await;
    let refused = site.submit(ask(2, Ask::Empty("tea".into()))).await;
    assert!(matches!(refused, Err(SubmitError::NotYet)), "{refused:?}");
    let add = Ask::Add("tea".into(), 1);
    site.submit(as_mina(3, add.clone())).await.expect("known");
    assert_eq!(
        actors(&place).await,
        [Actor::Nobody, Actor::Operator],
        "as the first releases write it"
    );
    let behaviour = site.lane.behaviour();
    assert_eq!(
        behaviour,
        Behaviour {
            active: 1,
            known: 2
        }
    );

    site.lane.activate(2).await.expect("activated");
    let emptied = site.submit(ask(2, Ask::Empty("tea".into()))).await;
    assert_eq!(emptied.expect("known now").outcome, Ok(0));
    assert_eq!(site.amount("tea").await, 0);
    site.submit(as_mina(4, add)).await.expect("known");
    assert_eq!(actors(&place).await.last(), Some(&mina));
    let behaviour = site.lane.behaviour();
    assert_eq!(
        behaviour,
        Behaviour {
            active: 2,
            known: 2
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_behaviour_that_this_code_lacks_stops_it() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    place
        .log
        .append(activation(9).encode().into())
        .await
        .expect("appended");
    tokio::time::sleep(Duration::from_secs(5)).await;
    match site.lane.health().state {
        LaneState::Stopped(reason) => assert!(reason.contains("behaviour 9"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(site.amount("tea").await, 1);
}

#[test]
fn what_cannot_be_decoded_or_does_not_follow_is_named_and_changes_nothing() {
    let mut applier = Applier::<crate::tally::Tally>::open(Path::new(":memory:")).expect("opens");
    let before = applier.progress();
    let time = LogTime(1_800_000_000_000);
    let good = EntryBody { records: vec![] }.entry_after(before.chain, time);
    applier.apply(std::slice::from_ref(&good)).expect("applies");
    let before = applier.progress();

    let again = applier
        .apply(std::slice::from_ref(&good))
        .expect_err("it was applied");
    assert!(
        matches!(again, ApplyError::Chain { seq } if seq == good.seq),
        "{again}"
    );

    let record = Record {
        id: id(1),
        actor: Actor::Nobody,
        seed: Seed::from_bytes([0; 32]),
        payload: Payload::Command(vec![200, 1]),
    };
    let strange = EntryBody {
        records: vec![record],
    }
    .entry_after(before.chain, time);
    let error = applier
        .apply(&[strange])
        .expect_err("nobody knows what it means");
    assert!(error.to_string().contains("run a newer one"), "{error}");
    assert_eq!(applier.progress(), before);
    let next = EntryBody { records: vec![] }.entry_after(before.chain, time);
    applier.apply(&[next]).expect("what follows applies");
}

/// The same tables and commands in a release that has one more behaviour, and one more table.
mod newer {
    use crate::tally::{Ask, Bell, Tally, TooFew};
    use bongsu_lane::{Cx, Domain, Refusal};

    pub struct Newer;

    impl Domain for Newer {
        const NAME: &'static str = Tally::NAME;
        const VERSION: u32 = 9;
        const MIGRATIONS: &'static [&'static str] = &[
            Tally::MIGRATIONS[0],
            Tally::MIGRATIONS[1],
            "CREATE TABLE cups (n INTEGER PRIMARY KEY); INSERT INTO cups VALUES (1), (2);
             CREATE TABLE derived_saucers (n INTEGER PRIMARY KEY);",
        ];
        type Command = Ask;
        type Accepted = i64;
        type Rejected = TooFew;
        type Effect = Bell;

        fn migrated(db: &rusqlite::Connection) -> rusqlite::Result<()> {
            db.execute_batch(
                "INSERT INTO cups VALUES (7); INSERT INTO derived_saucers SELECT n FROM cups",
            )
        }

        fn apply(cx: &mut Cx<'_, Self>, _: Ask) -> Result<i64, Refusal<TooFew>> {
            let count = cx.db().execute("INSERT INTO cups VALUES (NULL)", ())?;
            Ok(count as i64)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_release_migrates_and_an_older_one_refuses_its_view() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    site.close().await;

    let options: Options = place.options("a");
    let log = std::sync::Arc::new(place.log.clone());
    let opened = bongsu_lane::Lane::<newer::Newer>::open(log.clone(), options).await;
    let (lane, runner, how) = opened.expect("opens");
    assert_eq!(how, bongsu_lane::View::Kept);
    let task = tokio::spawn(runner.run());
    lane.submit(crate::tally::add(2, "tea", 1))
        .await
        .expect("decided")
        .outcome
        .expect("accepted");
    lane.close().await;
    task.await.expect("it ends");
    let opened = bongsu_lane::Lane::<newer::Newer>::open(log, place.options("a")).await;
    let (_, runner, how) = opened.expect("opens");
    assert_eq!(
        how,
        bongsu_lane::View::Kept,
        "the digest followed the migration"
    );
    drop(runner);
    let cups: (i64, i64) = rusqlite::Connection::open(place.view("a"))
        .expect("opens")
        .query_row(
            "SELECT sum(n), (SELECT sum(n) FROM derived_saucers) FROM cups",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("both tables");
    assert_eq!(cups, (1 + 2 + 7 + 8, 1 + 2 + 7));

    match place.open_with(place.options("a")).await.err() {
        Some(OpenError::View { what, .. }) => {
            assert!(what.contains("newer than this program"), "{what}")
        }
        other => panic!("{other:?}"),
    }
    assert!(
        place.view("a").exists(),
        "a view that is only too new is left alone"
    );
}
