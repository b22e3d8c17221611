//! One site: its lane lives, ends one way or another, loses some of its view, and comes back.

use crate::Dice;
use crate::workload::Workload;
use crate::world::{Rolled, SITES, World};
use bongsu_base::{DataCentre, ProcessId, RecordId, Seq};
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{
    Domain, EffectError, EffectHandler, EffectId, Lane, Offload, OpenError, Options, Sites,
    condemned,
};
use futures_util::future::join;
use parking_lot::Mutex;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How long a site waits before it asks again for what its code knows to be activated.
const UPGRADE_AGAIN: Duration = Duration::from_secs(1);

/// Where a site is and how to reach it.
pub struct Place<D: Domain> {
    pub number: usize,
    pub view: PathBuf,
    lane: Mutex<Option<Lane<D>>>,
    crash: Notify,
    /// Whether its view suffers when it ends.
    harm: Mutex<bool>,
}

impl<D: Domain> Place<D> {
    pub fn new(number: usize, view: PathBuf) -> Self {
        Self {
            number,
            view,
            lane: Mutex::default(),
            crash: Notify::new(),
            harm: Mutex::new(true),
        }
    }

    /// Its lane, while it has one.
    pub fn lane(&self) -> Option<Lane<D>> {
        self.lane.lock().clone()
    }

    /// Ends its process without a word.
    pub fn crash(&self) {
        self.crash.notify_one();
    }

    /// From now on nothing happens to its view.
    pub fn spare(&self) {
        *self.harm.lock() = false;
    }
}

/// Lives the life of site number `n`, for ever.
pub async fn live<W: Workload>(world: Arc<World<W>>, n: usize, mut dice: Dice) {
    let site = &world.sites[n];
    for life in 0.. {
        let options = options(&world, n, life, &mut dice);
        if let Ok(Some(condemned)) = condemned(&site.view) {
            let wrong = format!("site {n} was condemned: {}", condemned.reason);
            world.record.lock().wrong.push(wrong);
        }
        if let Err(wrong) = one_life(&world, n, options, &mut dice).await {
            world.record.lock().wrong.push(wrong);
        }
        world.ground.ended(n).await;
        sleep(Duration::from_millis(dice.u64(10..2_000))).await;
        if *site.harm.lock() {
            harm(&site.view, &mut dice);
            world.ground.harm(n, &mut dice);
        }
    }
}

/// Opens the site's lane, if that can be done now, and runs it to the end of its process.
async fn one_life<W: Workload>(
    world: &Arc<World<W>>,
    n: usize,
    options: Options,
    dice: &mut Dice,
) -> Result<(), String> {
    let site = &world.sites[n];
    let snapshots = Snapshots::new(world.store.clone(), <W::Domain as Domain>::NAME);
    let applied = bongsu_lane::view::applied(&site.view).unwrap_or_default();
    let Some(opened) = world.ground.open(n, applied, &snapshots).await? else {
        return Ok(());
    };
    let options = Options {
        log_may_lag: opened.alone,
        ..options
    };
    let upgraded_after = Duration::from_millis(dice.u64(0..2_000));
    match Lane::<W::Domain>::open(opened.log, options).await {
        Ok((lane, runner, _)) => {
            *site.lane.lock() = Some(lane.clone());
            let hands = Hands {
                world: world.clone(),
                dice: Mutex::new(dice.fork()),
            };
            tokio::select! {
                biased;
                () = site.crash.notified() => {}
                _ = join(runner.run(), lane.clone().run_effects(hands)) => {}
                () = upgrade(&lane, upgraded_after) => {}
            }
            *site.lane.lock() = None;
            Ok(())
        }
        Err(error) if may_happen(&error, opened.reach) => Ok(()),
        Err(error) => Err(format!("site {n} cannot open its lane: {error}")),
    }
}

