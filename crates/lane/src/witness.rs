//! Witness: data centres compare what they made of the log, through the log.
//!
//! Whenever the lease's holder is heard, every replica notes its digest and the chain's link at that entry: a
//! checkpoint. Each data centre appends its latest one in a [`Report`]. As all hear all reports, each can
//! tell whether it is the odd one out. One that is stops, condemns its view, and makes it again from a
//! snapshot that is older than the disagreement, or from another data centre's.

use crate::domain::Domain;
use crate::lane::{Shared, stopped};
use crate::open::Sites;
use crate::record::{Checkpoint, Report, System};
use crate::snapshot::sidecar;
use crate::view;
use bongsu_base::{DataCentre, Seq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::sleep;

/// How many checkpoints are remembered.
const REMEMBERED: usize = 256;

/// Why a view is given up although its file is sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condemned {
    /// The last checkpoint at which the others agreed; what came later is not to be trusted.
    pub agreed: Seq,
    /// Whether the log's bytes differ too, so that this data centre's copy of the log is wrong.
    pub log: bool,
    /// For the operator.
    pub reason: String,
}

/// What one process knows of its own checkpoints and of those that others reported.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    own: BTreeMap<Seq, Checkpoint>,
    heard: BTreeMap<Seq, BTreeMap<DataCentre, Checkpoint>>,
    agreed: Seq,
    schema: u32,
}

impl Witness {
    pub fn new(schema: u32) -> Self {
        Self {
            schema,
            ..Self::default()
        }
    }

    /// The latest checkpoint here.
    pub fn latest(&self) -> Option<Checkpoint> {
        self.own.values().next_back().copied()
    }

    /// All checkpoints here that are remembered, oldest first.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.own.values().copied().collect()
    }

    /// Notes what this replica was.
    pub fn note(&mut self, checkpoints: &[Checkpoint]) {
        let new = checkpoints
            .iter()
            .map(|checkpoint| (checkpoint.seq, *checkpoint));
        self.own.extend(new);
        forget(&mut self.own);
    }

    /// Notes what a batch brought. Says so if the other data centres of `sites` agree with one another and
    /// not with this one.
    pub fn hear(
        &mut self,
        sites: &Sites,
        checkpoints: &[Checkpoint],
        reports: &[Report],
    ) -> Option<Condemned> {
        self.note(checkpoints);
        let mut verdict = None;
        for report in reports {
            let other = report.site != sites.own && sites.all.contains(&report.site);
            // Views of another schema cannot be compared; after an upgrade they can again.
            if let Some(checkpoint) = report.checkpoint.filter(|_| report.schema == self.schema)
                && other
            {
                let heard = self.heard.entry(checkpoint.seq).or_default();
                heard.insert(report.site.clone(), checkpoint);
                verdict = verdict.or_else(|| self.judge(sites, checkpoint.seq));
            }
        }
        forget(&mut self.heard);
        verdict
    }

    fn judge(&mut self, sites: &Sites, seq: Seq) -> Option<Condemned> {
        let (own, heard) = (self.own.get(&seq)?, self.heard.get(&seq)?);
        if heard.values().any(|other| other == own) {
            self.agreed = self.agreed.max(seq);
            return None;
        }
        let Some(theirs) = agreed_by_most(heard, sites.all.len()) else {
            tracing::warn!(
                seq = seq.0,
                "another data centre disagrees about this entry; a third one decides who is wrong"
            );
            return None;
        };
        let log = theirs.link != own.link;
        let what = if log { "the log" } else { "its state" };
        let agreed = self.agreed;
        let reason = format!(
            "at entry {seq} {what} differs from what the other data centres have; they agreed up to entry {agreed}"
        );
        Some(Condemned {
            agreed,
            log,
            reason,
        })
    }
}

/// What more than half of `sites` data centres found, if this one is left out of them.
fn agreed_by_most(heard: &BTreeMap<DataCentre, Checkpoint>, sites: usize) -> Option<&Checkpoint> {
    heard.values().find(|one| {
        let same = heard.values().filter(|other| other == one).count();
        2 * same > sites
    })
}

fn forget<T>(checkpoints: &mut BTreeMap<Seq, T>) {
    while checkpoints.len() > REMEMBERED {
        checkpoints.pop_first();
    }
}

/// Tells the other data centres now and then what this one found.
pub(crate) async fn report_loop<D: Domain>(shared: Arc<Shared<D>>) {
    let mut state = shared.state.subscribe();
    let mut told = None;
    loop {
        tokio::select! {
            biased;
            _ = stopped(&mut state) => return,
            () = sleep(shared.options.canary_every) => {}
        }
        let Some(sites) = &shared.options.sites else {
            continue;
        };
        let report = Report {
            site: sites.own.clone(),
            schema: schema::<D>(),
            checkpoint: shared.witness.lock().latest(),
            held: *shared.held.lock(),
        };
        if told.as_ref() == Some(&report) {
            continue;
        }
        match shared.put_system(System::Report(report.clone())).await {
            Ok(_) => told = Some(report),
            // The next one says it as well.
            Err(error) => tracing::debug!(lane = D::NAME, %error, "a report did not come through"),
        }
    }
}

