//! Three data centres, as `bongsu cluster` runs them: a process that takes orders and says what happens.

use crate::disk;
use crate::ground::Site;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use serde::Deserialize;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

/// How many data centres there are.
pub const SITES: usize = 3;
/// The port that people are served at, and below those that the cluster itself needs.
const PORT: u16 = 18_008;
/// How long it may take until all data centres are ready, or have ended.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a file system may be busy whose processes have ended.
const BUSY: Duration = Duration::from_secs(20);
/// How often another process is looked at, which says nothing by itself.
pub const LOOK: Duration = Duration::from_millis(50);
/// A snapshot after so many entries: often enough for one to be there when a data centre has lost everything.
const SNAPSHOT_EVERY: &str = "20000";
/// How many of the cluster's lines are remembered for when it fails.
const REMEMBERED: usize = 200;

/// The parts of a data centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What serves people.
    Platform,
    /// What holds the log.
    Engine,
}

impl Part {
    /// What its files are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Platform => "bongsu",
            Self::Engine => "nats",
        }
    }
}

/// How a client of the engine shows itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Keys {
    /// Who signed the servers' certificates.
    pub authority: PathBuf,
    /// The own certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

#[derive(Deserialize)]
struct Configuration {
    log: Keys,
}

/// The cluster. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Cluster {
    binary: PathBuf,
    dir: PathBuf,
    network: u8,
    process: Child,
    orders: ChildStdin,
    said: Arc<Mutex<Said>>,
    bounded: Option<usize>,
}

/// What the cluster said last.
#[derive(Debug, Default)]
struct Said {
    lines: VecDeque<String>,
    /// How many there were before these.
    forgotten: usize,
}

