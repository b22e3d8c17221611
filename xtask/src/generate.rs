//! Files that are written from the code and committed, so that a change of them is seen in review.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file and the command of the server that prints it.
struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

const GENERATED: &[Generated] = &[
    Generated {
        path: "docs/openapi.json",
        arguments: &["openapi"],
    },
    Generated {
        path: "docs/matrix.md",
        arguments: &["operations"],
    },
];

/// Writes every generated file.
///
/// # Errors
/// If the server cannot be built or run, or a file cannot be written.
pub fn write(root: &Path) -> Result<()> {
    let binary = build(root)?;
    for file in GENERATED {
        let path = root.join(file.path);
        fs::write(&path, print(&binary, file.arguments)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Compares every generated file with what it would be; one line for each that differs.
///
/// # Errors
/// If the server cannot be built or run.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let binary = build(root)?;
    let mut stale = Vec::new();
    for file in GENERATED {
        let wanted = print(&binary, file.arguments)?;
        stale.extend(compare(
            file.path,
            fs::read(root.join(file.path)).ok().as_deref(),
            &wanted,
        ));
    }
    Ok(stale)
}

fn compare(path: &str, found: Option<&[u8]>, wanted: &[u8]) -> Option<String> {
    let state = match found {
        Some(found) if found == wanted => return None,
        Some(_) => "is not what the code gives",
        None => "is missing",
    };
    Some(format!(
        "{path}: {state}; run `make generate` and commit the file"
    ))
}

/// Builds what the tests need, of which the server is a part: by itself it would be built with other features, and
/// everything below it once more.
fn build(root: &Path) -> Result<PathBuf> {
    let status = workspace::cargo(root)
        .args(["test", "--quiet", "--workspace", "--no-run"])
        .status()?;
    ensure!(status.success(), "the server does not build");
    Ok(workspace::metadata(root)?.target.join("debug/bongsu"))
}

fn print(binary: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(binary)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} {}: {told}",
        binary.display(),
        arguments.join(" ")
    );
    ensure!(
        !output.stdout.is_empty(),
        "{} {} printed nothing",
        binary.display(),
        arguments.join(" ")
    );
    let mut text = output.stdout;
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_or_missing_file_is_named() {
        assert_eq!(compare("a.json", Some(b"1"), b"1"), None);
        for found in [Some(b"1".as_slice()), None] {
            let complaint = compare("a.json", found, b"2").unwrap();
            assert!(complaint.starts_with("a.json: ") && complaint.contains("make generate"));
        }
    }
}
