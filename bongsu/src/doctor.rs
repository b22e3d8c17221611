//! `bongsu doctor`: how the machine and the data are, and what to do about it.

mod behaviour;
mod engine;
mod sign_in;

use crate::certificates::expiry;
use crate::config::Config;
use crate::control::client::Control;
use crate::data::{DataDir, Installation, Lock};
use crate::say;
use crate::wiring::{LANES, snapshot_store};
use anyhow::Result;
use bongsu_base::LogTime;
use bongsu_lane::snapshot::Snapshots;
use std::path::Path;

const GIB: u64 = 1 << 30;
/// A certificate that is in force for no longer is to be renewed.
const FEW_DAYS: i64 = 30;
/// Below this, a full disk is near.
const LOW_DISK: u64 = 2 * GIB;
/// 2026-01-01T00:00:00Z: no release is older, so no clock can rightly be.
const BEFORE_ANY_RELEASE: i64 = 1_767_225_600_000;

/// What was seen, and what to do.
#[derive(Default)]
struct Findings {
    advice: Vec<String>,
}

impl Findings {
    fn line(&self, what: &str, state: impl std::fmt::Display) {
        say::line(format_args!("{what:<14} {state}"));
    }

    fn advise(&mut self, text: impl Into<String>) {
        self.advice.push(text.into());
    }
}

/// Looks, prints what it sees, and what to do.
pub async fn doctor(config: &Config) -> Result<()> {
    let data = DataDir::new(&config.data);
    let mut findings = Findings::default();
    findings.line("release", env!("CARGO_PKG_VERSION"));
    findings.line(
        "cores",
        std::thread::available_parallelism().map_or(0, usize::from),
    );
    files(&mut findings, config);
    certificate(&mut findings, config);
    let last = if data.root().is_dir() {
        let last = stored(&data, &mut findings).await?;
        sign_in::keys(&mut findings, &data, config);
        last
    } else {
        None
    };
    clock(&mut findings, last);
    if !data.root().is_dir() {
        findings.line(
            "data",
            format_args!("{} does not exist", data.root().display()),
        );
        findings.advise("start with: bongsu serve --registration open");
    }
    say::line("");
    if findings.advice.is_empty() {
        say::line("All is well.");
    }
    for advice in findings.advice {
        say::line(format_args!("* {advice}"));
    }
    Ok(())
}

/// Looks at the data folder; gives the time of the newest entry it finds in a snapshot.
async fn stored(data: &DataDir, findings: &mut Findings) -> Result<Option<LogTime>> {
    findings.line("data", data.root().display());
    match Installation::read(data) {
        Ok(Some(installation)) => findings.line("installation", installation.server_name),
        Ok(None) => findings.advise("the data folder is empty; start with: bongsu serve"),
        Err(error) => findings.advise(format!("{error:#}; restore a backup with `bongsu restore`")),
    }
    if data.restoring().exists() {
        findings.advise("a restore did not come to its end: empty the folder and restore again");
    }
    disk(data.root(), findings);
    for (folder, bytes) in data.sizes() {
        findings.line(folder, in_units(bytes));
    }
    server(data, findings).await;
    let mut newest = None;
    for lane in LANES {
        newest = newest.max(last_snapshot(data, lane, findings).await?);
    }
    Ok(newest)
}

async fn last_snapshot(
    data: &DataDir,
    lane: &'static str,
    findings: &mut Findings,
) -> Result<Option<LogTime>> {
    let folder = data.snapshots();
    if !folder.is_dir() {
        return Ok(None);
    }
    let list = Snapshots::new(snapshot_store(&folder)?, lane)
        .list()
        .await?;
    let newest = list.first();
    match newest {
        Some(newest) => {
            let state = format!("at entry {}, {}", newest.seq, in_units(newest.bytes));
            findings.line(&format!("snapshot {lane}"), state);
        }
        None => findings.line(&format!("snapshot {lane}"), "none yet"),
    }
    let damaged = data.view(lane).with_extension("damaged");
    if damaged.exists() {
        findings.advise(format!(
            "a damaged view was made again, and kept as {}; look at the disk's health, then delete it",
            damaged.display()
        ));
    }
    Ok(newest.map(|newest| newest.time))
}

