//! Comparing what was acknowledged with what each data centre shows. Nothing here asks anybody: what goes in is what
//! was seen, so that a cluster that lies can be made up to see whether it is caught.

mod events;
mod visits;

pub use events::{Events, Told as Webhooks};
pub use visits::{UNSURE, Visit, visits};

use crate::ledger::{Acknowledged, Shown, Token, Told};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many problems are told in words.
const TOLD: usize = 12;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Acknowledged commands that some data centre does not show.
    pub lost: u64,
    /// Commands that some data centre shows more than once.
    pub doubled: u64,
    /// Groups that two data centres show differently or in another order, and digests that differ.
    pub diverged: u64,
    /// Commands that were acknowledged as something else than what is shown.
    pub unfaithful: u64,
    /// Good tokens that some data centre refuses.
    pub tokens_refused: u64,
    /// Tokens that were taken back and are good somewhere.
    pub tokens_revived: u64,
    /// What merchants were told.
    #[serde(flatten)]
    pub told: Webhooks,
    /// The first problems in words.
    pub problems: Vec<String>,
}

impl Findings {
    /// Notes a problem in words.
    pub fn problem(&mut self, text: impl Into<String>) {
        if self.problems.len() < TOLD {
            self.problems.push(text.into());
        }
    }

    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.diverged += other.diverged;
        self.unfaithful += other.unfaithful;
        self.tokens_refused += other.tokens_refused;
        self.tokens_revived += other.tokens_revived;
        self.told.add(other.told);
        for problem in other.problems {
            self.problem(problem);
        }
    }
}

/// Compares acknowledged commands with what every data centre shows of their groups, all of it.
pub fn commands(acknowledged: &[Acknowledged], shown: &[Shown]) -> Findings {
    let mut findings = Findings::default();
    let mut wanted: BTreeMap<(u32, u64), u64> = BTreeMap::new();
    for Acknowledged { group, key, value } in acknowledged {
        let earlier = wanted.insert((*group, *key), *value);
        if earlier.is_some_and(|earlier| earlier != *value) {
            findings.doubled += 1;
            findings.problem(format!(
                "command {key:#x} of group {group} was acknowledged as two things"
            ));
        }
    }
    let mut lost = BTreeSet::new();
    for (site, shown) in (1..).zip(shown) {
        look(site, &wanted, shown, &mut lost, &mut findings);
    }
    findings.lost = lost.len() as u64;
    agree(shown, &mut findings);
    findings
}

/// Looks at what one data centre shows.
fn look(
    site: usize,
    wanted: &BTreeMap<(u32, u64), u64>,
    shown: &Shown,
    lost: &mut BTreeSet<(u32, u64)>,
    findings: &mut Findings,
) {
    let mut seen: BTreeMap<(u32, u64), u64> = BTreeMap::new();
    for (group, commands) in &shown.groups {
        for (key, value) in commands {
            if seen.insert((*group, *key), *value).is_some() {
                findings.doubled += 1;
                findings.problem(format!(
                    "dc{site} shows command {key:#x} of group {group} twice"
                ));
            }
        }
    }
    for (place, value) in wanted {
        let (group, key) = place;
        match seen.get(place) {
            None => {
                if lost.insert(*place) {
                    findings.problem(format!(
                        "dc{site} does not show command {key:#x} of group {group}, which was acknowledged"
                    ));
                }
            }
            Some(found) if found != value => {
                findings.unfaithful += 1;
                findings.problem(format!(
                    "dc{site} shows command {key:#x} of group {group} as something else than was acknowledged"
                ));
            }
            Some(_) => {}
        }
    }
}

/// Looks whether all show the same in the same order.
fn agree(shown: &[Shown], findings: &mut Findings) {
    let groups: BTreeSet<u32> = shown
        .iter()
        .flat_map(|one| one.groups.keys().copied())
        .collect();
    for group in groups {
        let of = |shown: &Shown| shown.groups.get(&group).cloned().unwrap_or_default();
        let mut all = shown.iter().map(of);
        let first = all.next().unwrap_or_default();
        let differing = all.filter(|other| *other != first).count();
        if differing > 0 {
            findings.diverged += 1;
            findings.problem(format!("data centres show group {group} differently"));
        }
    }
}

/// Compares what every data centre said to each token with what it has to say. `told` holds, for each data centre,
/// one answer for each token.
pub fn tokens(tokens: &[Token], told: &[Vec<Told>]) -> Findings {
    let mut findings = Findings::default();
    for (site, told) in (1..).zip(told) {
        for (place, token) in tokens.iter().enumerate() {
            let answer = told.get(place);
            match (token.revoked, answer) {
                (false, Some(Told::Owner(owner))) if *owner == token.user => {}
                (true, Some(Told::Refused)) => {}
                (true, Some(Told::Owner(_))) => {
                    findings.tokens_revived += 1;
                    findings.problem(format!(
                        "dc{site} takes a token of {} that was taken back",
                        token.user
                    ));
                }
                (false, Some(Told::Refused)) => {
                    findings.tokens_refused += 1;
                    findings.problem(format!("dc{site} refuses a good token of {}", token.user));
                }
                (_, answer) => {
                    findings.unfaithful += 1;
                    findings.problem(format!(
                        "dc{site} says {answer:?} to a token of {}",
                        token.user
                    ));
                }
            }
        }
    }
    findings
}

/// Compares the number that every data centre gave for each thing that does not change, such as an upload, with
/// what it has to be. `None` is for what a data centre could not give.
pub fn contents(what: &str, acknowledged: &[u64], given: &[Vec<Option<u64>>]) -> Findings {
    let mut findings = Findings::default();
    for (place, wanted) in acknowledged.iter().enumerate() {
        let mut lost = false;
        for (site, given) in (1..).zip(given) {
            match given.get(place).copied().flatten() {
                Some(found) if found == *wanted => {}
                Some(_) => {
                    findings.unfaithful += 1;
                    findings.problem(format!("dc{site} gives {what} {place} as something else"));
                }
                None => {
                    lost = true;
                    findings.problem(format!("dc{site} does not give {what} {place}"));
                }
            }
        }
        findings.lost += u64::from(lost);
    }
    findings
}

#[cfg(test)]
#[path = "check/tests.rs"]
mod tests;
