//! One run, from its seed to its verdict.

use crate::Dice;
use crate::chaos;
use crate::client;
use crate::ground::Kind;
use crate::site;
use crate::verdict;
use crate::workload::Workload;
use crate::world::{SITES, World};
use bongsu_base::Seq;
use bongsu_lane::{Domain, ReadView};
use futures_util::future::join_all;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The longest that a run may take by its own clock.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// A hash over the whole log, all that was told and the final state: equal for equal histories.
    pub hash: String,
    /// Entries in the log.
    pub entries: u64,
    /// Records that a client was told about.
    pub told: usize,
}

/// Runs the seed `seed` of the workload `W` on the ground `kind`.
///
/// # Errors
/// What must not happen and did.
pub fn run<W: Workload>(kind: Kind, seed: u64) -> Result<Ran, String> {
    let dir = tempfile::tempdir_in(scratch()).map_err(|error| format!("no scratch: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(play::<W>(kind, seed, dir.path()))
}

/// Memory where the machine has a place for files in it: nothing here needs to last.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}

async fn play<W: Workload>(kind: Kind, seed: u64, dir: &Path) -> Result<Ran, String> {
    let mut dice = Dice::with_seed(seed);
    let world = Arc::new(World::<W>::new(kind, seed, &mut dice, dir));
    let lives: Vec<_> = (0..SITES)
        .map(|n| tokio::spawn(site::live(world.clone(), n, dice.fork())))
        .collect();
    let trouble = tokio::spawn(chaos::reign(world.clone(), dice.fork()));
    let clients: Vec<_> = (0..world.plan.clients)
        .map(|n| tokio::spawn(client::ask_all(world.clone(), n, dice.fork())))
        .collect();
    let asked = timeout(PATIENCE, join_all(clients)).await;
    trouble.abort();
    chaos::calm(&world);
    let settled = match asked {
        Ok(ends) if ends.iter().all(Result::is_ok) => timeout(PATIENCE, settle(&world))
            .await
            .map_err(|_| unrest(&world)),
        Ok(_) => Err("a client panicked".to_owned()),
        Err(_) => Err("the clients are not answered".to_owned()),
    };
    for task in &lives {
        task.abort();
    }
    for life in lives {
        if life.await.is_err_and(|error| error.is_panic()) {
            return Err("a site panicked".into());
        }
    }
    settled?;
    verdict::check(&world, seed)
}

/// Returns once every site has come to the end and no effect is left to do.
async fn settle<W: Workload>(world: &World<W>) {
    let end = world.record.lock().highest;
    while !join_all(world.sites.iter().map(|site| rests(site.lane(), end)))
        .await
        .into_iter()
        .all(|rests| rests)
    {
        sleep(Duration::from_secs(1)).await;
    }
}

/// Which sites are still busy, and why.
fn unrest<W: Workload>(world: &World<W>) -> String {
    let end = world.record.lock().highest;
    let mut report = format!("the sites do not come to rest at entry {end}:");
    for site in &world.sites {
        let state = site.lane().map(|lane| (lane.progress(), lane.health()));
        report.push_str(&format!("\n  site {}: {state:?}", site.number));
    }
    for wrong in world.record.lock().wrong.iter().take(3) {
        report.push_str(&format!("\n  {wrong}"));
    }
    report
}

async fn rests<D: Domain>(lane: Option<bongsu_lane::Lane<D>>, end: Seq) -> bool {
    let Some(lane) = lane else { return false };
    let pending = |view: &ReadView<'_>| {
        let count = "SELECT count(*) FROM lane_effect";
        view.db().query_row(count, (), |row| row.get::<_, i64>(0))
    };
    lane.progress().chain.seq >= end
        && lane.health().is_ready(Duration::from_secs(5))
        && matches!(lane.read(pending).await, Ok(0))
}
