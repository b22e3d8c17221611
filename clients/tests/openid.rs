//! Services that people sign in to, with the client libraries that such services use, against the real binary.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Server, TEST_PASSWORD};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Adds a client on the command line, while the server runs.
fn add(server: &Server, words: &[&str]) -> Result<Value> {
    server.administer(&[&["client", "add"], words].concat(), "")
}

/// A key for tests that everybody knows (RFC 7517, appendix A.2).
const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
/// Its private half.
const PRIVATE: &str = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";

/// A server with mina's account, and the clients that the scripts are.
async fn house(options: &[&str]) -> Result<(Server, Value)> {
    let server = Server::start_with(options).await?;
    server.administer(&["user", "add", "mina", "--password-stdin"], TEST_PASSWORD)?;
    server.keys_made().await?;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let web = [
        "Shop",
        "--redirect-uri",
        "https://shop.example/in",
        "--post-logout-redirect-uri",
        "https://shop.example/out",
    ];
    let posts = [&web[..], &["--auth", "client_secret_post"]].concat();
    let own = ["--grant", "client_credentials", "--scope", "orders:read"];
    let orders = [&["Orders"], &own[..]].concat();
    let keys = format!(r#"{{"keys":[{KEY}]}}"#);
    let signs = ["Signer", "--auth", "private_key_jwt", "--jwks", &keys];
    let mut signer = add(&server, &[&signs, &own[..]].concat())?;
    signer["key"] = serde_json::from_str(KEY)?;
    signer["key"]["d"] = PRIVATE.into();
    let tv = ["TV", "--grant", device, "--auth", "none"];
    let clients = json!({
        "web": add(&server, &web)?, "posts": add(&server, &posts)?, "orders": add(&server, &orders)?, "tv": add(&server, &tv)?, "signer": signer,
    });
    Ok((server, clients))
}

/// Runs a script, which has to end well.
fn run(program: &OsStr, script: &str, server: &Server, words: &[&str]) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(program)
        .arg(&script)
        .args([&server.base_url(), TEST_PASSWORD])
        .args(words)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} ended with {}:\n{told}",
        script.display(),
        output.status
    );
    Ok(())
}

fn javascript(server: &Server, words: &[&str]) -> Result<()> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/node_modules/openid-client");
    ensure!(
        library.exists(),
        "the client library is missing: run `make setup` first"
    );
    run(OsStr::new("node"), "js/openid.mjs", server, words)
}

#[tokio::test]
async fn a_certified_client_signs_people_in() -> Result<()> {
    let (server, clients) = house(&["--client-registration", "open"]).await?;
    javascript(&server, &[&clients.to_string()])
}

/// Where proofs of keys have to repeat a word of the server's.
#[tokio::test]
async fn a_certified_client_repeats_the_servers_word() -> Result<()> {
    let (server, clients) = house(&["--dpop-nonce", "true"]).await?;
    javascript(&server, &[&clients.to_string(), "dpop"])
}

#[tokio::test]
async fn a_python_client_signs_people_in() -> Result<()> {
    let (server, clients) = house(&[]).await?;
    let python = std::env::var_os("BONGSU_PYTHON");
    let python = python.context("BONGSU_PYTHON is missing: it names what `make setup` makes")?;
    run(
        &python,
        "python/openid.py",
        &server,
        &[&clients.to_string()],
    )
}
