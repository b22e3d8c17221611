//! The platform as a process of its own, in a folder of its own.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A running server; it ends with this value.
pub struct Server {
    child: Child,
    folder: tempfile::TempDir,
    pub address: String,
}

impl Server {
    pub async fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let child = Command::new(binary)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--server-name",
                "localhost",
                "--registration",
                "open",
            ])
            .arg("--data")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "{} cannot be started; build it with `cargo build --release`",
                    binary.display()
                )
            })?;
        let file = folder.path().join("listen.addr");
        for _ in 0..200 {
            if let Ok(address) = std::fs::read_to_string(&file) {
                return Ok(Self {
                    child,
                    folder,
                    address: address.trim().to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server did not come up within ten seconds")
    }

    fn proc(&self, file: &str) -> Result<String> {
        let pid = self.child.id().context("the server has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{pid}/{file}"))?)
    }

    /// The memory it has resident, in MiB.
    pub fn resident_mib(&self) -> Result<f64> {
        let status = self.proc("status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// The processor time it has used, in seconds (`/proc/PID/stat`, in hundredths).
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = self.proc("stat")?;
        let rest = stat.rsplit_once(')').context("no command in stat")?.1;
        let fields: Vec<f64> = rest
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        // After the state come the fields from 4 on; 14 and 15 are user and system time.
        Ok((fields[10] + fields[11]) / 100.0)
    }

    /// What its folder holds, in bytes.
    pub fn disk_bytes(&self) -> Result<u64> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let meta = entry.metadata()?;
                if meta.is_dir() {
                    folders.push(entry.path())
                } else {
                    bytes += meta.len()
                }
            }
        }
        Ok(bytes)
    }
}
