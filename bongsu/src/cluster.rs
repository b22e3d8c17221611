//! `bongsu cluster`: three data centres on this machine, to see what happens when one of them burns.
//!
//! Each has an engine and a platform of its own, on a loopback address of its own; whatever one says to
//! another goes by roads that can be cut. The bank is outside of them all: a process of its own that no order burns.
//! What is started here ends with this process.

mod bank;
mod files;
mod plan;
mod process;
mod relay;
mod screen;
mod site;
mod words;

use crate::config::WhoMayRegister;
use anyhow::{Context, Result, bail};
use bongsu_base::ServerName;
use clap::Args;
use futures_util::future::try_join_all;
use nix::fcntl::{Flock, FlockArg};
use plan::Plan;
use relay::Roads;
use screen::Screen;
use site::{Part, RunningSite};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{MissedTickBehavior, interval};
use words::Order;

/// How often the data centres are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a slow road adds to everything, in each direction.
const SLOW: Duration = Duration::from_millis(100);

/// `bongsu cluster`.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Folder for everything: DIR/dc1, DIR/dc2 and DIR/dc3 with data, configuration, logs and process ids, and DIR/bank
    #[arg(long, value_name = "DIR", default_value = "./cluster")]
    pub dir: PathBuf,
    /// Port at which data centre N serves people, on 127.0.N.1; the 40 ports above it are used too
    #[arg(long, value_name = "PORT", default_value_t = 8008)]
    pub port: u16,
    /// The first two numbers of the data centres' addresses, to run several clusters at once
    #[arg(long, value_name = "127.X", default_value = "127.0", value_parser = network)]
    pub network: [u8; 2],
    /// Name of this installation in people's ids (@mina:NAME); can't be changed later
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub server_name: ServerName,
    /// Who may sign up: everybody (open), or nobody (closed)
    #[arg(long, value_name = "WHO", default_value = "open")]
    pub registration: WhoMayRegister,
    /// Begin with what `bongsu backup` took of another installation; DIR has to be empty
    #[arg(long, value_name = "BACKUP")]
    pub backup: Option<PathBuf>,
    /// Print one line a change instead of drawing
    #[arg(long)]
    pub headless: bool,
}

fn network(text: &str) -> Result<[u8; 2], String> {
    let parsed = text
        .split_once('.')
        .and_then(|(a, b)| Some([a.parse().ok()?, b.parse().ok()?]));
    parsed.ok_or_else(|| "expected two numbers, such as 127.0".to_owned())
}

/// Runs the cluster until it is told to stop.
pub async fn run(asked: &ClusterArgs) -> Result<()> {
    std::fs::create_dir_all(&asked.dir)
        .with_context(|| format!("the folder {} cannot be made", asked.dir.display()))?;
    let dir = asked.dir.canonicalize()?;
    let _lock = lock(&dir)?;
    let plan = Plan::new(&dir, asked.network, asked.port)?;
    let engine = process::engine()?;
    let written = files::write(&plan, asked)?;
    let roads = Roads::new(plan::SITES);
    let _relays = relay::open(&plan.relays(), &roads).await?;
    let mut sites = Vec::new();
    for (site, files) in plan.sites().into_iter().zip(&written) {
        sites.push(RunningSite::new(&plan, site, files, &engine)?);
    }
    let mut cluster = Cluster {
        screen: Screen::new(asked.headless),
        sites,
        bank: bank::part(&plan)?,
        roads,
    };
    cluster.screen.begin(&plan);
    let watched = cluster.run(asked.backup.as_deref()).await;
    cluster.screen.end();
    try_join_all(cluster.sites.iter_mut().map(RunningSite::stop_platform)).await?;
    try_join_all(cluster.sites.iter_mut().map(RunningSite::stop_engine)).await?;
    cluster.bank.stop().await?;
    watched
}

/// Sees to it that one process alone looks after the folder.
fn lock(dir: &Path) -> Result<Flock<File>> {
    let file = File::create(dir.join("lock"))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| anyhow::anyhow!("another `bongsu cluster` runs in {}", dir.display()))
}

struct Cluster {
    screen: Screen,
    sites: Vec<RunningSite>,
    /// The bank, which burns with none of them.
    bank: Part,
    roads: Roads,
}

impl Cluster {
    /// Starts the data centres, from a backup if there is one, and looks after them.
    async fn run(&mut self, backup: Option<&Path>) -> Result<()> {
        self.bank.start()?;
        for site in &mut self.sites {
            site.start_engine()?;
        }
        if let Some(backup) = backup {
            self.screen.say("restoring the backup in dc1");
            self.sites[0].restore(backup).await?;
        }
        for site in &mut self.sites {
            site.start()?;
        }
        self.watch().await
    }

    /// Looks after the data centres and does what is typed, until the end is asked for.
    async fn watch(&mut self) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut typed = Typed::new();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                _ = look.tick() => self.look().await,
                line = typed.next() => match Order::read(&line, &self.sites) {
                    Ok(Order::Quit) => return Ok(()),
                    Ok(order) => {
                        if let Err(error) = self.obey(order).await {
                            self.screen.say(&format!("{error:#}"));
                        }
                    }
                    Err(why) => self.screen.say(&why),
                }
            }
        }
    }

    async fn look(&mut self) {
        match self.bank.look() {
            Ok(None) => {}
            Ok(Some(status)) => self.screen.say(&format!("the bank ended: {status}")),
            Err(error) => self.screen.say(&format!("the bank: {error:#}")),
        }
        for site in &mut self.sites {
            let cut = self.roads.is_cut(site.number());
            match site.look(cut).await {
                Ok(changes) => {
                    for change in changes {
                        self.screen.say(&change);
                    }
                }
                Err(error) => self.screen.say(&format!("{}: {error:#}", site.name())),
            }
        }
        self.screen.draw(&self.sites);
    }

    async fn obey(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Burn(n) => self.sites[n].burn().await?,
            Order::Cut(n) => self.roads.cut(n + 1),
            Order::Mute(n) => self.roads.mute(n + 1),
            Order::Slow(n) => self.roads.slow(n + 1, SLOW),
            Order::Heal(n) => {
                self.roads.heal(n + 1);
                self.sites[n].thaw()?;
                self.sites[n].set_clock(false).await?;
                self.sites[n].start()?;
            }
            Order::Wipe(n) => self.sites[n].wipe().await?,
            Order::Freeze(n) => self.sites[n].freeze()?,
            Order::Skew(n) => self.sites[n].set_clock(true).await?,
            Order::Help => self.screen.say(words::HELP),
            Order::Nothing => return Ok(()),
            Order::Quit => bail!("quitting is not done here"),
        }
        self.look().await;
        Ok(())
    }
}

/// What is typed, a line at a time. Once nothing more can come, it never returns. A thread of its own reads
/// it, since nothing ends a read of the standard input, and nobody must wait for that.
struct Typed(Receiver<String>);

impl Typed {
    fn new() -> Self {
        let (sender, receiver) = channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}
