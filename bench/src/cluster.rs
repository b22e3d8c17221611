//! Three data centres on this machine beside their engine alone and beside Synapse alone: what durability in
//! three places costs.

mod engine;
pub mod platform;

use crate::report::{Beside, Report};
use crate::server::{Server, cpu_of, memory_of};
use crate::synapse;
use crate::talk::{Sender, Tally, accounts, join, rooms, round};
use anyhow::{Context, Result};
use clap::Args;
use engine::Engine;
use platform::{Platform, SITES};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many send at the same time.
const SENDERS: [usize; 4] = [1, 16, 64, 256];
/// The most that Synapse is asked to bear.
const PEER: usize = 64;
/// How many times Synapse's messages a second are to be reached with as many.
const AIM: f64 = 10.0;
/// The most that a gateway may add to what its engine takes, in milliseconds at the median.
const ADDED: f64 = 1.0;

#[derive(Args)]
pub struct Wanted {
    /// Python of the environment in which Synapse is installed; without it nothing stands beside.
    #[arg(long)]
    synapse: Option<PathBuf>,
    /// A tenth of everything, to see whether it works.
    #[arg(long)]
    quick: bool,
}

/// Everything that sends, by where it sends to.
struct Load {
    ours: Vec<Sender>,
    peer: Vec<Sender>,
}

pub async fn run(binary: &Path, wanted: &Wanted) -> Result<Vec<Value>> {
    let (span, rounds) = match wanted.quick {
        true => (Duration::from_secs(2), 1),
        false => (Duration::from_secs(5), 3),
    };
    let platform = Platform::start(binary).await?;
    let engine = Engine::start(&platform).await?;
    let peer = match &wanted.synapse {
        Some(python) => Some(synapse::start(python).await?),
        None => None,
    };
    let mut report = Report::new(peer.as_ref().map_or("", |peer| &peer.name));
    let mut load = furnish(&platform, peer.as_ref()).await?;
    for senders in SENDERS {
        let (mut ours, mut alone, mut theirs) =
            (Tally::default(), Tally::default(), Tally::default());
        let beside = peer.as_ref().filter(|_| senders <= PEER);
        let begun = platform.used()?;
        for _ in 0..rounds {
            let before = platform.entries().await?;
            let sent = round(&platform.server, &mut load.ours, senders, span).await?;
            // The engine gets as many entries, of the same length, as ours made of the messages.
            let entries = (platform.entries().await? - before).max(1.0);
            let each = sent.messages() as f64 / entries;
            ours.add(sent);
            alone.add(engine.round(senders, each, span).await?);
            if let Some(peer) = beside {
                theirs.add(round(peer, &mut load.peer, senders, span).await?);
            }
        }
        let used = platform.used()?;
        rows(&mut report, senders, &ours, &alone, beside.map(|_| &theirs));
        for ((name, before), (_, after)) in begun.iter().zip(&used) {
            let each = (after - before) * 1e6 / ours.messages() as f64;
            let name = format!("{senders} senders, processor of {name}, in its part of the run");
            report.row(&name, "µs/message", each, Beside::Nothing);
        }
    }
    for (name, pid) in platform.processes()? {
        let name = format!("memory of {name} after sending");
        report.row(&name, "MiB", memory_of(pid)? / 1024.0, Beside::Nothing);
    }
    Ok(report.into_rows())
}

/// One number of senders.
fn rows(report: &mut Report, senders: usize, ours: &Tally, alone: &Tally, peer: Option<&Tally>) {
    let beside =
        |figure: fn(&Tally) -> f64| peer.map_or(Beside::Nothing, |peer| Beside::Peer(figure(peer)));
    let name = format!("{senders} senders over three data centres");
    report.row(&name, "messages/s", ours.rate(), beside(Tally::rate));
    report.row(
        &format!("{name}, p50"),
        "ms",
        ours.p50(),
        beside(Tally::p50),
    );
    report.row(
        &format!("{name}, p99"),
        "ms",
        ours.p99(),
        beside(Tally::p99),
    );
    if let Some(peer) = peer {
        let times = ours.rate() / peer.rate();
        report.row(
            &format!("{name}: times Synapse's"),
            "times",
            times,
            Beside::Aim(AIM),
        );
    }
    let name = format!("the engine alone, the same entries, {senders} senders' worth");
    report.row(&name, "messages/s", alone.rate(), Beside::Nothing);
    report.row(&format!("{name}, p50"), "ms", alone.p50(), Beside::Nothing);
    report.row(&format!("{name}, p99"), "ms", alone.p99(), Beside::Nothing);
    let added = ours.p50() - alone.p50();
    let name = format!("{senders} senders: added to the engine's, p50");
    let aim = if senders == 1 {
        Beside::Aim(ADDED)
    } else {
        Beside::Nothing
    };
    report.row(&name, "ms", added, aim);
}

/// As many who send as the most, a third in each data centre, all in one room; and the same at the peer.
async fn furnish(platform: &Platform, peer: Option<&Server>) -> Result<Load> {
    let most = SENDERS.into_iter().max().context("somebody sends")?;
    let mut ours = senders_at(&platform.server, most).await?;
    for (n, sender) in ours.iter_mut().enumerate() {
        let address = platform.address(n % SITES);
        sender.client = sender.client.another_at(&address).await?;
    }
    let peer = match peer {
        Some(peer) => senders_at(peer, PEER).await?,
        None => Vec::new(),
    };
    Ok(Load { ours, peer })
}

async fn senders_at(server: &Server, count: usize) -> Result<Vec<Sender>> {
    let mut clients = accounts(server, "sender", count).await?;
    let rooms = rooms(&mut clients, 1).await?;
    join(&mut clients, &rooms, |n, _| n > 0).await?;
    let senders = clients.into_iter();
    Ok(senders
        .map(|client| Sender::new(client, rooms.clone()))
        .collect())
}

/// The processor seconds of each process.
fn used(processes: &[(String, u32)]) -> Vec<(String, f64)> {
    let used = processes.iter();
    used.map(|(name, pid)| (name.clone(), cpu_of(*pid)))
        .collect()
}
