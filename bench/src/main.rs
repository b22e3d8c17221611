//! Benchmarks of the running platform: it starts the release binary, drives it over HTTP as clients
//! do, and says what it saw. It imports nothing of the platform.

mod client;
mod send;
mod server;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

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
    /// Messages a second from several senders, durable and applied; memory at rest and after.
    Send {
        /// How many send at the same time.
        #[arg(long, default_value_t = 64)]
        senders: usize,
        /// In how many rooms.
        #[arg(long, default_value_t = 8)]
        rooms: usize,
        /// For how long, in seconds.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { binary, out, what } = Arguments::parse();
    let rows = match what {
        What::Send {
            senders,
            rooms,
            seconds,
        } => send::run(&binary, senders, rooms, seconds).await?,
    };
    if let Some(out) = out {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(out, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}
