//! Services that people sign in to, with the client libraries that such services use, against the real binary.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Server, TEST_PASSWORD};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokio::time::{Duration, Instant, sleep};

/// How long keys may take to be made: an RSA key without optimisation takes a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// Adds a client on the command line, while the server runs.
fn add(server: &Server, words: &[&str]) -> Result<Value> {
    server.administer(&[&["client", "add"], words].concat(), "")
}

/// Waits until the keys are made, which goes on while the server serves already.
async fn keys(server: &Server) -> Result<()> {
    let address = format!("{}/oauth2/keys.json", server.base_url());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let keys = reqwest::get(&address).await?;
        if keys.status().is_success() {
            let keys: Value = keys.json().await?;
            if keys["keys"].as_array().is_some_and(|keys| keys.len() == 3) {
                return Ok(());
            }
        }
        ensure!(Instant::now() < deadline, "no keys after {PATIENCE:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_certified_client_signs_people_in() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    ensure!(
        folder.join("node_modules/openid-client").exists(),
        "the client library is missing: run `make setup` first"
    );
    let server = Server::start_with(&["--client-registration", "open"]).await?;
    server.administer(&["user", "add", "mina", "--password-stdin"], TEST_PASSWORD)?;
    keys(&server).await?;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let web = [
        "Shop",
        "--redirect-uri",
        "https://shop.example/in",
        "--post-logout-redirect-uri",
        "https://shop.example/out",
    ];
    let orders = [
        "Orders",
        "--grant",
        "client_credentials",
        "--scope",
        "orders:read",
    ];
    let tv = ["TV", "--grant", device, "--auth", "none"];
    let clients = json!({
        "web": add(&server, &web)?, "orders": add(&server, &orders)?, "tv": add(&server, &tv)?,
    });
    let output = Command::new("node")
        .arg(folder.join("openid.mjs"))
        .args([&server.base_url(), TEST_PASSWORD, &clients.to_string()])
        .output()
        .context("cannot run node")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "openid.mjs ended with {}:\n{told}",
        output.status
    );
    Ok(())
}
