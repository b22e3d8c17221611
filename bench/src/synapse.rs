//! The peer: Synapse as one process, on a PostgreSQL of its own.

use crate::client::Client;
use crate::server::{Process, Server};
use anyhow::{Context, Result, bail, ensure};
use http::Method;
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where Debian has its PostgreSQL, by version.
const POSTGRESQL: &str = "/usr/lib/postgresql";
/// How long each may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// More than PostgreSQL's defaults, which are for small machines. Durability is as it comes: every
/// commit is on the disk when it is acknowledged.
const TUNING: [&str; 4] = [
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "max_wal_size=4GB",
    "work_mem=16MB",
];

/// Starts both. `python` is that of the environment in which Synapse is installed.
pub async fn start(python: &Path) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    // PostgreSQL refuses to run as root, and its own user has to come in.
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
    let (postgres, version) = postgres(folder.path()).await?;
    let socket = folder.path().join("postgresql");
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
    let name = format!("synapse {} on {version}", release(python)?);
    // Its tables; what it keeps of its write-ahead log has a size of its own.
    let disk = socket.join("base");
    Ok(Server::new(
        vec![postgres, process],
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

/// A fresh PostgreSQL in `folder`, with a database for Synapse, that answers on a socket alone; and what
/// it is called.
async fn postgres(folder: &Path) -> Result<(Process, String)> {
    let programs = programs()?;
    let data = folder.join("postgresql");
    std::fs::create_dir(&data)?;
    let user = if Uid::effective().is_root() {
        let user = User::from_name("postgres")?.context("there is no user `postgres`")?;
        chown(&data, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        Some(user)
    } else {
        None
    };
    let run = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.current_dir(folder).stdout(Stdio::null());
        if let Some(user) = &user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    };
    let made = run("initdb")
        .args(["-U", "synapse", "-A", "trust", "--encoding=UTF8"])
        .args(["--locale=C", "-D"])
        .arg(&data)
        .status()?;
    ensure!(made.success(), "initdb failed: {made}");
    let mut command = run("postgres");
    command.arg("-D").arg(&data).arg("-k").arg(&data);
    command.args(["-c", "listen_addresses="]);
    for setting in TUNING {
        command.args(["-c", setting]);
    }
    let log = std::fs::File::create(folder.join("postgresql.log"))?;
    // SIGINT is its fast shutdown: it waits for no client.
    let mut process = Process::start(command.stderr(log), Signal::SIGINT)?;
    let deadline = Instant::now() + UP_WITHIN;
    loop {
        let mut create = run("createdb");
        create.arg("-h").arg(&data);
        let made = create
            .args(["-U", "synapse", "synapse"])
            .stderr(Stdio::null())
            .status()?;
        if made.success() {
            break;
        }
        process.expect_alive()?;
        ensure!(Instant::now() < deadline, "PostgreSQL did not come up");
        sleep(Duration::from_millis(100)).await;
    }
    let version = std::fs::read_to_string(data.join("PG_VERSION"))?;
    Ok((process, format!("postgresql {}", version.trim())))
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> Result<PathBuf> {
    let versions = std::fs::read_dir(POSTGRESQL).context("Debian's postgresql is not installed")?;
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max();
    match newest {
        Some(version) => Ok(Path::new(POSTGRESQL).join(version.to_string()).join("bin")),
        None => bail!("Debian's postgresql is not installed"),
    }
}
