//! Both buses do the same.

use bongsu_bus::{Bus, LocalBus, NatsBus, Topic};
use bongsu_test_nats::Servers;
use std::time::Duration;

fn topic(text: &str) -> Topic {
    Topic::new(text).expect("a topic")
}

/// What is published through `here` is heard through `there`, and through `here` itself.
async fn does_its_work(here: &dyn Bus, there: &dyn Bus) {
    let mut typing = there.subscribe(&topic("typing")).await;
    let mut one_room = there.subscribe(&topic("typing/!a:talk.example")).await;
    let mut own = here.subscribe(&topic("typing")).await;
    // The servers know of a subscription a moment after it was made.
    let mut heard = None;
    while heard.is_none() {
        here.publish(&topic("typing/begin"), "".into()).await;
        let both = async { (typing.next().await, own.next().await) };
        heard = tokio::time::timeout(Duration::from_millis(200), both)
            .await
            .ok();
    }
    for (about, says) in [
        ("typing/!a:talk.example", "1"),
        ("presence/@mina:talk.example", "2"),
        ("typing/!b:talk.example/x", "3"),
        ("typing", "4"),
        ("typing/!a:talk.example", "5"),
    ] {
        here.publish(&topic(about), says.into()).await;
    }
    for (ear, expected) in [
        (&mut typing, "1345"),
        (&mut own, "1345"),
        (&mut one_room, "15"),
    ] {
        let mut said = Vec::new();
        while said.len() < expected.len() {
            let note = ear.next().await.expect("a note");
            if note.topic.as_str() != "typing/begin" {
                said.push(note.payload);
            }
        }
        // Notes of different topics may overtake one another.
        said.sort();
        assert_eq!(said.concat(), expected.as_bytes());
    }
}

#[tokio::test]
async fn within_one_process() {
    let bus = LocalBus::default();
    does_its_work(&bus, &bus.clone()).await;
}

#[tokio::test]
async fn who_is_slow_loses_the_oldest_and_who_is_gone_loses_nothing_for_others() {
    let bus = LocalBus::default();
    let mut slow = bus.subscribe(&topic("a")).await;
    drop(bus.subscribe(&topic("a")).await);
    for n in 0..1_500u16 {
        bus.publish(&topic("a/b"), n.to_le_bytes().to_vec().into())
            .await;
    }
    drop(bus);
    let mut heard = Vec::new();
    while let Some(note) = slow.next().await {
        heard.push(u16::from_le_bytes(
            note.payload[..].try_into().expect("two bytes"),
        ));
    }
    assert_eq!(heard.last(), Some(&1_499));
    assert!(heard.len() < 1_500 && heard.is_sorted());
}

#[tokio::test]
async fn between_sites() {
    let servers = Servers::start(3);
    let connect = async |n: usize| {
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .connect(servers.urls(n))
            .await
            .expect("options");
        NatsBus::new(client, "house")
    };
    let (here, there) = (connect(0).await, connect(2).await);
    does_its_work(&here, &there).await;
    let elsewhere = NatsBus::new(
        async_nats::connect(servers.urls(1))
            .await
            .expect("connected"),
        "other",
    );
    let mut other = elsewhere.subscribe(&topic("typing")).await;
    here.publish(&topic("typing/x"), "".into()).await;
    elsewhere.publish(&topic("typing/own"), "".into()).await;
    assert_eq!(
        other.next().await.expect("a note").topic,
        topic("typing/own")
    );
}
