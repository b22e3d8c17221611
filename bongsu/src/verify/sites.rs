//! `bongsu verify --all-sites`: running data centres are compared with one another.

use super::Report;
use crate::config::Sites;
use crate::health::SiteStatus;
use anyhow::{Context, Result, bail};
use bongsu_base::Seq;
use bongsu_lane::Checkpoint;
use bongsu_peer::Peer;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long it may take until all have said something of the same entry.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// What a data centre was at some entries of one domain's log.
type Checkpoints = BTreeMap<Seq, Checkpoint>;

/// Compares what all data centres made of each domain's log, at an entry that each of them applied after this
/// began: those that answer, if some do not. Gives whether all agree.
pub async fn verify(sites: Option<&Sites>) -> Result<bool> {
    let Some(sites) = sites else {
        bail!(
            "this installation is on one machine alone; --config names the file of one of several data centres"
        );
    };
    let identity = sites.identity()?;
    let mut all = sites.peers(&identity)?;
    let own = Peer::new(
        &identity,
        sites.own.clone(),
        &sites.peer.listen.to_string(),
        bongsu_peer::Patience::default(),
    )?;
    all.push(own);
    all.sort_by_key(|peer| peer.name().clone());
    let mut report = Report::default();
    let begun = ask(&all, &mut report).await;
    all.retain(|peer| begun.contains_key(&peer.name().to_string()));
    if all.len() > 1 {
        compare(&all, &begun, &mut report).await?;
    }
    Ok(report.end())
}

/// Every data centre's word, by its name; those that do not answer are problems.
async fn ask(all: &[Peer], report: &mut Report) -> BTreeMap<String, SiteStatus> {
    let mut heard = BTreeMap::new();
    for peer in all {
        match status(peer).await {
            Ok(status) => {
                heard.insert(peer.name().to_string(), status);
            }
            Err(error) => report.problem(format!("{}: {error:#}", peer.name())),
        }
    }
    heard
}

async fn status(peer: &Peer) -> Result<SiteStatus> {
    let status = peer.status().await?;
    serde_json::from_value(status).context("it is of another release, or no data centre")
}

/// Waits until all have come to the same new entry in each domain, and compares them there.
async fn compare(
    all: &[Peer],
    begun: &BTreeMap<String, SiteStatus>,
    report: &mut Report,
) -> Result<()> {
    let first = begun.values().next().context("there are data centres")?;
    let domains = first
        .readiness
        .domains
        .iter()
        .map(|domain| domain.domain.clone());
    let deadline = Instant::now() + PATIENCE;
    for domain in domains {
        let applied = begun.values().flat_map(|status| &status.readiness.domains);
        let applied = applied
            .filter(|other| other.domain == domain)
            .map(|other| other.applied);
        let after = Seq(applied.max().unwrap_or(0));
        loop {
            let found = look(all, &domain).await;
            let found = found.with_context(|| format!("comparing {domain}"))?;
            match common(&found, after) {
                Some(seq) => {
                    agree(&domain, seq, &found, report);
                    break;
                }
                None if Instant::now() > deadline => {
                    report.problem(format!(
                        "{domain}: not all data centres have come to an entry after {after} within a minute"
                    ));
                    break;
                }
                None => sleep(PAUSE).await,
            }
        }
    }
    Ok(())
}

/// Every data centre's checkpoints of `domain`.
async fn look(all: &[Peer], domain: &str) -> Result<BTreeMap<String, Checkpoints>> {
    let mut found = BTreeMap::new();
    for peer in all {
        let lanes = status(peer).await?.lanes.into_iter();
        let lane = lanes.filter(|lane| lane.domain == domain);
        let checkpoints = lane.flat_map(|lane| lane.checkpoints);
        let checkpoints = checkpoints
            .map(|checkpoint| (checkpoint.seq, checkpoint))
            .collect();
        found.insert(peer.name().to_string(), checkpoints);
    }
    Ok(found)
}

/// The newest entry after `after` of which all have said something.
fn common(found: &BTreeMap<String, Checkpoints>, after: Seq) -> Option<Seq> {
    let first = found.values().next()?;
    let newest_first = first.keys().rev().take_while(|seq| **seq > after);
    newest_first.copied().find(|seq| {
        found
            .values()
            .all(|checkpoints| checkpoints.contains_key(seq))
    })
}

fn agree(domain: &str, seq: Seq, found: &BTreeMap<String, Checkpoints>, report: &mut Report) {
    let at: Vec<_> = found
        .iter()
        .map(|(name, checkpoints)| (name, checkpoints[&seq]))
        .collect();
    if at.iter().all(|(_, checkpoint)| *checkpoint == at[0].1) {
        let names: Vec<_> = at.iter().map(|(name, _)| name.as_str()).collect();
        report.good(format_args!(
            "{domain}: {} have the same log and the same state at entry {seq}",
            names.join(", ")
        ));
        return;
    }
    for (name, checkpoint) in at {
        let digest = data_encoding::HEXLOWER.encode(&checkpoint.digest);
        let link = data_encoding::HEXLOWER.encode(&checkpoint.link);
        report.problem(format!(
            "{domain}: at entry {seq}, {name} has the log {link} and the state {digest}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoints(seqs: &[(u64, u8)]) -> Checkpoints {
        let checkpoint = |(seq, digest): &(u64, u8)| Checkpoint {
            seq: Seq(*seq),
            link: [0; 16],
            digest: [*digest; 16],
        };
        seqs.iter()
            .map(checkpoint)
            .map(|one| (one.seq, one))
            .collect()
    }

    #[test]
    fn data_centres_are_compared_at_the_newest_entry_that_all_know() {
        let found = BTreeMap::from([
            ("dc1".to_owned(), checkpoints(&[(3, 1), (7, 1), (9, 1)])),
            ("dc2".to_owned(), checkpoints(&[(3, 1), (7, 2)])),
        ]);
        assert_eq!(common(&found, Seq(2)), Some(Seq(7)));
        assert_eq!(common(&found, Seq(7)), None);
        let mut report = Report::default();
        agree("talk", Seq(3), &found, &mut report);
        assert!(report.problems.is_empty());
        agree("talk", Seq(7), &found, &mut report);
        assert_eq!(report.problems.len(), 2);
        assert!(
            report.problems[0].contains("at entry 7, dc1 has"),
            "{:?}",
            report.problems
        );
    }
}
