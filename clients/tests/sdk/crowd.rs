//! Many devices at once.

use crate::people::{Follower, Person, send};
use anyhow::{Result, ensure};
use bongsu_clients::Server;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

const DEVICES: usize = 10;
const EACH: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_devices_send_a_thousand_messages() -> Result<()> {
    let server = Server::start().await?;
    let alice = Person::register(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    bob.accept(&room).await?;
    let mut devices = vec![alice, bob];
    for number in devices.len()..DEVICES {
        devices.push(Person::login(&server, ["alice", "bob"][number % 2]).await?);
    }

    let mut working = JoinSet::new();
    for (number, device) in devices.into_iter().enumerate() {
        let mut follower = Follower::new(&device, &room);
        working.spawn(async move {
            let room = follower.enter().await?;
            let mut sent = Vec::new();
            for count in 0..EACH {
                let text = format!("device {number} message {count}");
                sent.push((send(&room, &text).await?, text));
            }
            follower.until(DEVICES * EACH).await?;
            anyhow::Ok((sent, follower.seen))
        });
    }
    let mut sent = Vec::new();
    let mut timelines = Vec::new();
    while let Some(done) = working.join_next().await {
        let (by_this, seen) = done??;
        sent.push(by_this);
        timelines.push(seen);
    }

    let first = &timelines[0];
    ensure!(
        timelines.iter().all(|timeline| timeline == first),
        "the devices see different orders"
    );
    ensure!(
        first.len() == DEVICES * EACH,
        "{} messages were seen",
        first.len()
    );
    let once: BTreeSet<_> = first.iter().collect();
    ensure!(once.len() == first.len(), "a message is there twice");
    for by_one in &sent {
        let mut rest = first.iter();
        let in_order = by_one
            .iter()
            .all(|message| rest.any(|seen| seen == message));
        ensure!(in_order, "a device's messages are missing or out of order");
    }
    Ok(())
}
