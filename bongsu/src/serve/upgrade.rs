//! Rolling upgrades: what only a new release knows begins once every data centre has that release.

use crate::health::SiteStatus;
use anyhow::{Context, Result, bail};
use bongsu_lane::{Behaviour, Domain, Lane};
use bongsu_peer::Peer;
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How often the others are asked.
const EVERY: Duration = Duration::from_secs(5);

/// Activates the highest behaviour of `lane` that this data centre and all `peers` know, until it is the highest that this
/// one knows or `stopping` is true. Whoever holds the lane's lease does so.
pub fn activate<D: Domain>(
    lane: &Lane<D>,
    peers: &[Peer],
    mut stopping: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + 'static {
    let (lane, peers) = (lane.clone(), peers.to_vec());
    async move {
        let mut told = None;
        while lane.behaviour().active < D::VERSION {
            if lane.leads()
                && let Err(why) = try_activate(&lane, &peers).await
            {
                let why = format!("{why:#}");
                if told.as_ref() != Some(&why) {
                    tracing::info!(
                        lane = D::NAME,
                        why,
                        "what this release knows first is not used yet"
                    );
                }
                told = Some(why);
            }
            let stopped = stopping.wait_for(|stopping| *stopping);
            if timeout(EVERY, stopped).await.is_ok() {
                return;
            }
        }
    }
}

/// Activates what all know, if it is more than is active.
async fn try_activate<D: Domain>(lane: &Lane<D>, peers: &[Peer]) -> Result<()> {
    let Behaviour { active, mut known } = lane.behaviour();
    for peer in peers {
        let status = peer.status().await?;
        let status: SiteStatus = serde_json::from_value(status)
            .with_context(|| format!("{} says nothing of itself", peer.name()))?;
        let theirs = status.knows(D::NAME);
        if theirs <= active {
            bail!("{} is not upgraded", peer.name());
        }
        known = known.min(theirs);
    }
    lane.activate(known).await?;
    tracing::info!(
        lane = D::NAME,
        behaviour = known,
        "all data centres know it, and show it from now on"
    );
    Ok(())
}
