//! Signing in with passwords: beside the bare hash, and beside refreshes that go on meanwhile.

use super::What;
use super::load::round;
use super::person::{Browser, PASSWORD, Place};
use crate::report::{Beside, Report};
use crate::waits::Waits;
use anyhow::{Result, ensure};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use http::StatusCode;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many sign in at once, and how many refresh beside them.
const SIGNING_IN: usize = 32;
/// What part of the bare hash's rate is to be reached.
const AIM: f64 = 0.9;
/// The most that refreshes may take while passwords are saturated, in milliseconds.
const MOST_MS: f64 = 50.0;

pub async fn run(place: &Place, span: Duration, report: &mut Report) -> Result<()> {
    let bare = bare(span).await?;
    let own = sign_ins(place, span, SIGNING_IN).await?;
    let name = format!("password sign-ins, {SIGNING_IN} at once");
    report.row(&name, "a second", own.rate(), Beside::Nothing);
    report.row("argon2 alone, all cores", "a second", bare, Beside::Nothing);
    let part = own.rate() / bare;
    report.row(
        "password sign-ins: part of the bare hash",
        "part",
        part,
        Beside::Aim(AIM),
    );
    // More than there are places to hash in: there is always one that waits.
    let (storm, refreshes) = tokio::join!(
        sign_ins(place, span * 2, SIGNING_IN),
        round(std::slice::from_ref(place), What::Refresh, span, SIGNING_IN)
    );
    let (storm, refreshes) = (storm?, refreshes?);
    report.row(
        "sign-ins beside refreshes",
        "a second",
        storm.rate(),
        Beside::Nothing,
    );
    let name = "refreshes while passwords are saturated";
    report.row(name, "a second", refreshes.rate(), Beside::Nothing);
    report.row(name, "p99, ms", refreshes.p99(), Beside::Aim(MOST_MS));
    Ok(())
}

/// Hashes a second at the cost that the platform has, on all cores.
async fn bare(span: Duration) -> Result<f64> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let mut hashing = JoinSet::new();
    for _ in 0..cores {
        hashing.spawn_blocking(move || {
            let params = Params::new(19_456, 2, 1, None).expect("a cost that argon2 knows");
            let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut count = 0_u32;
            while begun.elapsed() < span {
                let hash = hasher.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]);
                std::hint::black_box(hash.is_ok());
                count += 1;
            }
            count
        });
    }
    let mut count = 0;
    while let Some(done) = hashing.join_next().await {
        count += done?;
    }
    ensure!(count > 0, "no hash was made");
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

async fn sign_ins(place: &Place, span: Duration, at_once: usize) -> Result<Waits> {
    let mut browsers = Vec::new();
    for _ in 0..at_once {
        let mut browser = Browser::new(place).await?;
        let form = browser.form("/account").await?;
        browsers.push((browser, form));
    }
    let begun = Instant::now();
    let mut signing_in = JoinSet::new();
    for (mut browser, form) in browsers {
        signing_in.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < span {
                let before = Instant::now();
                let status = browser.sign_in(&form, "mina", PASSWORD).await?;
                ensure!(
                    status == StatusCode::SEE_OTHER,
                    "nobody signed in: {status}"
                );
                took.push(before.elapsed());
            }
            Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(took) = signing_in.join_next().await {
        all.extend(took??);
    }
    Waits::of(begun.elapsed(), all)
}
