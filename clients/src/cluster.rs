//! Three data centres on this machine, as `bongsu cluster` runs them.

use crate::server::{Finished, LOOK, binary, ended};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long the data centres may take to do what they are told.
const PATIENCE: Duration = Duration::from_secs(120);
/// The port that people are served at.
const PORT: u16 = 18_008;

/// A cluster with a folder of its own. Dropping it ends all of its processes and deletes the folder.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    network: u8,
    process: Child,
    orders: ChildStdin,
    said: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    /// Starts a cluster at 127.`network`.N.1 and waits until all data centres are ready.
    ///
    /// # Errors
    /// If they do not become ready; the message ends with what they wrote.
    pub async fn start(network: u8) -> Result<Self> {
        Self::start_with(network, &[]).await
    }

    /// The same, beginning with what `bongsu backup` took of another installation.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn start_from(network: u8, backup: &Path) -> Result<Self> {
        Self::start_with(network, &["--backup", &backup.display().to_string()]).await
    }

    async fn start_with(network: u8, more: &[&str]) -> Result<Self> {
        let folder = TempDir::new()?;
        let mut process = Command::new(binary()?)
            .arg("cluster")
            .arg("--dir")
            .arg(folder.path())
            .args(["--network", &format!("127.{network}")])
            .args(["--port", &PORT.to_string()])
            .args(["--registration", "open", "--headless"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the cluster")?;
        let orders = process.stdin.take().context("it takes orders")?;
        let words = process.stdout.take().context("it says what happens")?;
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(words)
                .lines()
                .map_while(std::result::Result::ok)
            {
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        let cluster = Self {
            folder,
            network,
            process,
            orders,
            said,
        };
        for site in 1..=3 {
            cluster.wait_for(&format!("dc{site} ready"), 0).await?;
        }
        Ok(cluster)
    }

    /// Where clients reach data centre `site`, from 1.
    pub fn base_url(&self, site: usize) -> String {
        format!("http://127.{}.{site}.1:{PORT}", self.network)
    }

    /// Where the platform reaches the engine of data centre `site`.
    pub fn engine(&self, site: usize) -> String {
        format!("tls://127.{}.{site}.1:{}", self.network, PORT + 1)
    }

    /// The cluster's folder.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of data centre `site`.
    pub fn site_dir(&self, site: usize) -> PathBuf {
        self.dir().join(format!("dc{site}"))
    }

    /// Types `order` and waits until the cluster says `expect`.
    ///
    /// # Errors
    /// If it does not in time.
    pub async fn order(&mut self, order: &str, expect: &str) -> Result<()> {
        let before = self.said().len();
        writeln!(self.orders, "{order}")?;
        self.wait_for(expect, before).await
    }

    /// What the cluster has said so far.
    pub fn said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// Waits until the cluster says a line that begins with `expect`, after the first `before` lines.
    ///
    /// # Errors
    /// If it does not in time.
    pub async fn wait_for(&self, expect: &str, before: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.said()[before..]
            .iter()
            .any(|line| line.starts_with(expect))
        {
            if Instant::now() > deadline {
                bail!(
                    "not `{expect}` after {PATIENCE:?}, but {:?}\n{}",
                    self.said(),
                    self.written()
                );
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// The process id of `program` (`nats` or `bongsu`) in data centre `site`.
    ///
    /// # Errors
    /// If it is written nowhere.
    pub fn pid(&self, site: usize, program: &str) -> Result<Pid> {
        let path = self.site_dir(site).join(format!("{program}.pid"));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Pid::from_raw(text.trim().parse()?))
    }

    /// Kills a process as a fire would.
    ///
    /// # Errors
    /// If there is none.
    pub fn kill9(&self, site: usize, program: &str) -> Result<()> {
        Ok(kill(self.pid(site, program)?, Signal::SIGKILL)?)
    }

    /// Runs another command of the binary, such as `verify`, as data centre `site`.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn command(&self, site: usize, arguments: &[&str]) -> Result<Finished> {
        let config = self.site_dir(site).join("bongsu.toml");
        let config = config.display().to_string();
        self.run(&[arguments, &["--config", &config]].concat())
    }

    /// Runs another command of the binary.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let output = Command::new(binary()?).args(arguments).output()?;
        Ok(Finished::from(output))
    }

    /// Ends `program` of data centre `site` in order; the cluster starts it again.
    ///
    /// # Errors
    /// If there is none.
    pub fn restart(&self, site: usize, program: &str) -> Result<()> {
        Ok(kill(self.pid(site, program)?, Signal::SIGTERM)?)
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// If it does not end well.
    pub async fn stop(&mut self) -> Result<()> {
        kill(
            Pid::from_raw(i32::try_from(self.process.id())?),
            Signal::SIGTERM,
        )?;
        let status = ended(&mut self.process, PATIENCE).await?;
        ensure!(
            status.success(),
            "it ended with {status}\n{}",
            self.written()
        );
        Ok(())
    }

    /// The last lines of what each process wrote.
    fn written(&self) -> String {
        let mut text = String::new();
        for site in 1..=3 {
            for program in ["nats", "bongsu"] {
                let path = self.site_dir(site).join(format!("{program}.log"));
                let written = std::fs::read_to_string(path).unwrap_or_default();
                let lines: Vec<&str> = written.lines().rev().take(8).collect();
                text.push_str(&format!(
                    "dc{site} {program}, newest first:\n{}\n",
                    lines.join("\n")
                ));
            }
        }
        text
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}\n{}", self.said(), self.written());
        }
        for site in 1..=3 {
            for program in ["nats", "bongsu"] {
                // One that is gone, or ends by itself, needs no signal.
                let _ = self.kill9(site, program);
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
