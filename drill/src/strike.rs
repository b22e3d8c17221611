//! Doing to a data centre what the plan says.

mod disks;
mod restart;

use crate::cluster::{Cluster, Part, SITES, name};
use crate::engine::Engine;
use crate::plan::{Act, Who};
use crate::record::{Health, Recorder};
use anyhow::{Context, Result};
use fastrand::Rng;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// What delays the engine's writes that have to be durable: a thirtieth of a second each.
const DELAY: &str = "inject=fsync,fdatasync:delay_enter=30000";

/// A misfortune that may have the engine elect somebody.
struct Blow {
    at: Instant,
    led: Vec<String>,
}

/// A file that was altered, and what it has to be again.
pub struct Altered {
    /// The file.
    pub path: PathBuf,
    /// Its bytes' hash.
    pub wanted: blake3::Hash,
}

/// Whoever does it.
pub struct Striker<'a> {
    /// The data centres.
    pub cluster: &'a mut Cluster,
    /// Their engine.
    pub engine: &'a Engine,
    /// Where it is noted.
    pub recorder: Arc<Recorder>,
    /// From which what is altered is drawn.
    pub rng: Rng,
    /// Files that were altered while they were served.
    pub altered: Vec<Altered>,
    /// When something was given back last.
    pub healed: Option<Instant>,
    /// Whether what is wiped gets a disk that can be full, since the next scenario needs one.
    pub limited: bool,
    drawn: [usize; SITES],
    leader: usize,
    tracer: Option<Child>,
    skewed: Option<usize>,
    blows: Vec<Blow>,
}

impl<'a> Striker<'a> {
    /// For one scenario, in which data centres come as `drawn`.
    pub async fn new(
        cluster: &'a mut Cluster,
        engine: &'a Engine,
        recorder: Arc<Recorder>,
        drawn: [usize; SITES],
        rng: Rng,
    ) -> Result<Self> {
        let leaders = engine.leaders().await?;
        let leads = |site: usize| {
            leaders
                .values()
                .filter(|leader| **leader == name(site))
                .count()
        };
        // Of those that lead the same number, the one that was drawn first.
        let most = drawn.iter().rev().max_by_key(|site| leads(**site));
        let leader = *most.context("there are data centres")?;
        engine.forget();
        Ok(Self {
            cluster,
            engine,
            recorder,
            rng,
            altered: Vec::new(),
            healed: None,
            limited: false,
            drawn,
            leader,
            tracer: None,
            skewed: None,
            blows: Vec::new(),
        })
    }

    fn site(&self, who: Who) -> usize {
        match who {
            Who::One => self.drawn[0],
            Who::Other => self.drawn[1],
            Who::Third => self.drawn[2],
            Who::Leader => self.leader,
        }
    }

    /// Does it.
    pub async fn strike(&mut self, act: Act) -> Result<()> {
        match act {
            Act::Burn(who) => self.order("burn", who, Health::Down, "burns").await,
            Act::Cut(who) => self.order("cut", who, Health::Impaired, "is cut off").await,
            Act::Mute(who) => {
                self.order("mute", who, Health::Impaired, "is not heard")
                    .await
            }
            Act::Freeze(who) => {
                self.order("freeze", who, Health::Down, "stands still")
                    .await
            }
            Act::Slow(who) => {
                self.order("slow", who, Health::Well, "has slow lines")
                    .await
            }
            Act::Wipe(who) => self.wipe(self.site(who)).await,
            Act::SlowDisk(who) => self.slow_disk(self.site(who)).await,
            Act::Skew(who) => self.skew(self.site(who)).await,
            Act::DamageView(who) => self.damage_view(self.site(who)).await,
            Act::DamageBlock(who) => self.damage_block(self.site(who)).await,
            Act::DamageBlobs(who) => self.damage_blobs(self.site(who)),
            Act::Bound(who) => self.bound(self.site(who)).await,
            Act::Fill(who) => self.fill(self.site(who)).await,
            Act::Empty(who) => self.empty(self.site(who)).await,
            Act::Unbound(who) => self.unbound(self.site(who)).await,
            Act::Restart(who) => self.restart(self.site(who)).await,
            Act::Heal(who) => self.heal(self.site(who)).await,
        }
    }

    async fn order(&mut self, verb: &str, who: Who, health: Health, what: &str) -> Result<()> {
        let site = self.site(who);
        self.blow(site, health, what).await;
        self.cluster.order(verb, site).await
    }

    /// Notes that `site` is no longer what it was.
    async fn blow(&mut self, site: usize, health: Health, what: &str) {
        // Whoever cannot be asked who leads has no majority, and elects nobody.
        let leaders = self.engine.leaders().await.unwrap_or_default();
        let led = leaders
            .into_iter()
            .filter(|(_, leader)| *leader == name(site));
        self.blows.push(Blow {
            led: led.map(|(stream, _)| stream).collect(),
            at: Instant::now(),
        });
        self.recorder.set(site, health);
        self.recorder.mark(format!("{} {what}", name(site)));
        self.spare_minority();
    }

    /// One data centre alone can write nothing.
    fn spare_minority(&self) {
        let well = |site: &usize| self.recorder.is(*site, Health::Well);
        let left: Vec<usize> = (0..SITES).filter(well).collect();
        if let [alone] = left[..] {
            self.recorder.set(alone, Health::Impaired);
        }
    }

    async fn slow_disk(&mut self, site: usize) -> Result<()> {
        self.blow(site, Health::Well, "has a slow disk").await;
        let pid = self.cluster.pid(site, Part::Engine)?.to_string();
        let tracer = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", DELAY])
            .args(["-o", "/dev/null", "-p", &pid])
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        self.tracer = Some(tracer.context("strace cannot be started")?);
        Ok(())
    }

    async fn heal(&mut self, site: usize) -> Result<()> {
        if let Some(mut tracer) = self.tracer.take() {
            tracer.kill().await?;
        }
        self.recorder.mark(format!("{} is given back", name(site)));
        self.healed = Some(Instant::now());
        if self.skewed.take() != Some(site) {
            return self.cluster.order("heal", site).await;
        }
        // Its clock is set right by a restart.
        self.recorder.set(site, Health::Down);
        let pid = self.cluster.pid(site, Part::Platform)?;
        self.cluster.order("heal", site).await?;
        self.replaced(site, Part::Platform, pid).await
    }

    /// How long the engine took to elect other leaders of the platform's streams, at the most.
    pub fn election(&self) -> std::time::Duration {
        let spans = self
            .blows
            .iter()
            .map(|blow| self.engine.elected_after(blow.at, &blow.led));
        spans.max().unwrap_or_default()
    }
}
