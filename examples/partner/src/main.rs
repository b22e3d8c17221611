//! The service as a program.

use anyhow::{Context, Result};
use bongsu_partner::{Arguments, Clock, Partner, Settings, hash};
use clap::{Parser, Subcommand};
use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(about = "A service that people sign in to with Bongsu, a second provider or a password", long_about = None)]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Serve
    Serve(Box<Arguments>),
    /// Hash the password on the standard input, for the file of passwords
    Hash,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads the clock"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match Command::parse().what {
        What::Hash => hash_input(),
        What::Serve(arguments) => serve(*arguments).await,
    }
}

#[expect(clippy::print_stdout, reason = "the hash is what was asked for")]
fn hash_input() -> Result<()> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    println!("{}", hash(password.trim_end_matches('\n'), &salt)?);
    Ok(())
}

async fn serve(arguments: Arguments) -> Result<()> {
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener.with_context(|| format!("{} cannot be used", arguments.listen))?;
    let settings = Settings::of(arguments, listener.local_addr()?)?;
    let clock: Clock = Arc::new(now);
    tracing::info!(url = settings.base_url, "serving");
    let partner = Partner::new(settings, clock)?;
    tokio::spawn(partner.verifier().clone().keep_warm());
    axum::serve(listener, partner.router()).await?;
    Ok(())
}
