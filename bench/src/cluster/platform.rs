//! Our three data centres.

use crate::client::Client;
use crate::server::{Process, Server};
use anyhow::{Context, Result, ensure};
use http::Method;
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many data centres there are.
pub const SITES: usize = 3;
/// The first two numbers of their addresses, and the port that they serve at.
const NETWORK: &str = "127.41";
const PORT: u16 = 28_008;
/// How long they may take to be ready.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// The cluster.
pub struct Platform {
    /// All of it, of which the first data centre answers.
    pub server: Server,
    folder: PathBuf,
}

impl Platform {
    pub async fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(binary);
        command
            .arg("cluster")
            .arg("--dir")
            .arg(folder.path())
            .args(["--network", NETWORK, "--port", &PORT.to_string()])
            .args(["--registration", "open", "--headless"])
            .stdout(Stdio::null());
        let process = Process::start(&mut command, Signal::SIGTERM)?;
        let path = folder.path().to_owned();
        let name = (address(0), "bongsu in three data centres".to_owned());
        let platform = Self {
            server: Server::new(vec![process], name, (folder, path.clone())),
            folder: path,
        };
        let deadline = Instant::now() + UP_WITHIN;
        for site in 0..SITES {
            while !is_ready(site).await {
                ensure!(
                    Instant::now() < deadline,
                    "dc{} does not become ready",
                    site + 1
                );
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(platform)
    }

    /// Where the data centre with this place in the list serves.
    pub fn address(&self, site: usize) -> String {
        address(site)
    }

    /// Where the engine of that data centre is.
    pub fn engine(&self, site: usize) -> String {
        format!("tls://{NETWORK}.{}.1:{}", site + 1, PORT + 1)
    }

    /// The configuration of the first data centre.
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("dc1/bongsu.toml")
    }

    /// Where the certificates are.
    pub fn trust(&self) -> PathBuf {
        self.folder.join("trust")
    }

    /// How many entries talk's log holds.
    pub async fn entries(&self) -> Result<f64> {
        let mut client = Client::connect(&self.server.address).await?;
        let metrics = client.ask(Method::GET, "/metrics", Vec::new()).await?;
        let metrics = String::from_utf8_lossy(&metrics);
        let applied = metrics.lines().find_map(|line| {
            let rest = line.strip_prefix("bongsu_lane_applied_seq{")?;
            let (labels, value) = rest.split_once("} ")?;
            labels
                .contains("\"talk\"")
                .then(|| value.trim().parse().ok())?
        });
        applied.context("no metric says how many entries were applied")
    }

    /// Each process and its id.
    pub fn processes(&self) -> Result<Vec<(String, u32)>> {
        let mut processes = Vec::new();
        for site in 1..=SITES {
            for program in ["bongsu", "nats"] {
                let file = self.folder.join(format!("dc{site}/{program}.pid"));
                let pid =
                    std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                processes.push((format!("dc{site}'s {program}"), pid.trim().parse()?));
            }
        }
        Ok(processes)
    }

    /// The processor seconds that each process has used.
    pub fn used(&self) -> Result<Vec<(String, f64)>> {
        Ok(super::used(&self.processes()?))
    }
}

fn address(site: usize) -> String {
    format!("{NETWORK}.{}.1:{PORT}", site + 1)
}

async fn is_ready(site: usize) -> bool {
    let Ok(mut client) = Client::connect(&address(site)).await else {
        return false;
    };
    client
        .ask(Method::GET, "/health/ready", Vec::new())
        .await
        .is_ok()
}
