//! Benchmarks of the running platform: it starts the release binary and, beside it, a peer, drives both
//! over HTTP as clients do, and says what it saw. It imports nothing of the platform.

mod client;
mod cluster;
mod identity;
mod pace;
mod pay;
mod postgres;
mod report;
mod server;
mod synapse;
mod talk;
mod waits;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(about = "Benchmarks of the running platform", long_about = None)]
struct Arguments {
    /// The binary to be measured.
    #[arg(long, default_value = "target/release/bongsu")]
    binary: PathBuf,
    /// Where the results go, as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The messenger beside Synapse: messages a second, latencies, initial sync, memory, disk.
    Talk(talk::Wanted),
    /// Three data centres beside their engine alone and Synapse: messages a second, latencies, memory.
    Cluster(cluster::Wanted),
    /// Sign-in for other services beside `oidc-provider`: refreshes, introspections, code flows, passwords.
    Identity(identity::Wanted),
    /// Payments beside PostgreSQL: transfers a second through the library and over HTTP, bytes for each.
    Pay(pay::Wanted),
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { binary, out, what } = Arguments::parse();
    // Ten thousand connections are ten thousand files, here and in the servers.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    // Told to stop, it ends what it started as it does at any other failure.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let work = async {
        match what {
            What::Talk(wanted) => talk::run(&binary, &wanted).await,
            What::Cluster(wanted) => cluster::run(&binary, &wanted).await,
            What::Identity(wanted) => identity::run(&binary, &wanted).await,
            What::Pay(wanted) => pay::run(&binary, &wanted).await,
        }
    };
    let rows = tokio::select! {
        rows = work => rows?,
        _ = terminate.recv() => bail!("stopped by SIGTERM"),
        _ = interrupt.recv() => bail!("stopped by SIGINT"),
    };
    if let Some(out) = out {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(out, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}
