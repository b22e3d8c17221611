//! `bongsu bank`: a bank that is not one, outside of every data centre, for laptops, tests and drills.

use crate::data::write_whole;
use crate::say;
use anyhow::{Context, Result};
use bongsu_bank_rail::{Faults, Simulated, serve};
use bongsu_web_kit::Clock;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// `bongsu bank`.
#[derive(Debug, Args)]
pub struct BankArgs {
    /// Folder for what the bank has done, and for the address that it serves (DIR/listen.addr); made if it is missing
    #[arg(long, value_name = "DIR", default_value = "./bank")]
    pub dir: PathBuf,
    /// Address and port to serve on
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8012")]
    pub listen: SocketAddr,
    /// How it misbehaves.
    #[command(flatten)]
    pub faults: FaultArgs,
}

/// How the bank misbehaves.
#[derive(Debug, Clone, Copy, Args)]
pub struct FaultArgs {
    /// Of a thousand orders so many are done and their answers lost
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    answers_lost: u16,
    /// Of a thousand orders so many are lost before they are done
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    orders_lost: u16,
    /// Of a thousand orders so many are heard twice
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    orders_repeated: u16,
    /// Of a thousand entries so many stand twice in a statement
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    entries_doubled: u16,
    /// Of a thousand answers so many are slow
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    slow: u16,
    /// How long a slow answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    delay_ms: u64,
    /// What goes wrong follows from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

/// Serves until it is told to stop.
pub async fn run(asked: &BankArgs) -> Result<()> {
    let (dir, faults) = (&asked.dir, asked.faults);
    std::fs::create_dir_all(dir)
        .with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    let (path, clock) = (dir.join("bank.sqlite"), Clock::system());
    let how = Faults {
        answers_lost: faults.answers_lost,
        orders_lost: faults.orders_lost,
        orders_repeated: faults.orders_repeated,
        slow: faults.slow,
        delay: Duration::from_millis(faults.delay_ms),
        entries_doubled: faults.entries_doubled,
    };
    let bank = Simulated::open(&path, move || clock.now(), how, faults.seed);
    let bank = bank.with_context(|| format!("{} cannot be opened", path.display()))?;
    let listener = TcpListener::bind(asked.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", asked.listen))?;
    let address = listener.local_addr()?;
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    write_whole(&dir.join("listen.addr"), address.to_string().as_bytes())?;
    say::line(format_args!(
        "a simulated bank at http://{address}; no real money moves"
    ));
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, bank, end).await?;
    Ok(())
}
