//! The server as a process.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The password of every account that a test makes.
pub const TEST_PASSWORD: &str = "a beacon on every hill";

/// How long the server may take to become ready, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a process is looked at, since nothing tells when it has done something.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// A server with a data folder of its own. Dropping it kills the process and deletes the folder.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    process: Option<Child>,
    address: String,
    options: Vec<String>,
}

impl Server {
    /// Starts a server over an empty folder and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready; the message ends with what the server wrote.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// As [`Server::start`], with these options beside the usual ones.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(options: &[&str]) -> Result<Self> {
        let mut server = Self {
            folder: TempDir::new()?,
            process: None,
            address: String::new(),
            options: options.iter().map(|one| (*one).to_owned()).collect(),
        };
        fs::create_dir(server.data_dir())?;
        server.restart().await?;
        Ok(server)
    }

    /// Starts the server again over the same folder, killing it first if it still runs. It listens on
    /// another port than before.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.kill9()?;
        let announced = self.data_dir().join("listen.addr");
        // A killed server leaves its address behind; only the new one counts.
        if announced.exists() {
            fs::remove_file(&announced)?;
        }
        let written = File::options()
            .create(true)
            .append(true)
            .open(self.written_path())?;
        let child = Command::new(binary()?)
            .arg("serve")
            .arg("--data")
            .arg(self.data_dir())
            .args([
                "--listen",
                "127.0.0.1:0",
                "--server-name",
                "localhost",
                "--registration",
                "open",
            ])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(written.try_clone()?)
            .stderr(written)
            .spawn()
            .context("cannot start the server")?;
        self.process = Some(child);
        self.address = self.wait_until_ready(&announced).await?;
        Ok(())
    }

    async fn wait_until_ready(&mut self, announced: &Path) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(address) = fs::read_to_string(announced) {
                return Ok(address.trim().to_owned());
            }
            let process = self
                .process
                .as_mut()
                .context("the server was not started")?;
            if let Some(status) = process.try_wait()? {
                self.process = None;
                bail!(
                    "the server did not start ({status}); it wrote:\n{}",
                    self.written()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "no {} after {PATIENCE:?}; the server wrote:\n{}",
                    announced.display(),
                    self.written()
                );
            }
            sleep(LOOK).await;
        }
    }

    /// Starts the server over its folder, which it is expected to refuse, and gives what it wrote.
    ///
    /// # Errors
    /// If it starts all the same, or stops with success.
    pub async fn restart_refused(&mut self) -> Result<String> {
        let before = self.written().len();
        ensure!(
            self.restart().await.is_err(),
            "the server started, and should have refused to"
        );
        ensure!(
            self.process.is_none(),
            "the server neither started nor stopped"
        );
        Ok(self.written()[before..].to_owned())
    }

    /// Ends the process at once, as a power loss would; nothing happens if it does not run.
    ///
    /// # Errors
    /// If the process cannot be signalled.
    pub fn kill9(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Asks the process to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// If it does not run, or does not stop in time.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        let process = self.process.as_mut().context("the server does not run")?;
        kill(Pid::from_raw(i32::try_from(process.id())?), Signal::SIGTERM)?;
        let ended = ended(process, PATIENCE).await;
        let status = ended.with_context(|| format!("it wrote:\n{}", self.written()))?;
        self.process = None;
        Ok(status)
    }

    /// Stops the server, which must say that all went well.
    ///
    /// # Errors
    /// As [`Server::terminate`], and if it exits with anything but 0.
    pub async fn stop(&mut self) -> Result<()> {
        let status = self.terminate().await?;
        ensure!(
            status.success(),
            "the server stopped with {status}; it wrote:\n{}",
            self.written()
        );
        Ok(())
    }

    /// Runs another command of the binary over the same data, such as `verify`.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn command(&self, name: &str) -> Result<Finished> {
        let output = Command::new(binary()?)
            .arg(name)
            .arg("--data")
            .arg(self.data_dir())
            .output()?;
        Ok(Finished::from(output))
    }

    /// Administers the server on the command line, with `input` on the standard input; gives the answer.
    ///
    /// # Errors
    /// If it is refused, in the words of the refusal.
    pub fn administer(&self, words: &[&str], input: &str) -> Result<Value> {
        let mut child = Command::new(binary()?)
            .args(words)
            .arg("--json")
            .arg("--data")
            .arg(self.data_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("its standard input is piped")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{words:?}: {told}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Waits until the keys of sign-in are made, which goes on while the server serves already.
    ///
    /// # Errors
    /// If they are not made in time.
    pub async fn keys_made(&self) -> Result<()> {
        let address = format!("{}/oauth2/keys.json", self.base_url());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let keys = reqwest::get(&address).await?;
            if keys.status().is_success() {
                let keys: Value = keys.json().await?;
                // One for each algorithm; that of RSA is the last.
                if keys["keys"].as_array().is_some_and(|keys| keys.len() == 3) {
                    return Ok(());
                }
            }
            ensure!(Instant::now() < deadline, "no keys after {PATIENCE:?}");
            sleep(LOOK).await;
        }
    }

    /// Where clients connect.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder given with `--data`.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server has written so far, over all its starts.
    pub fn written(&self) -> String {
        fs::read_to_string(self.written_path()).unwrap_or_default()
    }

    fn written_path(&self) -> PathBuf {
        self.folder.path().join("written.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let killed = self.kill9();
        if std::thread::panicking() || killed.is_err() {
            let written = self.written();
            let lines: Vec<&str> = written.lines().rev().take(40).collect();
            eprintln!(
                "the server's last lines, newest first:\n{}",
                lines.join("\n")
            );
        }
    }
}

/// Waits until `process` has ended by itself.
pub(crate) async fn ended(process: &mut Child, within: Duration) -> Result<ExitStatus> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        ensure!(
            Instant::now() <= deadline,
            "it did not stop within {within:?}"
        );
        sleep(LOOK).await;
    }
}

/// How a command of the binary ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// All that it wrote, to both outputs.
    pub text: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        let code = output.status.code().unwrap_or(-1);
        Self {
            code,
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}

/// The binary under test: `BONGSU_BIN`, or the one that cargo built beside this test.
/// The server's program: what `BONGSU_BIN` names, or what was built beside this test.
///
/// # Errors
/// If there is none.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BONGSU_BIN") {
        return Ok(path.into());
    }
    let this = std::env::current_exe()?;
    // target/debug/deps/power-0123 → target/debug/bongsu
    let path = this
        .ancestors()
        .nth(2)
        .context("a test lies in a folder")?
        .join("bongsu");
    ensure!(
        path.exists(),
        "{} is missing: run `cargo build -p bongsu` first",
        path.display()
    );
    Ok(path)
}
