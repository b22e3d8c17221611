//! Whether sending costs the same in rooms of any size; and a room in which everybody waits.

use super::Scale;
use super::load::{Sender, Tally, accounts, join, rooms, round};
use super::polls::{AIM, Polls, WORD};
use crate::report::{Beside, Report};
use crate::server::Server;
use anyhow::{Context, Result};
use std::path::Path;
use tokio::time::Instant;

/// How many send: as many as are in the smallest room.
const SENDERS: usize = 2;

pub async fn run(binary: &Path, scale: &Scale, report: &mut Report) -> Result<()> {
    let server = Server::ours(binary).await?;
    let sizes = [SENDERS, 100, scale.largest];
    let mut clients = accounts(&server, "member", scale.largest).await?;
    let rooms = rooms(&mut clients, sizes.len()).await?;
    join(&mut clients, &rooms, |n, room| n > 0 && n < sizes[room]).await?;
    let mut senders = Vec::new();
    for client in &clients[..SENDERS] {
        senders.push(Sender::new(client.another().await?, Vec::new()));
    }
    let mut tallies = sizes.map(|_| Tally::default());
    for _ in 0..scale.rounds * 2 {
        for (tally, room) in tallies.iter_mut().zip(&rooms) {
            for sender in &mut senders {
                sender.rooms = vec![room.clone()];
            }
            tally.add(round(&server, &mut senders, SENDERS, scale.round).await?);
        }
    }
    for (tally, size) in tallies.iter().zip(sizes) {
        let name = format!("send, {SENDERS} at once, a room of {size}");
        report.row(&name, "messages/s", tally.rate(), Beside::Nothing);
        let cpu = tally.cpu_per_message();
        report.row(
            &format!("{name}, the server's processor"),
            "µs/message",
            cpu,
            Beside::Nothing,
        );
    }
    let count = clients.len();
    let before = server.memory()?;
    let polls = Polls::open(clients.iter()).await?;
    server.quiet().await?;
    let memory = server.memory()?;
    let name = format!("memory with {count} idle long polls");
    report.row(&name, "MiB", memory, Beside::Aim(AIM));
    let each = (memory - before) * 1024.0 / count as f64;
    report.row("memory an idle long poll", "KiB", each, Beside::Nothing);
    let room = rooms.last().context("a room")?;
    let sender = senders.first_mut().context("one sends")?;
    // With the first, everybody hears who else is there, too.
    for (n, which) in ["the first message", "the next message"]
        .into_iter()
        .enumerate()
    {
        let (asked, cpu) = (Instant::now(), server.cpu_seconds()?);
        sender.client.send(room, WORD).await?;
        polls.seen(count * (n + 1)).await;
        let took = asked.elapsed().as_secs_f64() * 1e3;
        let name = format!("{which} to {count} who wait in its room");
        report.row(&name, "ms until the last has it", took, Beside::Nothing);
        let cpu = (server.cpu_seconds()? - cpu) * 1e3;
        report.row(&name, "ms of the server's processor", cpu, Beside::Nothing);
    }
    Ok(())
}
