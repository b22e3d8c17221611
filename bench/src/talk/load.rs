//! Sending as fast as acknowledgements come, and making accounts and rooms to do it with.

use crate::client::Client;
use crate::report::at;
use crate::server::Server;
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::time::Instant;

/// How many connections make accounts and join rooms at the same time.
const HANDS: usize = 8;

/// One who sends, each message after the one before was acknowledged, to one room after the other.
pub struct Sender {
    pub client: Client,
    pub rooms: Vec<String>,
    sent: usize,
}

impl Sender {
    pub fn new(client: Client, rooms: Vec<String>) -> Self {
        Self {
            client,
            rooms,
            sent: 0,
        }
    }

    async fn send(&mut self) -> Result<Duration> {
        let room = &self.rooms[self.sent % self.rooms.len()];
        let asked = Instant::now();
        self.client.send(room, &self.sent.to_string()).await?;
        self.sent += 1;
        Ok(asked.elapsed())
    }
}

/// What was sent in one or more rounds.
#[derive(Default)]
pub struct Tally {
    latencies: Vec<Duration>,
    seconds: f64,
    cpu: f64,
    /// Messages beyond one for each latency, where several went together.
    more: f64,
}

impl Tally {
    pub fn add(&mut self, mut other: Self) {
        self.latencies.append(&mut other.latencies);
        self.latencies.sort_unstable();
        self.seconds += other.seconds;
        self.cpu += other.cpu;
        self.more += other.more;
    }

    /// Entries of `each` messages that took so long.
    pub fn of(latencies: Vec<Duration>, each: f64) -> Self {
        Self {
            more: latencies.len() as f64 * (each - 1.0),
            latencies,
            ..Self::default()
        }
    }

    /// All of it was sent within `span`.
    pub fn lasted(&mut self, span: Duration) {
        self.seconds = span.as_secs_f64();
    }

    pub fn messages(&self) -> usize {
        self.latencies.len()
    }

    pub fn rate(&self) -> f64 {
        (self.messages() as f64 + self.more) / self.seconds
    }

    pub fn p50(&self) -> f64 {
        at(&self.latencies, 0.5)
    }

    pub fn p99(&self) -> f64 {
        at(&self.latencies, 0.99)
    }

    /// Microseconds of the server's processor a message.
    pub fn cpu_per_message(&self) -> f64 {
        self.cpu * 1e6 / self.messages() as f64
    }
}

/// The first `active` of `senders` send for `span`.
pub async fn round(
    server: &Server,
    senders: &mut Vec<Sender>,
    active: usize,
    span: Duration,
) -> Result<Tally> {
    let until = Until::Time(Instant::now() + span);
    send(server, senders, active, until).await
}

/// All `senders` send together `messages`.
pub async fn fill(server: &Server, senders: &mut Vec<Sender>, messages: usize) -> Result<Tally> {
    let active = senders.len();
    let each = Until::Count(messages.div_ceil(active));
    send(server, senders, active, each).await
}

#[derive(Clone, Copy)]
enum Until {
    Time(Instant),
    Count(usize),
}

async fn send(
    server: &Server,
    senders: &mut Vec<Sender>,
    active: usize,
    until: Until,
) -> Result<Tally> {
    let (begun, cpu) = (Instant::now(), server.cpu_seconds()?);
    let tasks: Vec<_> = senders
        .drain(..active)
        .map(|mut sender| {
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while match until {
                    Until::Time(deadline) => Instant::now() < deadline,
                    Until::Count(count) => latencies.len() < count,
                } {
                    latencies.push(sender.send().await?);
                }
                anyhow::Ok((sender, latencies))
            })
        })
        .collect();
    let mut tally = Tally::default();
    let mut back = Vec::new();
    for task in tasks {
        let (sender, mut latencies) = task.await??;
        back.push(sender);
        tally.latencies.append(&mut latencies);
    }
    tally.seconds = begun.elapsed().as_secs_f64();
    tally.cpu = server.cpu_seconds()? - cpu;
    tally.latencies.sort_unstable();
    senders.splice(0..0, back);
    Ok(tally)
}

/// `count` accounts whose names begin with `prefix`.
pub async fn accounts(server: &Server, prefix: &str, count: usize) -> Result<Vec<Client>> {
    let hands = (0..HANDS.min(count)).map(|hand| async move {
        let mut made = Vec::new();
        for n in (hand..count).step_by(HANDS) {
            made.push((
                n,
                Client::registered(&server.address, &format!("{prefix}{n}")).await?,
            ));
        }
        anyhow::Ok(made)
    });
    let mut made: Vec<_> = try_join_all(hands).await?.into_iter().flatten().collect();
    made.sort_by_key(|(n, _)| *n);
    Ok(made.into_iter().map(|(_, client)| client).collect())
}

/// Rooms that the first of `clients` makes.
pub async fn rooms(clients: &mut [Client], count: usize) -> Result<Vec<String>> {
    let maker = clients.first_mut().context("nobody makes rooms")?;
    let mut rooms = Vec::new();
    for _ in 0..count {
        rooms.push(maker.create_room().await?);
    }
    Ok(rooms)
}

/// Brings every one of `clients` into those of `rooms` that `wanted` names by their numbers.
pub async fn join(
    clients: &mut [Client],
    rooms: &[String],
    wanted: impl Fn(usize, usize) -> bool + Copy,
) -> Result<()> {
    let each = clients.len().div_ceil(HANDS);
    let hands = clients.chunks_mut(each).enumerate();
    let hands = hands.map(|(hand, clients)| async move {
        for (n, client) in clients.iter_mut().enumerate() {
            for (r, room) in rooms.iter().enumerate() {
                if wanted(hand * each + n, r) {
                    client.join(room).await?;
                }
            }
        }
        anyhow::Ok(())
    });
    try_join_all(hands).await.map(drop)
}
