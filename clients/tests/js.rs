//! The JavaScript client library for Matrix, on which Element stands, against the real binary.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Server, TEST_PASSWORD};
use std::path::Path;
use std::process::Command;

#[tokio::test]
async fn three_people_walk_through_the_protocol() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    ensure!(
        folder.join("node_modules/matrix-js-sdk").exists(),
        "the client library is missing: run `make setup` first"
    );
    let server = Server::start().await?;
    let output = Command::new("node")
        .arg(folder.join("walk.mjs"))
        .args([&server.base_url(), TEST_PASSWORD])
        .output()
        .context("cannot run node")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "walk.mjs ended with {}:\n{told}",
        output.status
    );
    Ok(())
}
