//! One data centre that runs, burns, is cut off, and comes back.

use super::files::Written;
use super::plan::{Plan, Site};
use super::process::{Process, Program, skewed};
use crate::health::Readiness;
use anyhow::{Context, Result};
use http::StatusCode;
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a data centre may take to say how it is.
const PATIENCE: Duration = Duration::from_millis(500);
/// The pause before a process that ended by itself is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// How a data centre is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its processes run, and it does not serve yet.
    Starting,
    /// Every domain appended something and saw it applied here, lately.
    Ready,
    /// It answers, and cannot append.
    Detached,
    /// Nothing passes to or from it.
    Cut,
    /// It is held still.
    Frozen,
    /// Its processes were killed.
    Burnt,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Detached => "detached",
            Self::Cut => "cut off",
            Self::Frozen => "frozen",
            Self::Burnt => "burnt",
        })
    }
}

/// A data centre and its processes.
#[derive(Debug)]
pub struct RunningSite {
    site: Site,
    address: SocketAddr,
    engine: Part,
    platform: Part,
    frozen: bool,
    state: State,
    readiness: Option<Readiness>,
}

/// A program and its process.
#[derive(Debug)]
pub(super) struct Part {
    program: Program,
    process: Option<Process>,
    /// When to start it again after it ended by itself.
    again: Option<Instant>,
}

impl Part {
    /// That of `program`, not yet started.
    pub(super) fn new(program: Program) -> Self {
        Self {
            program,
            process: None,
            again: None,
        }
    }

    /// Starts it, unless it runs.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.process.is_none() {
            self.process = Some(self.program.start()?);
        }
        self.again = None;
        Ok(())
    }

    /// Looks after the process; says how it ended, if it did.
    pub(super) fn look(&mut self) -> Result<Option<ExitStatus>> {
        let ended = self.process.as_mut().and_then(Process::ended);
        if let Some(status) = ended {
            self.process = None;
            // What was killed stays so until it is healed; what ended by itself is started again.
            self.again = status.signal().is_none().then(|| Instant::now() + PAUSE);
        } else if self.again.is_some_and(|again| again <= Instant::now()) {
            self.start()?;
        }
        Ok(ended)
    }

    /// Ends it in order.
    pub(super) async fn stop(&mut self) -> Result<()> {
        self.again = None;
        match self.process.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}

impl RunningSite {
    /// The data centre `site`, not yet started.
    pub fn new(plan: &Plan, site: Site, files: &Written, engine: &Path) -> Result<Self> {
        let part = |name, binary: &Path, arguments: Vec<String>| {
            Part::new(Program {
                name,
                binary: binary.to_owned(),
                arguments,
                environment: Vec::new(),
                dir: site.dir.clone(),
            })
        };
        let text = |path: &Path| path.display().to_string();
        let own = std::env::current_exe().context("this program does not know where it lies")?;
        let platform = ["serve", "--config", &text(&files.platform)].map(str::to_owned);
        Ok(Self {
            address: plan.public(site.number),
            engine: part("nats", engine, vec!["-c".to_owned(), text(&files.engine)]),
            platform: part("bongsu", &own, platform.to_vec()),
            site,
            frozen: false,
            state: State::Burnt,
            readiness: None,
        })
    }

    /// From 1.
    pub fn number(&self) -> usize {
        self.site.number
    }

    /// `dc1` and so on.
    pub fn name(&self) -> &str {
        self.site.name.as_str()
    }

    /// Where people reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it said last of itself.
    pub fn readiness(&self) -> Option<&Readiness> {
        self.readiness.as_ref()
    }

    /// Starts the engine in it alone.
    pub fn start_engine(&mut self) -> Result<()> {
        self.engine.start()
    }

