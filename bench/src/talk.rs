//! The messenger beside Synapse. Both are driven by the same code with the same requests, in turns, so
//! that what else the machine does is unfair to both alike.

mod delivery;
mod growth;
mod initial;
mod load;
mod polls;
mod size;
mod throughput;

pub use load::{Sender, Tally, accounts, join, rooms, round};

use crate::report::{Beside, Report};
use crate::server::Server;
use crate::synapse;
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Args)]
pub struct Wanted {
    /// Python of the environment in which Synapse is installed; without it nothing stands beside.
    #[arg(long)]
    synapse: Option<PathBuf>,
    /// A tenth of everything, to see whether it works.
    #[arg(long)]
    quick: bool,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Messages a second, memory, disk.
    Throughput,
    /// From sending to delivery.
    Delivery,
    /// The first sync of an account, and the later ones of one in many rooms.
    Initial,
    /// Idle long polls.
    Polls,
    /// Throughput of an empty server and of a full one.
    Growth,
    /// Throughput by the size of the room.
    Size,
}

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Scale {
    /// How long one round of sending lasts, and how many rounds there are.
    round: Duration,
    rounds: usize,
    /// How long messages are sent at a given rate.
    steady: Duration,
    /// Rooms and members that both are filled with.
    rooms: usize,
    members: usize,
    /// Rooms and members that only we are filled with.
    many_rooms: usize,
    many_members: usize,
    /// Idle long polls at both.
    polls: usize,
    /// Messages and rooms of the full server.
    messages: usize,
    full_rooms: usize,
    /// Members of the largest room.
    largest: usize,
}

const FULL: Scale = Scale {
    round: Duration::from_secs(5),
    rounds: 3,
    steady: Duration::from_secs(20),
    rooms: 30,
    members: 100,
    many_rooms: 300,
    many_members: 300,
    polls: 1_000,
    messages: 1_000_000,
    full_rooms: 10_000,
    largest: 10_000,
};

const QUICK: Scale = Scale {
    round: Duration::from_secs(2),
    rounds: 1,
    steady: Duration::from_secs(5),
    rooms: 5,
    members: 20,
    many_rooms: 100,
    many_members: 50,
    polls: 200,
    messages: 50_000,
    full_rooms: 1_000,
    largest: 500,
};

/// The two that stand side by side.
pub struct Pair {
    ours: Server,
    peer: Option<Server>,
}

impl Pair {
    /// Does the same on both, ours first.
    async fn both<T>(&self, mut each: impl AsyncFnMut(&Server) -> Result<T>) -> Result<Two<T>> {
        let ours = each(&self.ours).await?;
        let peer = match &self.peer {
            Some(peer) => Some(each(peer).await?),
            None => None,
        };
        Ok(Two { ours, peer })
    }
}

/// Something of both.
pub struct Two<T> {
    ours: T,
    peer: Option<T>,
}

impl<T> Two<T> {
    /// A row of a figure taken of both.
    fn row(&self, report: &mut Report, (name, unit): (&str, &str), figure: impl Fn(&T) -> f64) {
        let peer = self.peer.as_ref().map(&figure);
        report.row(
            name,
            unit,
            figure(&self.ours),
            peer.map_or(Beside::Nothing, Beside::Peer),
        );
    }
}

pub async fn run(binary: &Path, wanted: &Wanted) -> Result<Vec<Value>> {
    let scale = if wanted.quick { QUICK } else { FULL };
    let wants = |part| wanted.only.is_empty() || wanted.only.contains(&part);
    let pair = Pair {
        ours: Server::ours(binary).await?,
        peer: match &wanted.synapse {
            Some(python) => Some(synapse::start(python).await?),
            None => None,
        },
    };
    let mut report = Report::new(pair.peer.as_ref().map_or("", |peer| &peer.name));
    let at_rest = pair.both(async |server| server.memory()).await?;
    at_rest.row(&mut report, ("memory at rest", "MiB"), |memory| *memory);
    if wants(Part::Throughput) {
        throughput::run(&pair, &scale, &mut report).await?;
    }
    if wants(Part::Delivery) {
        delivery::run(&pair, &scale, &mut report).await?;
    }
    if wants(Part::Initial) || wants(Part::Polls) {
        let crowds = initial::fill(&pair, &scale, &mut report).await?;
        if wants(Part::Initial) {
            initial::run(&pair, &scale, &crowds, &mut report).await?;
        }
        if wants(Part::Polls) {
            polls::run(&pair, &scale, &crowds, &mut report).await?;
        }
    }
    drop(pair);
    if wants(Part::Growth) {
        growth::run(binary, &scale, &mut report).await?;
    }
    if wants(Part::Size) {
        size::run(binary, &scale, &mut report).await?;
    }
    Ok(report.into_rows())
}
