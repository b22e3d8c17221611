//! The first sync of an account that is in many rooms of many, and the delivery to it.

use super::delivery::{Line, steady};
use super::load::{Sender, accounts, fill as send_all, join, rooms};
use super::{Pair, Scale, Two};
use crate::client::Client;
use crate::report::{Beside, Report, at};
use crate::server::Server;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::Instant;

/// How many accounts sync for the first time.
const ACCOUNTS: usize = 5;
/// How many messages stand in each room.
const MESSAGES: usize = 20;
/// How many times as fast as the peer's it is to be.
const AIM: f64 = 30.0;
/// The messages a second of which an account in many rooms is told.
const RATE: u32 = 50;
/// Members are told as they are needed, as clients for people ask.
const LAZY: &str =
    "timeout=0&filter=%7B%22room%22%3A%7B%22state%22%3A%7B%22lazy_load_members%22%3Atrue%7D%7D%7D";

/// Accounts that are all in the same rooms.
pub struct Crowd {
    pub clients: Vec<Client>,
    pub rooms: Vec<String>,
}

impl Crowd {
    async fn gather(
        server: &Server,
        prefix: &str,
        (count, members): (usize, usize),
    ) -> Result<Self> {
        let mut clients = accounts(server, prefix, members).await?;
        let rooms = rooms(&mut clients, count).await?;
        join(&mut clients, &rooms, |n, _| n > 0).await?;
        let mut senders = vec![Sender::new(clients.remove(0), rooms.clone())];
        send_all(server, &mut senders, count * MESSAGES).await?;
        let maker = senders.remove(0);
        clients.insert(0, maker.client);
        Ok(Self { clients, rooms })
    }
}

pub async fn fill(pair: &Pair, scale: &Scale, report: &mut Report) -> Result<Two<Crowd>> {
    let begun = Instant::now();
    let mut took = Vec::new();
    let size = (scale.rooms, scale.members);
    let crowds = pair
        .both(async |server| {
            let crowd = Crowd::gather(server, "crowd", size).await;
            took.push(begun.elapsed().as_secs_f64());
            crowd
        })
        .await?;
    let name = format!("filling {} rooms with {} members", size.0, size.1);
    let [ours, rest @ ..] = &took[..] else {
        return Ok(crowds);
    };
    let peer = rest.first().map(|both| both - ours);
    report.row(
        &name,
        "s",
        *ours,
        peer.map_or(Beside::Nothing, Beside::Peer),
    );
    Ok(crowds)
}

pub async fn run(
    pair: &Pair,
    scale: &Scale,
    crowds: &Two<Crowd>,
    report: &mut Report,
) -> Result<()> {
    let size = format!("{} rooms of {}", scale.rooms, scale.members);
    for (query, what) in [("timeout=0", "all members"), (LAZY, "members as needed")] {
        // Both in turns. Each account once: Synapse keeps what it answered for a while.
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for n in 0..ACCOUNTS {
            let client = crowds.ours.clients.get(n).context("an account")?;
            ours.push(first(client, query).await?);
            if let Some(crowd) = &crowds.peer {
                theirs.push(first(crowd.clients.get(n).context("an account")?, query).await?);
            }
        }
        ours.sort_unstable();
        theirs.sort_unstable();
        let name = format!("initial sync, {size}, {what}");
        let (ours, peer) = (
            at(&ours, 0.5),
            (!theirs.is_empty()).then(|| at(&theirs, 0.5)),
        );
        report.row(
            &name,
            "ms",
            ours,
            peer.map_or(Beside::Nothing, Beside::Peer),
        );
        if let Some(peer) = peer {
            let name = format!("{name}: times as fast");
            report.row(&name, "times", peer / ours, Beside::Aim(AIM));
        }
    }
    many(pair, scale, report).await
}

async fn first(client: &Client, query: &str) -> Result<Duration> {
    let mut client = client.another().await?;
    let asked = Instant::now();
    client.sync(query).await?;
    Ok(asked.elapsed())
}

/// Ours alone, in as many rooms as the peer is not filled with in reasonable time.
async fn many(pair: &Pair, scale: &Scale, report: &mut Report) -> Result<()> {
    let size = (scale.many_rooms, scale.many_members);
    let crowd = Crowd::gather(&pair.ours, "many", size).await?;
    let name = format!("{} rooms of {}", size.0, size.1);
    for (query, what) in [("timeout=0", "all members"), (LAZY, "members as needed")] {
        let mut took = Vec::new();
        for client in crowd.clients.iter().take(ACCOUNTS) {
            took.push(first(client, query).await?);
        }
        took.sort_unstable();
        let name = format!("initial sync, {name}, {what}");
        report.row(&name, "ms", at(&took, 0.5), Beside::Nothing);
    }
    let mut lines = Vec::new();
    for (n, pair) in crowd
        .clients
        .chunks_exact(2)
        .take(RATE as usize / 5)
        .enumerate()
    {
        let [sender, receiver] = pair else { continue };
        lines.push(Line {
            sender: sender.another().await?,
            receiver: receiver.another().await?,
            room: crowd.rooms[n].clone(),
            hears_all: true,
        });
    }
    // In each of these rooms one sends, and all who listen are told of every message.
    let found = steady(&pair.ours, &mut lines, RATE, scale.steady).await?;
    let name = format!("delivery at {RATE}/s to accounts in {name}");
    let most = at(&found.latencies, 0.99);
    report.row(
        &format!("{name}, p50"),
        "ms",
        at(&found.latencies, 0.5),
        Beside::Nothing,
    );
    report.row(&format!("{name}, p99"), "ms", most, Beside::Nothing);
    let cpu = format!("{name}, the server's processor");
    report.row(&cpu, "cores", found.cores, Beside::Nothing);
    Ok(())
}
