//! Everything under `/pay/v1`, asked by a machine that reads the description alone: nothing may fail inside, and nothing
//! may be answered that is not described.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Device, Server};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is looked at in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      missing_required_header,unsupported_method,allow_header_conformance";
/// How many requests each operation is sent in each phase, at most.
const EXAMPLES: &str = "25";

#[tokio::test]
async fn nothing_fails_and_nothing_is_answered_that_is_not_described() -> Result<()> {
    let server = Server::start().await?;
    let base_url = server.base_url();
    let mina = Device::register(&base_url, "mina").await?;
    let shop = ["pay", "merchant", "add", "bakery", "--name", "Bakery"];
    let words = [&shop[..], &["--bank-account", "110-2"]].concat();
    let added = server.administer(&words, "")?;
    let key = added["secret_key"].as_str().context("a key")?;
    for secret in [mina.token(), key] {
        let folder = tempfile::tempdir()?;
        let tool = schemathesis()?;
        let output = Command::new(&tool)
            .arg("run")
            .arg(format!("{base_url}/openapi.json"))
            .args(["--include-path-regex", "^/pay/v1/", "--checks", CHECKS])
            .args(["--phases", "examples,coverage,fuzzing", "--seed", "7"])
            .args(["--max-examples", EXAMPLES, "--suppress-health-check", "all"])
            .args(["--header", &format!("Authorization: Bearer {secret}")])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder.path())
            .output()
            .with_context(|| format!("cannot run {}", tool.display()))?;
        ensure!(
            output.status.success(),
            "schemathesis ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}

/// The tool beside the interpreter that has the clients' packages: `BONGSU_PYTHON`, or the one that `make setup` makes.
fn schemathesis() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let made = root
        .context("clients lies in the root")?
        .join(".tools/venv/bin/python");
    let python = std::env::var_os("BONGSU_PYTHON").map_or(made, PathBuf::from);
    let tool = python.with_file_name("st");
    ensure!(
        tool.exists(),
        "{} is missing: run `make setup` first",
        tool.display()
    );
    Ok(tool)
}
