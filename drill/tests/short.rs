//! A short drill: one data centre is killed, one is cut off, one is wiped.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The binary under test: `BONGSU_BIN`, or the one that cargo built beside this test.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BONGSU_BIN") {
        return Ok(path.into());
    }
    let this = std::env::current_exe()?;
    // target/debug/deps/short-0123 → target/debug/bongsu
    let path = this
        .ancestors()
        .nth(2)
        .context("a test lies in a folder")?
        .join("bongsu");
    ensure!(
        path.exists(),
        "{} is missing: run `cargo build -p bongsu` first",
        path.display()
    );
    Ok(path)
}

fn fire(arguments: &[&str]) -> Result<(bool, String)> {
    let output = Command::new(binary()?)
        .arg("fire")
        .args(arguments)
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

fn number(value: &Value, name: &str) -> Result<u64> {
    value[name]
        .as_u64()
        .with_context(|| format!("there is no {name}"))
}

#[test]
fn one_burns_one_is_cut_off_one_is_wiped_and_nothing_is_lost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let json = folder.path().join("fire.json");
    let html = folder.path().join("fire.html");
    let (json, html) = (json.display().to_string(), html.display().to_string());
    let (held, said) = fire(&[
        "--scenario",
        "kill-site,cut,wipe",
        "--people",
        "64",
        "--rate",
        "150",
        "--json",
        &json,
        "--html",
        &html,
    ])?;
    eprintln!("{said}");
    ensure!(held, "it did not hold:\n{said}");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    for wrong in ["lost", "doubled", "diverged", "errors"] {
        ensure!(number(&report, wrong)? == 0, "{wrong}: {said}");
    }
    let acknowledged = number(&report, "acknowledged")?;
    ensure!(
        acknowledged > 3_000,
        "too little to prove anything: {acknowledged}"
    );
    let scenarios = report["scenarios"].as_array().context("no scenarios")?;
    ensure!(scenarios.len() == 3, "{said}");
    for scenario in scenarios {
        let protocols = scenario["protocols"].as_array().context("no protocols")?;
        for protocol in protocols {
            ensure!(
                number(protocol, "acknowledged")? > 0,
                "nothing of {protocol}"
            );
        }
    }
    // What was written can be read again, and is the same page.
    let again = folder.path().join("again.html").display().to_string();
    let (held, table) = fire(&["--read", &json, "--html", &again])?;
    ensure!(held && table.contains("kill-site"), "{table}");
    ensure!(
        std::fs::read(&html)? == std::fs::read(&again)?,
        "another page"
    );
    Ok(())
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_burns() -> Result<()> {
    let (done, said) = fire(&["--scenario", "flood"])?;
    ensure!(
        !done && said.contains("there is no scenario `flood`"),
        "{said}"
    );
    let (done, said) = fire(&["--read", "/nowhere/fire.json"])?;
    ensure!(!done && said.contains("/nowhere/fire.json"), "{said}");
    let (done, said) = fire(&["--list"])?;
    ensure!(
        done && said.contains("kill-leader") && said.contains("random"),
        "{said}"
    );
    Ok(())
}
