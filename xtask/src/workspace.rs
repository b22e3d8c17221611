//! Where the repository is, and what cargo says of it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("xtask lies in the root folder")
        .to_owned()
}

/// What `cargo metadata` tells about the workspace, in the parts that are used here.
#[derive(Debug)]
pub struct Metadata {
    /// The members' folders relative to the root, sorted.
    pub members: Vec<String>,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
}

/// Asks cargo about the workspace at `root`.
///
/// # Errors
/// If cargo cannot be run or does not understand the workspace.
pub fn metadata(root: &Path) -> Result<Metadata> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    parse_metadata(root, &serde_json::from_slice(&output.stdout)?)
}

fn parse_metadata(root: &Path, metadata: &Value) -> Result<Metadata> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let mut members = Vec::new();
    for package in packages {
        let manifest = package["manifest_path"]
            .as_str()
            .context("a package has no manifest")?;
        let folder = Path::new(manifest)
            .parent()
            .context("a manifest lies in a folder")?;
        members.push(folder.strip_prefix(root)?.to_string_lossy().into_owned());
    }
    members.sort();
    let target = metadata["target_directory"]
        .as_str()
        .context("no target directory")?
        .into();
    Ok(Metadata { members, target })
}

/// A cargo command that runs in the root folder, without what `cargo run` says of this package: the build scripts of some
/// crates (ring's, above which nearly everything stands) look at that, and would run again here and once more after it.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let of_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_package) {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_their_folder() {
        let metadata = serde_json::json!({
            "packages": [{ "manifest_path": "/r/sim/Cargo.toml" }, { "manifest_path": "/r/crates/base/Cargo.toml" }],
            "target_directory": "/r/target",
        });
        let parsed = parse_metadata(Path::new("/r"), &metadata).unwrap();
        assert_eq!(parsed.members, ["crates/base", "sim"]);
        assert_eq!(parsed.target, Path::new("/r/target"));
    }
}
