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
    ensure!(number(&report, "webhooks_received")? > 100, "{said}");
    ensure!(number(&report, "webhooks_refused")? > 0, "{said}");
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

/// Services elsewhere go on by themselves while nothing of the platform is there, and say so once it was away for too long.
#[test]
fn everything_burns_and_a_partner_goes_on_until_its_bound() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let json = folder.path().join("fire.json").display().to_string();
    let few = ["--people", "6", "--rate", "20"];
    let asked = [&["--scenario", "kill-all", "--json", &json], &few[..]].concat();
    let (held, said) = fire(&asked)?;
    ensure!(held, "it did not hold:\n{said}");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    let round = &report["scenarios"][0];
    let marks = round["marks"].as_array().context("no marks")?;
    let when = |what: &str| -> Result<u64> {
        let mut all = marks.iter().filter(|mark| {
            let said = mark["what"].as_str();
            said.is_some_and(|said| said.ends_with(what))
        });
        number(all.next_back().context("it did not happen")?, "at_ms")
    };
    let lines = round["lines"].as_array().context("no lines")?;
    let mut lines = lines.iter();
    let line = lines.find(|line| line["protocol"] == "partner");
    let line = line.context("nobody went to the partner")?;
    let points = |list: &str, from: u64, to: u64| {
        let points = line[list].as_array().cloned().unwrap_or_default();
        let bucket = round["bucket_ms"].as_u64().unwrap_or(1);
        let within = (from / bucket) as usize..(to / bucket) as usize;
        let points = points.iter().take(within.end).skip(within.start);
        points.filter_map(Value::as_u64).sum::<u64>()
    };
    let (gone, back) = (when("burns")?, when("is given back")?);
    ensure!(points("count", gone + 1_000, gone + 4_000) > 10, "{line}");
    ensure!(points("failed", gone, gone + 4_000) == 0, "{line}");
    ensure!(points("failed", back - 4_000, back) > 10, "{line}");
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
        done && said.contains("kill-leader")
            && said.contains("kill-all")
            && said.contains("random"),
        "{said}"
    );
    Ok(())
}
