//! What is measured, as processes of its own in a folder of its own.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a server may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long a process may take to end before it is killed.
const END_WITHIN: u32 = 30;

/// A process that ends with this value.
pub struct Process {
    child: Child,
    /// What tells it to end.
    ending: Signal,
}

impl Process {
    pub fn start(command: &mut Command, ending: Signal) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
        Ok(Self { child, ending })
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says so if it has ended by itself.
    pub fn expect_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the server ended: {status}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // It may have ended by itself.
        let _ = kill(pid, self.ending);
        for _ in 0..END_WITHIN * 20 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            pause();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process says nothing when it ends but to its parent, who has to ask"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

/// A running server.
pub struct Server {
    /// What it consists of, the one that answers last. They end in this order from the back.
    processes: Vec<Process>,
    /// Where it listens.
    pub address: String,
    /// What its name and version are.
    pub name: String,
    /// What it writes of messages.
    disk: PathBuf,
    /// After the processes: it goes when they have ended.
    _folder: TempDir,
}

impl Server {
    pub fn new(
        processes: Vec<Process>,
        (address, name): (String, String),
        (folder, disk): (TempDir, PathBuf),
    ) -> Self {
        Self {
            processes,
            address,
            name,
            disk,
            _folder: folder,
        }
    }

    /// Starts the platform.
    pub async fn ours(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--server-name", "localhost", "--registration", "open"])
            .args([
                "--max-connections",
                "20000",
                "--log-level",
                "warn",
                "--data",
            ])
            .arg(folder.path())
            .stdout(Stdio::null());
        let mut process = Process::start(&mut command, Signal::SIGTERM)?;
        let file = folder.path().join("listen.addr");
        let deadline = Instant::now() + UP_WITHIN;
        let address = loop {
            match std::fs::read_to_string(&file) {
                Ok(address) => break address.trim().to_owned(),
                Err(_) if Instant::now() < deadline => process.expect_alive()?,
                Err(error) => return Err(error).context("the server did not come up"),
            }
            sleep(Duration::from_millis(50)).await;
        };
        let disk = folder.path().to_owned();
        let name = (address, "bongsu".to_owned());
        Ok(Self::new(vec![process], name, (folder, disk)))
    }

    /// The folder that it keeps its data in.
    pub fn folder(&self) -> &Path {
        &self.disk
    }

    /// All its processes, and those that they started.
    fn pids(&self) -> Result<Vec<u32>> {
        let mut pids: Vec<u32> = self.processes.iter().map(Process::pid).collect();
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let parent = stat(pid).and_then(|fields| fields.get(1)?.parse::<u32>().ok());
            if parent.is_some_and(|parent| pids.contains(&parent)) {
                pids.push(pid);
            }
        }
        Ok(pids)
    }

    /// The memory it has resident, in MiB; what processes share is counted once.
    pub fn memory(&self) -> Result<f64> {
        let mut kib = 0.0;
        for pid in self.pids()? {
            kib += memory_of(pid)?;
        }
        Ok(kib / 1024.0)
    }

    /// The processor time it has used, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        Ok(self.pids()?.into_iter().map(cpu_of).sum())
    }

    /// What it has on the disk, in bytes.
    pub fn disk_bytes(&self) -> Result<f64> {
        let mut folders = vec![self.disk.clone()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                // Temporary files come and go.
                match std::fs::symlink_metadata(&path) {
                    Ok(meta) if meta.is_dir() => folders.push(path),
                    Ok(meta) => bytes += meta.len(),
                    Err(_) => {}
                }
            }
        }
        Ok(bytes as f64)
    }

    /// Returns once it has nothing to do: less than a fifth of a core for a second.
    pub async fn quiet(&self) -> Result<()> {
        for _ in 0..300 {
            let before = self.cpu_seconds()?;
            sleep(Duration::from_secs(1)).await;
            if self.cpu_seconds()? - before < 0.2 {
                return Ok(());
            }
        }
        bail!("{} does not come to rest", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        while let Some(process) = self.processes.pop() {
            drop(process);
        }
    }
}

/// The memory that a process has resident, in KiB; none if it has ended.
pub fn memory_of(pid: u32) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let rollup = rollup.unwrap_or_default();
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let pss = pss.unwrap_or("0 kB").trim().trim_end_matches("kB").trim();
    Ok(pss.parse()?)
}

/// The processor time that a process has used, in seconds; none if it has ended.
pub fn cpu_of(pid: u32) -> f64 {
    // User and system time, in hundredths: fields 14 and 15 of `man 5 proc`.
    let fields = stat(pid).unwrap_or_default().into_iter().skip(11).take(2);
    let hundredths = fields.filter_map(|field| field.parse::<f64>().ok());
    hundredths.sum::<f64>() / 100.0
}

/// The fields of `/proc/PID/stat` from the state on, which is the third.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}
