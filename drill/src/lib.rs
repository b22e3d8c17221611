//! The fire drill: real processes, real kills, evidence.
//!
//! It starts three data centres of the running binary, drives them over their public protocols as people's
//! clients do, lets them burn, and says what was lost. It promises to remember everything that was
//! acknowledged and to look for it in every data centre, and it trusts nothing that the platform says of
//! itself but what it answers. It must never know a domain, a lane or a log: what it knows of them is what a
//! client knows.

mod check;
mod client;
mod cluster;
mod day;
mod disk;
mod drill;
mod engine;
mod ground;
mod ledger;
mod options;
mod plan;
mod reads;
mod record;
mod report;
mod strike;
mod traffic;
mod whole;

pub use options::Fire;

use anyhow::Result;
use std::path::Path;

/// Does what `asked` says with the platform's program `binary`. Gives whether everything that was promised held.
///
/// # Errors
/// If the drill itself could not be held: that says nothing of the platform.
pub async fn run(asked: &Fire, binary: &Path) -> Result<bool> {
    if asked.list {
        report::say(&plan::list());
        return Ok(true);
    }
    if let Some(file) = &asked.read {
        let report = report::Report::load(file)?;
        if let Some(html) = &asked.html {
            report.write_html(html)?;
        }
        report::say(&report.table());
        return Ok(report.held());
    }
    drill::hold(asked, binary).await
}