/// Activates what the code knows, sooner or later; never returns.
async fn upgrade<D: Domain>(lane: &Lane<D>, after: Duration) {
    sleep(after).await;
    while lane.behaviour().active < D::VERSION {
        let _ = lane.activate(D::VERSION).await;
        sleep(UPGRADE_AGAIN).await;
    }
    pending().await
}

/// Whether a site may meet this while the log is away or another site tidies up. A copy whose engine speaks
/// through a leader that is behind may be behind the newest snapshot of another site.
fn may_happen(error: &OpenError, reach: Seq) -> bool {
    match error {
        OpenError::Log { .. } | OpenError::NoSnapshot { .. } | OpenError::Snapshot(_) => true,
        OpenError::LogLost { applied, .. } => *applied > reach,
        _ => false,
    }
}

fn options<W: Workload>(world: &World<W>, n: usize, life: u32, dice: &mut Dice) -> Options {
    let plan = &world.plan;
    let process = RecordId::named(&["process", &n.to_string()], &life.to_string());
    let lane = <W::Domain as Domain>::NAME;
    Options {
        snapshots: Some(Snapshots::new(world.store.clone(), lane)),
        sites: Some(Sites {
            own: data_centre(n),
            all: (0..SITES).map(data_centre).collect(),
        }),
        process: ProcessId::from_bytes(*process.as_bytes()),
        entropy: Arc::new(Rolled(Mutex::new(dice.fork()))),
        offload: Offload::Inline,
        readers: 2,
        queue_bound: plan.queue_bound,
        appends_in_flight: plan.appends_in_flight,
        batch_records: plan.batch_records,
        answer_within: Duration::from_millis(dice.u64(500..4_000)),
        snapshot_every: plan.snapshot_every,
        durable_view: false,
        ..Options::new(world.sites[n].view.clone())
    }
}

fn data_centre(n: usize) -> DataCentre {
    let name = format!("dc{n}");
    name.parse().expect("a letter and digits")
}

/// The site's view as it was some time ago.
fn earlier(view: &std::path::Path) -> PathBuf {
    view.with_extension("earlier")
}

/// What a crash may do to a view: nothing, take its end, take it, or spoil it.
fn harm(view: &std::path::Path, dice: &mut Dice) {
    let old = earlier(view);
    match dice.u32(0..8) {
        0 if old.exists() => {
            remove(view);
            // A file that cannot be copied stays away, which is a loss like another.
            let _ = std::fs::copy(&old, view);
        }
        1 => remove(view),
        2 => spoil(view, dice),
        _ => {}
    }
    // The lane that wrote it is gone, and with it the journal: the file is whole.
    if dice.bool() {
        let _ = std::fs::copy(view, &old);
    }
}

fn remove(view: &std::path::Path) {
    for ending in ["", "-wal", "-shm"] {
        let mut name = view.as_os_str().to_owned();
        name.push(ending);
        let _ = std::fs::remove_file(name);
    }
}

fn spoil(view: &std::path::Path, dice: &mut Dice) {
    let Ok(mut bytes) = std::fs::read(view) else {
        return;
    };
    if !bytes.is_empty() {
        let at = dice.usize(0..bytes.len());
        bytes[at] ^= 1 << dice.u32(0..8);
        let _ = std::fs::write(view, bytes);
    }
}

/// Carries out the effects of one life of a site.
struct Hands<W: Workload> {
    world: Arc<World<W>>,
    dice: Mutex<Dice>,
}

#[async_trait::async_trait]
impl<W: Workload> EffectHandler<W::Domain> for Hands<W> {
    async fn run(
        &self,
        _id: EffectId,
        effect: <W::Domain as Domain>::Effect,
    ) -> Result<(), EffectError> {
        let pause = self.dice.lock().u64(1..300);
        sleep(Duration::from_millis(pause)).await;
        let mut dice = self.dice.lock();
        let done = self.world.workload.lock().effect(&effect, &mut dice);
        done.map_err(EffectError)
    }
}