async fn server(data: &DataDir, findings: &mut Findings) {
    let address = std::fs::read_to_string(data.listen_addr()).unwrap_or_default();
    match (
        Lock::is_taken(data),
        Control::connect(&data.control_socket()).await,
    ) {
        (false, _) => findings.line("server", "does not run"),
        (true, Ok(Some(mut control))) => {
            findings.line("server", format_args!("runs at {address}"));
            engine::logs(findings, &mut control).await;
            behaviour::all(findings, &mut control).await;
        }
        (true, _) => {
            findings.line("server", "has the data folder, but does not answer");
            findings.advise("the server is starting or stuck: look at its log messages");
        }
    }
}

fn disk(root: &Path, findings: &mut Findings) {
    let Ok(disk) = nix::sys::statvfs::statvfs(root) else {
        findings.advise("the disk's free space cannot be learnt");
        return;
    };
    let free = disk.blocks_available() * disk.fragment_size();
    findings.line("disk free", in_units(free));
    if free < LOW_DISK {
        findings.advise(format!(
            "only {} of disk are free: a full disk stops the server (nothing acknowledged is lost); make room",
            in_units(free)
        ));
    }
}

/// The limit on open files must carry the connections and what else is open.
fn files(findings: &mut Findings, config: &Config) {
    let Some(limit) = file_limit() else { return };
    findings.line("file limit", limit);
    let wanted = u64::from(config.max_connections) + 256;
    if limit < wanted {
        findings.advise(format!(
            "{} connections need a limit of {wanted} open files, and it is {limit}: raise it (ulimit -n, LimitNOFILE=) \
             or lower max_connections",
            config.max_connections
        ));
    }
}

/// What the other data centres know this one by.
fn certificate(findings: &mut Findings, config: &Config) {
    let Some(sites) = &config.sites else { return };
    match sites.identity() {
        Ok(_) => findings.line("certificate", format_args!("of {}", sites.own)),
        Err(error) => findings.advise(format!("{error:#}: see `bongsu certificates issue`")),
    }
    for (role, path) in sites.certificates() {
        match expiry(path) {
            Ok(end) => lasts(findings, (role, path), end.saturating_sub(now().0 / 1000)),
            Err(error) => findings.advise(format!("{error:#}: see `bongsu certificates issue`")),
        }
    }
}

/// Until when a certificate is in force, in seconds from now.
fn lasts(findings: &mut Findings, (role, path): (&str, &Path), seconds: i64) {
    let days = seconds.div_euclid(24 * 60 * 60);
    let what = if seconds < 0 {
        "has expired".to_owned()
    } else {
        format!("expires in {days} days")
    };
    findings.line(role, format_args!("{} {what}", path.display()));
    if days < FEW_DAYS {
        findings.advise(format!(
            "{} {what}: issue it anew (`bongsu certificates issue`) and restart what uses it",
            path.display()
        ));
    }
}

/// How many files this process may have open (Linux, `proc(5)`).
pub fn file_limit() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn clock(findings: &mut Findings, last: Option<LogTime>) {
    let now = now();
    let behind = last.map_or(0, |last| last.since(now).0);
    findings.line(
        "clock",
        if now.0 > BEFORE_ANY_RELEASE && behind <= 0 {
            "plausible"
        } else {
            "wrong"
        },
    );
    if now.0 <= BEFORE_ANY_RELEASE {
        findings.advise("the clock shows a time before this release was made: set it (NTP)");
    } else if behind > 0 {
        findings.advise(format!(
            "the clock is {} s behind the data: new entries get the old time until it has caught up; set it (NTP)",
            behind / 1000 + 1
        ));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock itself is what is looked at"
)]
fn now() -> LogTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    LogTime(since.map_or(0, |span| {
        i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
    }))
}

fn in_units(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_to_be_renewed_before_it_ends() {
        let day = 24 * 60 * 60;
        for (seconds, expect) in [
            (31 * day, None),
            (
                30 * day - 1,
                Some("a.pem expires in 29 days: issue it anew"),
            ),
            (-1, Some("a.pem has expired: issue it anew")),
        ] {
            let mut findings = Findings::default();
            lasts(&mut findings, ("peer", Path::new("a.pem")), seconds);
            let advice = findings.advice.first();
            match expect {
                None => assert_eq!(advice, None),
                Some(expect) => assert!(advice.is_some_and(|text| text.starts_with(expect))),
            }
        }
    }
}
