//! The peer: Synapse as one process, on a PostgreSQL of its own.

use crate::client::Client;
use crate::postgres;
use crate::server::{Process, Server};
use anyhow::{Context, Result, ensure};
use http::Method;
use nix::sys::signal::Signal;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long each may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// Starts both. `python` is that of the environment in which Synapse is installed.
pub async fn start(python: &Path) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    // PostgreSQL refuses to run as root, and its own user has to come in.
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
    let postgres = postgres::start(folder.path(), "synapse").await?;
    let socket = postgres.data;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    for (name, text) in [
        (
            "homeserver.yaml",
            include_str!("../synapse/homeserver.yaml"),
        ),
        ("log.yaml", include_str!("../synapse/log.yaml")),
    ] {
        let text = text
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{socket}", &socket.display().to_string())
            .replace("{port}", &port.to_string());
        std::fs::write(folder.path().join(name), text)?;
    }
    let config = folder.path().join("homeserver.yaml");
    let synapse = || {
        let mut command = Command::new(python);
        command
            .args(["-m", "synapse.app.homeserver", "--config-path"])
            .arg(&config)
            .stdout(Stdio::null());
        command
    };
    let keys = synapse().arg("--generate-keys").status();
    let keys = keys.with_context(|| format!("{} cannot be started", python.display()))?;
    ensure!(keys.success(), "Synapse made no keys: {keys}");
    let mut process = Process::start(&mut synapse(), Signal::SIGTERM)?;
    let address = format!("127.0.0.1:{port}");
    let deadline = Instant::now() + UP_WITHIN;
    while !answers(&address).await {
        process.expect_alive()?;
        ensure!(Instant::now() < deadline, "Synapse did not come up");
        sleep(Duration::from_millis(100)).await;
    }
    let name = format!("synapse {} on {}", release(python)?, postgres.name);
    // Its tables; what it keeps of its write-ahead log has a size of its own.
    let disk = socket.join("base");
    Ok(Server::new(
        vec![postgres.process, process],
        (address, name),
        (folder, disk),
    ))
}

async fn answers(address: &str) -> bool {
    let Ok(mut client) = Client::connect(address).await else {
        return false;
    };
    let versions = client.ask(Method::GET, "/_matrix/client/versions", Vec::new());
    versions.await.is_ok()
}

fn release(python: &Path) -> Result<String> {
    let ask = "from importlib.metadata import version; print(version('matrix-synapse'))";
    let told = Command::new(python).args(["-c", ask]).output()?;
    Ok(String::from_utf8(told.stdout)?.trim().to_owned())
}