/// The schema by which views of `D` can be compared.
pub(crate) fn schema<D: Domain>() -> u32 {
    D::MIGRATIONS.len() as u32
}

/// Up to where the log may be let go of: every data centre has snapshots that make what is before it
/// unnecessary. `None` while one of `sites` has not said so.
pub(crate) fn held_by_all(
    db: &rusqlite::Connection,
    sites: &Sites,
) -> rusqlite::Result<Option<Seq>> {
    let reported = view::held(db)?;
    let held = sites
        .all
        .iter()
        .map(|site| reported.get(site.as_str()).copied().unwrap_or_default());
    Ok(held.min().filter(|seq| *seq > Seq::ZERO))
}

fn marker(view: &Path) -> PathBuf {
    sidecar(view, ".condemned")
}

/// Writes down that the view at `path` is to be made again.
pub(crate) fn condemn(path: &Path, condemned: &Condemned) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(condemned).expect("plain data");
    let part = sidecar(path, ".condemning");
    std::fs::write(&part, json)?;
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(part, marker(path))
}

/// Why the view at `path` was given up, if it was.
///
/// # Errors
/// When what was written down cannot be read.
pub fn condemned(path: &Path) -> io::Result<Option<Condemned>> {
    match std::fs::read(marker(path)) {
        Ok(json) => serde_json::from_slice(&json)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes back that the view at `path` is to be made again: it was.
pub(crate) fn acquit(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(marker(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> DataCentre {
        name.parse().expect("a name")
    }

    fn sites() -> Sites {
        Sites {
            own: site("dc1"),
            all: vec![site("dc1"), site("dc2"), site("dc3")],
        }
    }

    fn at(seq: u64, link: u8, digest: u8) -> Checkpoint {
        Checkpoint {
            seq: Seq(seq),
            link: [link; 16],
            digest: [digest; 16],
        }
    }

    fn report(name: &str, checkpoint: Checkpoint) -> Report {
        Report {
            site: site(name),
            schema: 1,
            checkpoint: Some(checkpoint),
            held: Seq::ZERO,
        }
    }

    #[test]
    fn the_odd_one_out_is_condemned_and_nobody_else() {
        let check = |own: Checkpoint, others: &[Report], expect: Option<(bool, u64)>| {
            let mut witness = Witness::new(1);
            assert_eq!(
                witness.hear(&sites(), &[at(3, 1, 1)], &[report("dc2", at(3, 1, 1))]),
                None
            );
            let found = witness.hear(&sites(), &[own], others);
            assert_eq!(
                found.map(|found| (found.log, found.agreed.0)),
                expect,
                "{others:?}"
            );
        };
        let (good, state, bytes) = (at(7, 1, 1), at(7, 1, 2), at(7, 2, 2));
        let both = |found| [report("dc2", found), report("dc3", found)];
        check(good, &both(good), None);
        check(state, &both(good), Some((false, 3)));
        check(bytes, &both(good), Some((true, 3)));
        // Two that disagree decide nothing; the third one does.
        check(state, &[report("dc2", good)], None);
        check(state, &[report("dc2", good), report("dc3", state)], None);
        // Three that all differ cannot tell who is right.
        check(state, &[report("dc2", good), report("dc3", bytes)], None);
        // Who is no data centre of this installation has no say.
        check(state, &[report("dc2", good), report("dc9", good)], None);
    }

    #[test]
    fn views_of_another_schema_are_not_compared() {
        let mut witness = Witness::new(2);
        let reports = [report("dc2", at(7, 1, 1)), report("dc3", at(7, 1, 1))];
        assert_eq!(witness.hear(&sites(), &[at(7, 1, 2)], &reports), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut witness = Witness::new(1);
        for seq in 0..2 * REMEMBERED as u64 {
            witness.hear(&sites(), &[at(seq, 1, 1)], &[report("dc2", at(seq, 1, 1))]);
        }
        assert_eq!(
            (witness.own.len(), witness.heard.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert_eq!(witness.agreed, Seq(2 * REMEMBERED as u64 - 1));
    }

    #[test]
    fn a_sentence_is_written_down_and_taken_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("view.sqlite");
        assert_eq!(condemned(&path).expect("can be read"), None);
        let sentence = Condemned {
            agreed: Seq(3),
            log: true,
            reason: "it differs".into(),
        };
        condemn(&path, &sentence).expect("can be written");
        assert_eq!(condemned(&path).expect("can be read"), Some(sentence));
        acquit(&path).expect("can be removed");
        acquit(&path).expect("was removed");
        assert_eq!(condemned(&path).expect("can be read"), None);
    }
}
