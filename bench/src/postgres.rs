//! PostgreSQL, as Debian has it, with a folder of its own.

use crate::server::Process;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where Debian has it, by version.
const POSTGRESQL: &str = "/usr/lib/postgresql";
/// How long it may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// More than PostgreSQL's defaults, which are for small machines. Durability is as it comes: every
/// commit is on the disk when it is acknowledged.
const TUNING: [&str; 4] = [
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "max_wal_size=4GB",
    "work_mem=16MB",
];

/// A running one.
pub struct Postgres {
    pub process: Process,
    /// Its folder, in which its socket lies too.
    pub data: PathBuf,
    /// Where its programs are.
    pub programs: PathBuf,
    /// What its name and version are.
    pub name: String,
}

/// A fresh one in `folder`, with a user and a database called `name`, that answers on a socket alone.
pub async fn start(folder: &Path, name: &str) -> Result<Postgres> {
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
        .args(["-U", name, "-A", "trust", "--encoding=UTF8"])
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
            .args(["-U", name, name])
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
    Ok(Postgres {
        process,
        data,
        programs,
        name: format!("postgresql {}", version.trim()),
    })
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