impl Said {
    fn add(&mut self, line: String) {
        if self.lines.len() == REMEMBERED {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        self.lines.push_back(line);
    }

    fn count(&self) -> usize {
        self.forgotten + self.lines.len()
    }

    /// Whether a line began with `text`, after the first `before`.
    fn has(&self, text: &str, before: usize) -> bool {
        let skipped = before.saturating_sub(self.forgotten);
        let mut lines = self.lines.iter().skip(skipped);
        lines.any(|line| line.starts_with(text))
    }
}

impl Cluster {
    /// Starts a cluster of `binary` in the folder `dir` and returns once all data centres are ready.
    pub async fn start(binary: &Path, dir: &Path) -> Result<Self> {
        let network = free_network()?;
        let mut process = Command::new(binary)
            .arg("cluster")
            .arg("--dir")
            .arg(dir)
            .args(["--network", &format!("127.{network}")])
            .args(["--port", &PORT.to_string()])
            .args(["--registration", "open", "--headless"])
            .env("BONGSU_SNAPSHOT_EVERY", SNAPSHOT_EVERY)
            // Merchants are told at an address of this machine.
            .env("BONGSU_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let orders = process.stdin.take().context("it takes orders")?;
        let words = process.stdout.take().context("it says what happens")?;
        let said: Arc<Mutex<Said>> = Arc::default();
        let heard = said.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(words).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                heard.lock().add(line);
            }
        });
        let mut cluster = Self {
            binary: binary.to_owned(),
            dir: dir.to_owned(),
            network,
            process,
            orders,
            said,
            bounded: None,
        };
        cluster.come_up().await?;
        Ok(cluster)
    }

    async fn come_up(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = |site| {
                let said = self.said.lock();
                said.has(&format!("{} ready", name(site)), 0)
            };
            if (0..SITES).all(ready) {
                return Ok(());
            }
            let ended = self.process.try_wait()?;
            ensure!(
                ended.is_none() && Instant::now() < deadline,
                "the data centres did not become ready: {ended:?} {:?}\n{}",
                self.said.lock(),
                self.written()
            );
            sleep(LOOK).await;
        }
    }

    /// Where data centre `site` serves people.
    pub fn address(&self, site: usize) -> String {
        format!("127.{}.{}.1:{PORT}", self.network, site + 1)
    }

    /// Where the bank is, which is in no data centre.
    pub fn bank(&self) -> String {
        format!("127.{}.0.1:{}", self.network, PORT + 4)
    }

    /// Where its engine is, past all roads that can be cut.
    pub fn engine(&self, site: usize) -> String {
        format!("tls://127.{}.{}.1:{}", self.network, site + 1, PORT + 1)
    }

    /// How data centre `site` shows itself to the engine.
    pub fn keys(&self, site: usize) -> Result<Keys> {
        let path = self.site_dir(site).join("bongsu.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let configuration: Configuration = toml::from_str(&text)?;
        Ok(configuration.log)
    }

    /// The folder of data centre `site`.
    pub fn site_dir(&self, site: usize) -> PathBuf {
        self.dir.join(name(site))
    }

    /// Types an order.
    pub async fn order(&mut self, verb: &str, site: usize) -> Result<()> {
        let line = format!("{verb} {}\n", name(site));
        let typed = self.orders.write_all(line.as_bytes()).await;
        typed.with_context(|| format!("the cluster takes no orders: {:?}", self.said.lock()))
    }

    /// Types an order after which nothing of data centre `site` runs, and returns once that is so.
    pub async fn end(&mut self, verb: &str, site: usize) -> Result<()> {
        let before = self.said.lock().count();
        self.order(verb, site).await?;
        let deadline = Instant::now() + PATIENCE;
        let burnt = format!("{} burnt", name(site));
        while !self.said.lock().has(&burnt, before) {
            let late = Instant::now() > deadline;
            ensure!(!late, "not `{burnt}`, but {:?}", self.said.lock());
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Puts a file system of `kib` KiB over the folder of data centre `site`, of which nothing may run.
    pub fn bound(&mut self, site: usize, kib: u64) -> Result<()> {
        let folder = self.site_dir(site);
        disk::bound(&folder, kib)?;
        self.bounded = Some(site);
        Ok(())
    }

    /// The data centre over whose folder there is one.
    pub const fn bounded(&self) -> Option<usize> {
        self.bounded
    }

    /// Takes that file system away again, if there is one, once nothing runs in it. What was said in it stays.
    pub async fn unbound(&mut self) -> Result<()> {
        let Some(site) = self.bounded else {
            return Ok(());
        };
        let folder = self.site_dir(site);
        let said = disk::contents(&folder)?;
        let deadline = Instant::now() + BUSY;
        // Whoever ended may be on its way out still.
        while let Err(busy) = disk::unbound(&folder) {
            if Instant::now() > deadline {
                return Err(busy);
            }
            sleep(LOOK).await;
        }
        self.bounded = None;
        for (name, content) in said {
            std::fs::write(folder.join(name), content)?;
        }
        Ok(())
    }

    /// The process id of a part of data centre `site`.
    pub fn pid(&self, site: usize, part: Part) -> Result<Pid> {
        pid(&self.site_dir(site).join(format!("{}.pid", part.name())))
    }

    /// Whether a part of data centre `site` runs.
    pub fn runs(&self, site: usize, part: Part) -> bool {
        self.pid(site, part)
            .is_ok_and(|pid| kill(pid, None).is_ok())
    }

    /// Returns once neither part of data centre `site` runs.
    pub async fn gone(&self, site: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.runs(site, Part::Platform) || self.runs(site, Part::Engine) {
            ensure!(Instant::now() < deadline, "{} does not end", name(site));
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Runs another command of the binary as data centre `site`.
    pub async fn command(&self, site: usize, arguments: &[&str]) -> Result<Output> {
        let configuration = self.site_dir(site).join("bongsu.toml");
        let command = Command::new(&self.binary)
            .args(arguments)
            .arg("--config")
            .arg(configuration)
            .kill_on_drop(true)
            .output();
        Ok(command.await?)
    }

    /// Ends it in order.
    pub async fn stop(&mut self) -> Result<()> {
        let pid = self.process.id().context("the cluster ended by itself")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        match timeout(PATIENCE, self.process.wait()).await {
            Ok(status) => {
                let status = status?;
                ensure!(status.success(), "the cluster ended with {status}");
                self.unbound().await
            }
            Err(_) => bail!("the cluster does not end"),
        }
    }

    /// The last lines of what each process wrote.
    pub fn written(&self) -> String {
        let mut text = String::new();
        for site in 0..SITES {
            for part in [Part::Engine, Part::Platform] {
                let path = self.site_dir(site).join(format!("{}.log", part.name()));
                let written = std::fs::read_to_string(path).unwrap_or_default();
                let lines: Vec<&str> = written.lines().rev().take(5).collect();
                let heading = format!("{} {}, newest first:", name(site), part.name());
                text.push_str(&format!("{heading}\n{}\n", lines.join("\n")));
            }
        }
        text
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for site in 0..SITES {
            for part in [Part::Engine, Part::Platform] {
                if let Ok(pid) = self.pid(site, part) {
                    // One that is gone, or ends by itself, needs no signal.
                    let _ = kill(pid, Signal::SIGKILL);
                }
            }
        }
        if let Ok(pid) = pid(&self.dir.join("bank/bank.pid")) {
            let _ = kill(pid, Signal::SIGKILL);
        }
        if let Some(site) = self.bounded {
            // The drill broke off. Whoever still has files in it keeps it from going.
            let _ = disk::unbound(&self.site_dir(site));
        }
    }
}

/// The process id that stands in the file at `path`.
fn pid(path: &Path) -> Result<Pid> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(Pid::from_raw(text.trim().parse()?))
}

/// What data centre `site` is called.
pub fn name(site: usize) -> String {
    format!("dc{}", site + 1)
}

/// The data centres as `/.well-known/bongsu` lists them, in the order of their names.
pub fn sites(listed: &serde_json::Value) -> Result<Vec<Site>> {
    let all = listed["data_centres"]
        .as_array()
        .context("no data centres are listed")?;
    let site = |one: &serde_json::Value| {
        let address = one["base_url"].as_str()?.strip_prefix("http://")?;
        Some(Site {
            name: one["name"].as_str()?.to_owned(),
            address: address.trim_end_matches('/').to_owned(),
        })
    };
    let mut sites: Vec<Site> = all.iter().filter_map(site).collect();
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(
        sites.len() == SITES,
        "{SITES} data centres are expected: {listed}"
    );
    Ok(sites)
}

/// The second number of loopback addresses at which nobody listens. Where one begins to look depends on the
/// process, so that two drills do not take the same.
fn free_network() -> Result<u8> {
    let begin = std::process::id() % 150;
    let free = |n: &u8| TcpListener::bind((Ipv4Addr::new(127, *n, 1, 1), PORT)).is_ok();
    let tried = (0..150).map(|n| u8::try_from((begin + n) % 150 + 60).unwrap_or(60));
    let mut tried = tried.filter(free);
    tried.next().context("no loopback address is free")
}
