//! Real NATS servers for tests and benchmarks, in a temporary folder and on loopback addresses of their
//! own, ended by their process ids whatever becomes of the test.
//!
//! It knows nothing of the house.

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The servers' program: `BONGSU_NATS_SERVER`, the one that `make setup` provides, or one on the path.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("BONGSU_NATS_SERVER") {
        return path.into();
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin/nats-server");
    if ours.exists() {
        ours
    } else {
        "nats-server".into()
    }
}

/// One server, or three that make a cluster.
#[derive(Debug)]
pub struct Servers {
    folder: TempDir,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    config: PathBuf,
    url: String,
    child: Option<Child>,
}

impl Servers {
    /// Starts one server alone, or several that make a cluster, each in a data centre of its own
    /// (`dc:0` and so on) and called `n0` and so on.
    ///
    /// # Panics
    /// When the servers cannot be started.
    #[must_use]
    pub fn start(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = |n: usize| format!("127.0.{}.1", n + 1);
        let port = |n: usize| {
            let listener = TcpListener::bind((address(n), 0)).expect("a loopback address");
            (listener.local_addr().expect("an address").port(), listener)
        };
        // Held until all are drawn, so that no two are the same.
        let drawn: Vec<_> = (0..count).map(|n| (port(n), port(n))).collect();
        let routes: Vec<String> = (0..count)
            .map(|n| format!("\"nats://{}:{}\"", address(n), drawn[n].1.0))
            .collect();
        let routes = routes.join(", ");
        let servers = (0..count).map(|n| {
            let (client, cluster) = (drawn[n].0.0, drawn[n].1.0);
            let store = folder.path().join(format!("store-{n}"));
            let mut text = format!(
                "server_name: n{n}\nlisten: \"{host}:{client}\"\nserver_tags: [\"dc:{n}\"]\n\
                 jetstream {{ store_dir: \"{store}\", sync_interval: always, unique_tag: \"dc:\", max_file: 1G }}\n",
                host = address(n),
                store = store.display(),
            );
            if count > 1 {
                text.push_str(&format!(
                    "cluster {{ name: test, listen: \"{}:{cluster}\", routes: [{routes}] }}\n",
                    address(n)
                ));
            }
            let config = folder.path().join(format!("{n}.conf"));
            std::fs::write(&config, text).expect("written");
            Server {
                config,
                url: format!("nats://{}:{client}", address(n)),
                child: None,
            }
        });
        let servers = servers.collect();
        drop(drawn);
        let mut servers = Self { folder, servers };
        for n in 0..count {
            servers.start_one(n);
        }
        servers
    }

    /// All servers' addresses, the one of site `n` first.
    #[must_use]
    pub fn urls(&self, n: usize) -> Vec<String> {
        let mut urls: Vec<String> = self
            .servers
            .iter()
            .map(|server| server.url.clone())
            .collect();
        urls.rotate_left(n);
        urls
    }

    /// Starts server `n`, with what it had stored.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_one(&mut self, n: usize) {
        let server = &mut self.servers[n];
        let log = server.config.with_extension("log");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a file for what it says");
        let child = Command::new(program())
            .arg("-c")
            .arg(&server.config)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server; `make setup` provides it");
        server.child = Some(child);
    }

    /// Ends server `n` without a word (`SIGKILL`).
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self, n: usize) {
        if let Some(mut child) = self.servers[n].child.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }

    /// Lets server `n` do nothing more, without ending it (`SIGSTOP`). All its threads stand still then.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, n: usize) {
        let pid = self.signal(n, Signal::SIGSTOP);
        let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("it is ours");
        assert_eq!(stopped, WaitStatus::Stopped(pid, Signal::SIGSTOP));
    }

    /// Lets server `n` go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self, n: usize) {
        self.signal(n, Signal::SIGCONT);
    }

    fn signal(&self, n: usize, signal: Signal) -> Pid {
        let child = self.servers[n].child.as_ref().expect("it runs");
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
        kill(pid, signal).expect("signalled");
        pid
    }

    /// A folder for what the test keeps.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for n in 0..self.servers.len() {
            if let Some(mut child) = self.servers[n].child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
            if std::thread::panicking() {
                let log = self.servers[n].config.with_extension("log");
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let lines: Vec<&str> = said.lines().collect();
                let last = &lines[lines.len().saturating_sub(15)..];
                let _ = writeln!(
                    std::io::stdout(),
                    "server {n} said last:\n{}",
                    last.join("\n")
                );
            }
        }
    }
}
