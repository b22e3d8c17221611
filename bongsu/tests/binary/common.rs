//! The real binary, started and asked.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// Nothing here takes nearly as long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program, with an environment of its own.
pub fn bongsu(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bongsu"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// What the program said and how it ended.
pub fn run(arguments: &[&str]) -> Output {
    bongsu(arguments).output().unwrap()
}

/// What a successful run said.
pub fn good(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// What a run that failed complained about, without the names of temporary folders.
pub fn complaint(arguments: &[&str], folder: &Path) -> String {
    let output = run(arguments);
    assert!(
        !output.status.success(),
        "{arguments:?} should fail: {}",
        text(&output.stdout)
    );
    text(&output.stderr).replace(&folder.display().to_string(), "FOLDER")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder for data, and its name as text.
pub struct Data(TempDir);

impl Data {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// A folder beside the data.
    pub fn beside(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// A server that runs; it is killed when this is dropped.
pub struct Server {
    child: Child,
    pub address: String,
    said: mpsc::Receiver<String>,
}

impl Server {
    /// Starts on a free port and returns once it serves.
    pub fn start(data: &str, more: &[&str]) -> Self {
        let always = [
            "serve",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--registration",
            "open",
        ];
        let mut command = bongsu(always.iter().chain(more));
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (teller, said) = mpsc::channel();
        std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = stderr.read_to_end(&mut all);
            let _ = teller.send(text(&all));
        });
        let address_file = Path::new(data).join("listen.addr");
        let mut server = Self {
            child,
            address: String::new(),
            said,
        };
        server.address = poll("the server serves", || {
            let ended = server.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended with {ended:?}: {}",
                server.said.recv().unwrap()
            );
            std::fs::read_to_string(&address_file).ok()
        });
        server
    }

    /// Starts, and waits until all canaries have sung.
    pub fn ready(data: &str, more: &[&str]) -> Self {
        let server = Self::start(data, more);
        poll("the server is ready", || {
            (server.get("/health/ready").status == 200).then_some(())
        });
        server
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(&self.address, method, path, headers, body)
    }

    /// A Matrix request with a JSON body; gives the answer's JSON.
    pub fn matrix(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {token}");
        let answer = self.ask(
            method,
            path,
            &[("authorization", &bearer)],
            body.to_string().as_bytes(),
        );
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Makes an account and gives its token.
    pub fn register(&self, name: &str) -> String {
        let body = serde_json::json!({
            "username": name, "password": "correct horse", "auth": { "type": "m.login.dummy" }
        });
        let answer = self.matrix("POST", "/_matrix/client/v3/register", "", &body);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Signs in with a password; gives the status and the answer.
    pub fn log_in(&self, name: &str, password: &str) -> (u16, Value) {
        let body = serde_json::json!({
            "type": "m.login.password", "identifier": { "type": "m.id.user", "user": name }, "password": password
        });
        let answer = self.ask(
            "POST",
            "/_matrix/client/v3/login",
            &[],
            body.to_string().as_bytes(),
        );
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// Tells it to stop; gives how it ended and what it said.
    pub fn stop(mut self) -> (ExitStatus, String) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let status = poll("the server stops", || self.child.try_wait().unwrap());
        (status, self.said.recv().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn body(&self) -> String {
        text(&self.body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
    }
}

/// One request on a connection of its own.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    head += &format!("Content-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole head");
    let head = text(&answer[..end]);
    let body = answer.split_off(end + 4);
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(&body) } else { body };
    Answer { status, head, body }
}

/// The content of a chunked body (RFC 9112, section 7.1).
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let end = body
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("a chunk's size");
        let size = usize::from_str_radix(&text(&body[..end]), 16).unwrap();
        if size == 0 {
            return content;
        }
        content.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
}

/// Looks until there is something to see; for what other processes do.
pub fn poll<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let (_keep, never) = mpsc::channel::<()>();
    let looks = PATIENCE.as_millis() / 10;
    for _ in 0..looks {
        if let Some(seen) = look() {
            return seen;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("waited in vain until {what}");
}
