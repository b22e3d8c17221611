//! Payments beside PostgreSQL, which does the same in a stored procedure: one transfer for an id, both balances
//! changed, no debits beyond the credits, durable when it is answered.

mod peer;
mod town;

use crate::report::{Beside, Report};
use crate::server::Server;
use anyhow::{Context, Result};
use clap::Args;
use peer::Peer;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use town::Town;

#[derive(Args)]
pub struct Wanted {
    /// What the library's own benchmark wrote.
    #[arg(long)]
    library: PathBuf,
    /// What the benchmark of three data centres wrote.
    #[arg(long)]
    three_ways: PathBuf,
    /// A fifth of everything, to see whether it works.
    #[arg(long)]
    quick: bool,
}

/// How many connections ask at once.
const AT_ONCE: usize = 64;
/// How many times the peer's transfers are to be reached through the library.
const AIM: f64 = 20.0;
/// The same where they are durable in three data centres.
const THREE_WAYS_AIM: f64 = 5.0;
/// What part of uniform transfers those of one hot account are to reach at the least.
const HOT_AIM: f64 = 0.5;

pub async fn run(binary: &Path, wanted: &Wanted) -> Result<Vec<Value>> {
    let span = Duration::from_secs(if wanted.quick { 3 } else { 15 });
    let mut library = rows(&wanted.library)?;
    library.extend(rows(&wanted.three_ways)?);
    let figure = |name: &str, unit: &str| {
        let found = library
            .iter()
            .find(|row| row["name"] == name && row["unit"] == unit);
        let value = found.and_then(|row| row["value"].as_f64());
        value.with_context(|| format!("the library's benchmarks say nothing of {name}, {unit}"))
    };
    let peer = Peer::start().await?;
    let mut report = Report::new(&peer.name);
    let mut rates = Vec::new();
    for (name, hot) in [("uniform", false), ("90% hot", true)] {
        let own = figure(name, "a second")?;
        rates.push(own);
        for (how, batch) in [("one a transaction", 1), ("1,000 a transaction", 1_000)] {
            let other = peer.transfers(hot, batch, span)?;
            let row = format!("library beside {how}, {name}");
            report.row(&row, "a second", own, Beside::Peer(other));
            if batch == 1 {
                let row = format!("library, {name}: times the peer's");
                report.row(&row, "times", own / other, Beside::Aim(AIM));
            }
            if batch == 1 && !hot {
                let own = figure("three ways", "a second")?;
                report.row("in three places", "a second", own, Beside::Peer(other));
                let row = "in three places: times the peer's in one";
                report.row(row, "times", own / other, Beside::Aim(THREE_WAYS_AIM));
            }
        }
    }
    report.row(
        "library, hot to uniform",
        "times",
        rates[1] / rates[0],
        Beside::Aim(HOT_AIM),
    );
    let other = peer.bytes_each()?;
    report.row(
        "on disk, uniform",
        "bytes each",
        figure("uniform", "bytes each")?,
        Beside::Peer(other),
    );
    report.row(
        "to open",
        "ms",
        figure("uniform", "ms to open")?,
        Beside::Nothing,
    );
    drop(peer);
    let ours = Server::ours(binary).await?;
    let town = Town::build(&ours, binary, AT_ONCE).await?;
    for (name, hot) in [("uniform", false), ("90% hot", true)] {
        let waits = town.pay(hot, span).await?;
        let row = format!("over HTTP, {AT_ONCE} at once, {name}");
        report.row(&row, "a second", waits.rate(), Beside::Nothing);
        report.row(&row, "p50, ms", waits.p50(), Beside::Nothing);
        report.row(&row, "p99, ms", waits.p99(), Beside::Nothing);
    }
    Ok(report.into_rows())
}

/// What another benchmark wrote.
fn rows(path: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}
