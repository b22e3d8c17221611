//! From sending to delivery: messages sent at a given rate by the clock, whatever becomes of those before,
//! and when the receivers' long polls had them. The time counts from when a message was due, so that a
//! server which falls behind does not slow those who measure it.

use super::load::{accounts, join, rooms};
use super::{Pair, Scale, Two};
use crate::client::{Client, find};
use crate::pace::Pace;
use crate::report::{Beside, Report, at};
use crate::server::Server;
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// In how many rooms, each with one who sends and one who receives.
const ROOMS: usize = 50;
/// Messages a second at both, and at ours alone.
const SLOW: u32 = 20;
const FAST: u32 = 1_000;
/// Within how many milliseconds 99 of 100 are to be delivered at [`FAST`].
const AIM: f64 = 10.0;
/// A message's word begins so; the time at which it was due follows.
const MARK: &[u8] = b"due-at-";
/// What is asked for, so that no message falls out of a full timeline.
const FILTER: &str = "filter=%7B%22room%22%3A%7B%22timeline%22%3A%7B%22limit%22%3A200%7D%7D%7D";
/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(pair: &Pair, scale: &Scale, report: &mut Report) -> Result<()> {
    let mut lines = pair.both(lines).await?;
    let mut slow = Two {
        ours: steady(&pair.ours, &mut lines.ours, SLOW, scale.steady).await?,
        peer: None,
    };
    if let (Some(server), Some(lines)) = (&pair.peer, &mut lines.peer) {
        slow.peer = Some(steady(server, lines, SLOW, scale.steady).await?);
    }
    let name = format!("send to delivery at {SLOW}/s");
    slow.row(report, (&format!("{name}, p50"), "ms"), |found| {
        at(&found.latencies, 0.5)
    });
    slow.row(report, (&format!("{name}, p99"), "ms"), |found| {
        at(&found.latencies, 0.99)
    });
    let fast = steady(&pair.ours, &mut lines.ours, FAST, scale.steady).await?;
    let name = format!("send to delivery at {FAST}/s");
    let median = at(&fast.latencies, 0.5);
    report.row(&format!("{name}, p50"), "ms", median, Beside::Nothing);
    let most = at(&fast.latencies, 0.99);
    report.row(&format!("{name}, p99"), "ms", most, Beside::Aim(AIM));
    report.row(
        &format!("{name}, p99 of what the machine did not slow"),
        "ms",
        at(&fast.undisturbed, 0.99),
        Beside::Aim(AIM),
    );
    report.row(
        "the machine at a quarter of its pace or less",
        "% of the time",
        fast.slow * 100.0,
        Beside::Nothing,
    );
    report.row(
        &format!("{name}, the server's processor"),
        "cores",
        fast.cores,
        Beside::Nothing,
    );
    Ok(())
}

/// One who sends and one who receives in a room.
pub struct Line {
    pub sender: Client,
    pub receiver: Client,
    pub room: String,
    /// Whether the one who receives is in the rooms of all lines.
    pub hears_all: bool,
}

async fn lines(server: &Server) -> Result<Vec<Line>> {
    let mut senders = accounts(server, "talker", ROOMS).await?;
    let mut receivers = accounts(server, "listener", ROOMS).await?;
    let rooms = rooms(&mut senders, ROOMS).await?;
    join(&mut senders, &rooms, |n, room| n > 0 && n == room).await?;
    join(&mut receivers, &rooms, |n, room| n == room).await?;
    let both = senders.into_iter().zip(receivers);
    let lines = both.zip(rooms).map(|((sender, receiver), room)| Line {
        sender,
        receiver,
        room,
        hears_all: false,
    });
    Ok(lines.collect())
}

/// What was seen.
pub struct Found {
    /// From when a message was due to when it was delivered, the shortest first.
    pub latencies: Vec<Duration>,
    /// Those of them in which the machine kept its pace.
    pub undisturbed: Vec<Duration>,
    /// The part of the time in which it did not.
    pub slow: f64,
    /// The server's processor.
    pub cores: f64,
}