    /// Has its data begin with what is in `backup`. Its engine runs, with a majority of the others, and no
    /// platform does.
    pub async fn restore(&self, backup: &Path) -> Result<()> {
        let backup = backup.display().to_string();
        let config = self.site.dir.join("bongsu.toml").display().to_string();
        let arguments = ["restore", &backup, "--config", &config].map(str::to_owned);
        self.platform.program.run_once(&arguments).await
    }

    /// Starts what does not run.
    pub fn start(&mut self) -> Result<()> {
        self.engine.start()?;
        self.platform.start()
    }

    /// Ends everything in it at once.
    pub async fn burn(&mut self) -> Result<()> {
        self.frozen = false;
        for part in [&mut self.platform, &mut self.engine] {
            part.again = None;
            if let Some(process) = part.process.take() {
                process.burn().await?;
            }
        }
        Ok(())
    }

    /// Burns it, and all its data.
    pub async fn wipe(&mut self) -> Result<()> {
        self.burn().await?;
        for folder in ["data", "nats"] {
            let folder = self.site.dir.join(folder);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("{} stays", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends the platform in it in order, for which a majority of the engines is needed.
    pub async fn stop_platform(&mut self) -> Result<()> {
        self.thaw()?;
        self.platform.stop().await
    }

    /// Ends the engine in it in order.
    pub async fn stop_engine(&mut self) -> Result<()> {
        self.engine.stop().await
    }

    /// Holds it still.
    pub fn freeze(&mut self) -> Result<()> {
        self.hold(true)
    }

    /// Lets it go on.
    pub fn thaw(&mut self) -> Result<()> {
        self.hold(false)
    }

    /// Sets the platform's clock ahead, or right again, for which it is restarted.
    pub async fn set_clock(&mut self, ahead: bool) -> Result<()> {
        let environment = if ahead { skewed()? } else { Vec::new() };
        if self.platform.program.environment == environment {
            return Ok(());
        }
        self.platform.program.environment = environment;
        if self.platform.process.is_some() {
            self.platform.stop().await?;
            self.platform.start()?;
        }
        Ok(())
    }

    fn hold(&mut self, still: bool) -> Result<()> {
        for part in [&self.engine, &self.platform] {
            if let Some(process) = &part.process {
                process.freeze(still)?;
            }
        }
        self.frozen = still;
        Ok(())
    }

    /// Looks how it is; `cut` says whether its roads are. Gives a line for each change.
    pub async fn look(&mut self, cut: bool) -> Result<Vec<String>> {
        let mut changes = Vec::new();
        for part in [&mut self.engine, &mut self.platform] {
            let name = part.program.name;
            if let Some(status) = part.look()? {
                changes.push(format!("{} {name} ended: {status}", self.site.name));
            }
        }
        self.readiness = None;
        let runs = self.platform.process.is_some();
        if runs && !self.frozen {
            self.readiness = timeout(PATIENCE, ask(self.address))
                .await
                .ok()
                .and_then(Result::ok);
        }
        let state = match &self.readiness {
            _ if self.frozen => State::Frozen,
            _ if !runs && self.platform.again.is_none() => State::Burnt,
            _ if cut => State::Cut,
            Some(readiness) if readiness.ready => State::Ready,
            Some(_) => State::Detached,
            None => State::Starting,
        };
        if state != self.state {
            self.state = state;
            changes.push(format!(
                "{} {state} http://{}",
                self.site.name, self.address
            ));
        }
        Ok(changes)
    }
}

/// Asks the platform at `address` how it is.
async fn ask(address: SocketAddr) -> Result<Readiness> {
    use http_body_util::{BodyExt, Empty};
    let stream = tokio::net::TcpStream::connect(address).await?;
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let connection = tokio::spawn(connection);
    let request = http::Request::get("/health/ready")
        .header(http::header::HOST, address.to_string())
        .body(Empty::<bytes::Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let known = matches!(
        answer.status(),
        StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE
    );
    anyhow::ensure!(known, "it answered {}", answer.status());
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(serde_json::from_slice(&body)?)
}
