//! Whether throughput stays when the server fills: an empty one and a full one, in turns.

use super::Scale;
use super::load::{Sender, Tally, accounts, fill, round};
use crate::report::{Beside, Report};
use crate::server::Server;
use anyhow::Result;
use std::path::Path;

const SENDERS: usize = 64;
/// In how many rooms each sends while the two are compared.
const ROOMS: usize = 2;
/// What share of its throughput the full one is to keep.
const AIM: f64 = 0.9;

pub async fn run(binary: &Path, scale: &Scale, report: &mut Report) -> Result<()> {
    let full = Server::ours(binary).await?;
    let mut in_full = senders(&full, scale.full_rooms.div_ceil(SENDERS)).await?;
    let filled = fill(&full, &mut in_full, scale.messages).await?;
    let name = format!(
        "filling with {} messages in {} rooms",
        scale.messages, scale.full_rooms
    );
    report.row(&name, "messages/s", filled.rate(), Beside::Nothing);
    report.row(&format!("{name}, p99"), "ms", filled.p99(), Beside::Nothing);
    full.quiet().await?;
    let memory = full.memory()?;
    report.row("memory of the full server", "MiB", memory, Beside::Nothing);
    let empty = Server::ours(binary).await?;
    let mut in_empty = senders(&empty, ROOMS).await?;
    let all_rooms: Vec<Vec<String>> = in_full.iter().map(|sender| sender.rooms.clone()).collect();
    let [mut before, mut few, mut all] = [(); 3].map(|()| Tally::default());
    for _ in 0..scale.rounds * 2 {
        before.add(round(&empty, &mut in_empty, SENDERS, scale.round).await?);
        for sender in &mut in_full {
            sender.rooms.truncate(ROOMS);
        }
        few.add(round(&full, &mut in_full, SENDERS, scale.round).await?);
        for (sender, rooms) in in_full.iter_mut().zip(&all_rooms) {
            sender.rooms.clone_from(rooms);
        }
        all.add(round(&full, &mut in_full, SENDERS, scale.round).await?);
    }
    let name = "send, 64 at once";
    report.row(
        &format!("{name}, empty server"),
        "messages/s",
        before.rate(),
        Beside::Nothing,
    );
    for (tally, rooms) in [
        (few, "128 rooms of the full server"),
        (all, "all rooms of the full server"),
    ] {
        report.row(
            &format!("{name}, {rooms}"),
            "messages/s",
            tally.rate(),
            Beside::Nothing,
        );
        let share = tally.rate() / before.rate();
        let name = format!("{name}, {rooms}: share of the empty one's");
        report.row(&name, "of 1", share, Beside::Aim(AIM));
        let name = format!("processor a message, {rooms}");
        let (ours, empty) = (tally.cpu_per_message(), before.cpu_per_message());
        report.row(&name, "µs", ours, Beside::Nothing);
        report.row(
            &format!("{name}: of the empty one's"),
            "of 1",
            ours / empty,
            Beside::Nothing,
        );
    }
    Ok(())
}

async fn senders(server: &Server, rooms: usize) -> Result<Vec<Sender>> {
    let clients = accounts(server, "sender", SENDERS).await?;
    let made = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let mut made = Vec::new();
            for _ in 0..rooms {
                made.push(client.create_room().await?);
            }
            anyhow::Ok(Sender::new(client, made))
        })
    });
    let mut senders = Vec::new();
    for task in made.collect::<Vec<_>>() {
        senders.push(task.await??);
    }
    Ok(senders)
}
