//! The peer, as a process of Node's.

use crate::server::{Process, Server};
use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// How long it may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// Starts the peer that is installed in this folder.
pub async fn start(folder: &Path) -> Result<Server> {
    let package = folder.join("node_modules/oidc-provider/package.json");
    let package: Value = serde_json::from_slice(&std::fs::read(package)?)?;
    let version = package["version"].as_str().unwrap_or_default();
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new("node");
    command
        .arg(folder.join("provider.mjs"))
        .arg(address.port().to_string())
        .env("NODE_ENV", "production")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut process = Process::start(&mut command, Signal::SIGTERM)?;
    let deadline = Instant::now() + UP_WITHIN;
    while TcpStream::connect(address).await.is_err() {
        process.expect_alive()?;
        ensure!(Instant::now() < deadline, "oidc-provider did not come up");
        sleep(Duration::from_millis(50)).await;
    }
    let name = (address.to_string(), format!("oidc-provider {version}"));
    let nothing = tempfile::tempdir()?;
    let disk = nothing.path().to_owned();
    Ok(Server::new(vec![process], name, (nothing, disk)))
}
