//! The Python client library for Matrix, as its users meet it, against the real binary.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Server, TEST_PASSWORD};
use std::path::{Path, PathBuf};
use std::process::Command;

#[tokio::test]
async fn two_people_walk_through_the_protocol() -> Result<()> {
    let server = Server::start().await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("nio/walk.py");
    let python = python()?;
    let output = Command::new(&python)
        .arg(script)
        .args([&server.base_url(), TEST_PASSWORD])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "walk.py ended with {}:\n{told}",
        output.status
    );
    Ok(())
}

/// The interpreter with the client library: `BONGSU_PYTHON`, or the one that `make setup` makes.
fn python() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BONGSU_PYTHON") {
        return Ok(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("clients lies in the root")?;
    let path = root.join(".tools/venv/bin/python");
    ensure!(
        path.exists(),
        "{} is missing: run `make setup` first",
        path.display()
    );
    Ok(path)
}
