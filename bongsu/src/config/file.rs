//! Options in a TOML file.

use super::{Layer, meaning};
use anyhow::{Context, Result, anyhow};
use std::path::Path;

/// What the file at `path` says. An error names the file, the line, and what was expected there.
pub fn read(path: &Path) -> Result<Layer> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
    toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let number = text[..at].matches('\n').count() + 1;
        let line = text.lines().nth(number - 1).unwrap_or_default();
        let place = format!("{}, line {number}", path.display());
        anyhow!("{place}: {}{}", error.message(), expected(line))
    })
}

/// What the key on `line` means, if it is one of ours.
fn expected(line: &str) -> String {
    let key = line.split('=').next().unwrap_or_default().trim();
    meaning(key).map_or_else(String::new, |text| format!("\n  {key}: {text}"))
}