/// Sends over all `lines` together `rate` messages a second for `span`.
pub async fn steady(
    server: &Server,
    lines: &mut Vec<Line>,
    rate: u32,
    span: Duration,
) -> Result<Found> {
    let count = lines.len();
    let each = (span.as_secs() as usize * rate as usize).div_ceil(count);
    let between = Duration::from_secs(1) * u32::try_from(count)? / rate;
    // From where each listens, before anything is sent.
    let first = lines.iter_mut().map(async |line| {
        let synced = line.receiver.sync(&format!("{FILTER}&timeout=0")).await?;
        anyhow::Ok(synced.token)
    });
    let tokens = try_join_all(first).await?;
    let (begun, cpu) = (Instant::now(), server.cpu_seconds()?);
    let pace = Pace::watch();
    let tasks: Vec<_> = lines
        .drain(..)
        .zip(tokens)
        .enumerate()
        .map(|(n, (mut line, token))| {
            // Not all in the same moment.
            let first = Duration::from_millis(200) + between * n as u32 / count as u32;
            let plan = Plan {
                begun,
                first,
                between,
                each,
                heard: if line.hears_all { each * count } else { each },
            };
            tokio::spawn(async move {
                let Line {
                    sender,
                    receiver,
                    room,
                    ..
                } = &mut line;
                let (_, latencies) =
                    tokio::try_join!(talk(sender, room, &plan), listen(receiver, token, &plan))?;
                anyhow::Ok((line, latencies))
            })
        })
        .collect();
    let mut deliveries = Vec::new();
    for task in tasks {
        let (line, mut of_line) = task.await??;
        lines.push(line);
        deliveries.append(&mut of_line);
    }
    let cores = (server.cpu_seconds()? - cpu) / begun.elapsed().as_secs_f64();
    let slow = pace.end()?;
    let undisturbed = deliveries
        .iter()
        .filter(|heard| !slow.meets(begun + heard.due, begun + heard.due + heard.after));
    Ok(Found {
        undisturbed: sorted(undisturbed),
        latencies: sorted(deliveries.iter()),
        slow: slow.part(),
        cores,
    })
}

/// A message that was delivered: when it was due, from when all began, and how long after that it was there.
struct Delivery {
    due: Duration,
    after: Duration,
}

fn sorted<'a>(deliveries: impl Iterator<Item = &'a Delivery>) -> Vec<Duration> {
    let mut latencies: Vec<_> = deliveries.map(|heard| heard.after).collect();
    latencies.sort_unstable();
    latencies
}

/// When one sends how much.
struct Plan {
    begun: Instant,
    first: Duration,
    between: Duration,
    each: usize,
    heard: usize,
}

async fn talk(client: &mut Client, room: &str, plan: &Plan) -> Result<()> {
    for n in 0..plan.each {
        let due = plan.first + plan.between * u32::try_from(n)?;
        sleep_until(plan.begun + due).await;
        client
            .send(room, &format!("due-at-{}-", due.as_nanos()))
            .await?;
    }
    Ok(())
}

async fn listen(client: &mut Client, mut token: String, plan: &Plan) -> Result<Vec<Delivery>> {
    let last = plan.first + plan.between * u32::try_from(plan.each)?;
    let deadline = plan.begun + last + PATIENCE;
    let mut heard = Vec::new();
    while heard.len() < plan.heard {
        let query = format!("{FILTER}&timeout=30000&since={token}");
        let synced = timeout_at(deadline, client.sync(&query)).await;
        let synced = synced.context("not everything was delivered")??;
        let now = plan.begun.elapsed();
        let mut rest = &synced.body[..];
        while let Some(at) = find(rest, MARK) {
            rest = &rest[at + MARK.len()..];
            let end = find(rest, b"-").context("a mark without an end")?;
            let due = Duration::from_nanos(std::str::from_utf8(&rest[..end])?.parse()?);
            let after = now.saturating_sub(due);
            heard.push(Delivery { due, after });
        }
        token = synced.token;
    }
    ensure!(heard.len() == plan.heard, "something was delivered twice");
    Ok(heard)
}
