//! Sign-in for other services beside npm's `oidc-provider`, whose adapter keeps everything in memory. Both are driven by the
//! same code with the same requests, in turns.

mod load;
mod passwords;
mod peer;
mod person;

use crate::cluster::platform::Platform;
use crate::report::{Beside, Report};
use crate::server::Server;
use crate::waits::Waits;
use anyhow::Result;
use clap::Args;
use load::round;
use person::{Client, Place};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Args)]
pub struct Wanted {
    /// The folder with the peer; without it nothing stands beside.
    #[arg(long)]
    peer: Option<PathBuf>,
    /// A fifth of everything, to see whether it works.
    #[arg(long)]
    quick: bool,
}

/// How many connections ask at once.
const AT_ONCE: usize = 64;
/// How many ask three data centres at once, where each waits longer.
const EVERYWHERE: usize = 256;
/// How many times the peer's refreshes a second are to be reached.
const AIM: f64 = 5.0;

/// What is asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Replacing a session's tokens.
    Refresh,
    /// What an access token is.
    Introspect,
    /// Who somebody is.
    Userinfo,
    /// The public keys.
    Keys,
    /// A code for somebody who is signed in, and its tokens.
    Code,
}

const ALL: [(What, &str); 5] = [
    (What::Refresh, "refreshes"),
    (What::Introspect, "introspections"),
    (What::Userinfo, "userinfo"),
    (What::Keys, "JWKS"),
    (What::Code, "code flows"),
];

pub async fn run(binary: &Path, wanted: &Wanted) -> Result<Vec<Value>> {
    let span = Duration::from_secs(if wanted.quick { 2 } else { 10 });
    let ours = Server::ours(binary).await?;
    let here = [Place::ours(&ours, binary).await?];
    let peer = match &wanted.peer {
        Some(folder) => Some(peer::start(folder).await?),
        None => None,
    };
    let there = match &peer {
        Some(peer) => Some([Place::peers(peer).await?]),
        None => None,
    };
    let mut report = Report::new(peer.as_ref().map_or("", |peer| &peer.name));
    memory(&mut report, "memory at rest", &ours, peer.as_ref())?;
    for (what, name) in ALL {
        let own = round(&here, what, span, AT_ONCE).await?;
        let other = match &there {
            Some(there) => Some(round(there, what, span, AT_ONCE).await?),
            None => None,
        };
        both(
            &mut report,
            &format!("{name}, {AT_ONCE} at once"),
            (&own, other.as_ref()),
        );
        if let (What::Refresh, Some(other)) = (what, &other) {
            let times = own.rate() / other.rate();
            report.row(
                "refreshes: times the peer's",
                "times",
                times,
                Beside::Aim(AIM),
            );
        }
    }
    memory(&mut report, "memory after that", &ours, peer.as_ref())?;
    passwords::run(&here[0], span, &mut report).await?;
    drop(ours);
    let everywhere = three_ways(binary, span).await?;
    let other = match &there {
        Some(there) => Some(round(there, What::Refresh, span, AT_ONCE).await?),
        None => None,
    };
    let name =
        format!("refreshes over three data centres, {EVERYWHERE} at once ({AT_ONCE} at the peer)");
    both(&mut report, &name, (&everywhere, other.as_ref()));
    Ok(report.into_rows())
}

/// Refreshes at three data centres in turn, each durable in two of them when it is answered.
async fn three_ways(binary: &Path, span: Duration) -> Result<Waits> {
    let platform = Platform::start(binary).await?;
    let places = Place::cluster(&platform, binary).await?;
    round(&places, What::Refresh, span, EVERYWHERE).await
}

fn both(report: &mut Report, name: &str, (own, other): (&Waits, Option<&Waits>)) {
    for (unit, figure) in [
        ("a second", Waits::rate as fn(&Waits) -> f64),
        ("p50, ms", Waits::p50),
        ("p99, ms", Waits::p99),
    ] {
        let beside = other.map_or(Beside::Nothing, |other| Beside::Peer(figure(other)));
        report.row(name, unit, figure(own), beside);
    }
}

fn memory(report: &mut Report, name: &str, ours: &Server, peer: Option<&Server>) -> Result<()> {
    let beside = match peer {
        Some(peer) => Beside::Peer(peer.memory()?),
        None => Beside::Nothing,
    };
    report.row(name, "MiB", ours.memory()?, beside);
    Ok(())
}
