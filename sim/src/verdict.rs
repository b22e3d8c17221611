//! Whether everybody agrees in the end.

use crate::run::Ran;
use crate::workload::{Settled, Workload};
use crate::world::{World, bytes_of};
use bongsu_base::RecordId;
use bongsu_lane::view::{Progress, check_file};
use bongsu_lane::{Applier, Domain, Outcome, ReadView};
use bongsu_log::Entry;
use std::collections::BTreeMap;
use std::path::Path;

type Decided = BTreeMap<RecordId, (u64, Vec<u8>)>;

/// Compares the sites with one another, with a replay of the whole log, and with what was told.
pub fn check<W: Workload>(world: &World<W>, seed: u64) -> Result<Ran, String> {
    let history = world.ground.history();
    let (reference, decided) = replay::<W::Domain>(&history)?;
    let record = world.record.lock();
    if let Some(wrong) = record.wrong.first() {
        return Err(wrong.clone());
    }
    for told in &record.told {
        let expected = decided.get(&told.id);
        let found = (told.seq.0, bytes_of(&told.outcome));
        if expected != Some(&found) {
            return Err(format!(
                "record {} was told {:?} in entry {}, but the log says otherwise",
                told.id, told.outcome, told.seq
            ));
        }
    }
    let workload = world.workload.lock();
    for site in &world.sites {
        let told = &record.told;
        let finished = finish::<W::Domain>(&site.view, &history, |progress, view| {
            if progress != reference {
                return Err(format!(
                    "its state is {progress:?}, a replay of the log gives {reference:?}"
                ));
            }
            workload.check(&Settled { view, told })
        });
        finished.map_err(|what| format!("site {}: {what}", site.number))?;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for entry in &history {
        hasher.update(&entry.time.0.to_le_bytes());
        hasher.update(&entry.body);
    }
    for told in &record.told {
        hasher.update(told.id.as_bytes());
        hasher.update(&bytes_of(&told.outcome));
    }
    hasher.update(&reference.digest.to_bytes());
    Ok(Ran {
        hash: hasher.finalize().to_string(),
        entries: history.len() as u64,
        told: record.told.len(),
    })
}

/// Applies the whole log to an empty view. Gives where that leads and what was decided on the way.
fn replay<D: Domain>(history: &[Entry]) -> Result<(Progress, Decided), String> {
    let mut applier = Applier::<D>::open(Path::new(":memory:")).map_err(|e| e.to_string())?;
    let mut decided = Decided::new();
    for entries in history.chunks(64) {
        let applied = applier.apply(entries).map_err(|error| error.to_string())?;
        for (id, verdict) in applied.outcomes {
            let outcome = match verdict.outcome {
                Some(Outcome::Accepted(accepted)) => Ok(accepted),
                Some(Outcome::Rejected(rejected)) => Err(rejected),
                Some(Outcome::Defect) => return Err(format!("record {id} is a defect")),
                None => continue,
            };
            let found = (verdict.seq.0, bytes_of(&outcome));
            let first = decided.entry(id).or_insert_with(|| found.clone());
            if *first != found {
                return Err(format!("record {id} was decided twice"));
            }
        }
    }
    Ok((applier.progress(), decided))
}

/// Takes a site's view to the end of the log, looks at it, and sees that its file is sound.
fn finish<D: Domain>(
    view: &Path,
    history: &[Entry],
    look: impl FnOnce(Progress, &ReadView<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut applier = Applier::<D>::open(view).map_err(|error| error.to_string())?;
    let from = usize::try_from(applier.progress().chain.seq.0).unwrap_or(usize::MAX);
    let rest = history
        .get(from..)
        .ok_or("it has applied more than there is")?;
    applier.apply(rest).map_err(|error| error.to_string())?;
    look(applier.progress(), &applier.view())?;
    drop(applier);
    check_file(view, |_| {}).map_err(|error| error.to_string())?;
    Ok(())
}
