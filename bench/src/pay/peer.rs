//! The stored procedure, driven by PostgreSQL's own `pgbench`.

use super::AT_ONCE;
use crate::postgres::{self, Postgres};
use anyhow::{Context, Result, ensure};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The same accounts as in the library's own benchmark.
const ACCOUNTS: u32 = 10_000;
const NAME: &str = "pay";

/// A PostgreSQL with accounts.
pub struct Peer {
    postgres: Postgres,
    pub name: String,
    /// After the process: it goes when that has ended.
    folder: TempDir,
}

impl Peer {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // PostgreSQL refuses to run as root, and its own user has to come in.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let postgres = postgres::start(folder.path(), NAME).await?;
        let peer = Self {
            name: postgres.name.clone(),
            postgres,
            folder,
        };
        let schema = include_str!("../../postgresql/pay.sql");
        peer.sql(&schema.replace("{accounts}", &ACCOUNTS.to_string()))?;
        Ok(peer)
    }

    fn run(&self, program: &str) -> Command {
        let mut command = Command::new(self.postgres.programs.join(program));
        command
            .arg("-h")
            .arg(&self.postgres.data)
            .args(["-U", NAME]);
        command
    }

    fn sql(&self, text: &str) -> Result<String> {
        let mut command = self.run("psql");
        command.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", NAME, "-c", text]);
        said(&mut command)
    }

    /// Transfers a second, `batch` of them in each transaction.
    pub fn transfers(&self, hot: bool, batch: u32, span: Duration) -> Result<f64> {
        let script = self.folder.path().join("script.sql");
        let text = if batch == 1 {
            "SELECT pay_random({accounts}, {hot});\n"
        } else {
            "SELECT count(pay_random({accounts}, {hot})) FROM generate_series(1, {batch});\n"
        };
        let text = text
            .replace("{accounts}", &ACCOUNTS.to_string())
            .replace("{hot}", if hot { "90" } else { "0" })
            .replace("{batch}", &batch.to_string());
        std::fs::write(&script, text)?;
        // Many transfers in one transaction lock many accounts; side by side they would wait for each other for ever.
        let at_once = if batch == 1 { AT_ONCE } else { 1 };
        let mut command = self.run("pgbench");
        command
            .args(["-n", "-M", "prepared", "-j", "2"])
            .args(["-c", &at_once.to_string()])
            .args(["-T", &span.as_secs().to_string()])
            .arg("-f")
            .arg(script)
            .arg(NAME);
        let told = said(&mut command)?;
        let line = told.lines().find_map(|line| line.strip_prefix("tps = "));
        let number = line.and_then(|line| line.split(' ').next());
        let tps: f64 = number.context("pgbench says no tps")?.parse()?;
        Ok(tps * f64::from(batch))
    }

    /// What a transfer takes on the disk, its part of the indexes included.
    pub fn bytes_each(&self) -> Result<f64> {
        let bytes = "SELECT pg_total_relation_size('transfer')::float / count(*) FROM transfer";
        Ok(self.sql(bytes)?.trim().parse()?)
    }
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}
