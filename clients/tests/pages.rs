//! The pages of sign-in in a real browser, against the real binary. What they look like is left in `target/pages`.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Server, TEST_PASSWORD};
use serde_json::json;
use std::path::Path;
use std::process::Command;

#[tokio::test]
async fn every_page_is_seen_without_javascript() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("js");
    ensure!(
        folder.join("node_modules/puppeteer-core").exists(),
        "what drives the browser is missing: run `make setup` first"
    );
    let server = Server::start().await?;
    server.administer(&["user", "add", "mina", "--password-stdin"], TEST_PASSWORD)?;
    server.keys_made().await?;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let web = [
        "client",
        "add",
        "꽃집 Blume",
        "--redirect-uri",
        "https://shop.example/in",
    ];
    let tv = ["client", "add", "TV", "--grant", device, "--auth", "none"];
    let clients = json!({
        "web": server.administer(&web, "")?, "tv": server.administer(&tv, "")?,
    });
    let pictures = root.join("../target/pages");
    let output = Command::new("node")
        .arg(folder.join("pages.mjs"))
        .args([&server.base_url(), TEST_PASSWORD, &clients.to_string()])
        .arg(&pictures)
        .output()
        .context("cannot run node")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "pages.mjs ended with {}:\n{told}",
        output.status
    );
    Ok(())
}
