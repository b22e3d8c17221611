//! The key that seals the keys of sign-in.

use crate::config::Config;
use crate::data::{DataDir, write_whole};
use anyhow::{Context, Result, bail};
use bongsu_identity::Vault;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Opens the vault. On one machine alone a key is made the first time; several data centres are given the same.
pub fn vault(data: &DataDir, config: &Config) -> Result<Vault> {
    if let Some(vault) = find_vault(data, config)? {
        return Ok(vault);
    }
    let path = data.sign_in_key();
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    write_whole(&path, Vault::file(&key).as_bytes())?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))
        .with_context(|| format!("{} cannot be made unreadable", path.display()))?;
    read(&path)
}

/// Opens the vault; `None` where one machine alone has yet to make its key.
pub fn find_vault(data: &DataDir, config: &Config) -> Result<Option<Vault>> {
    if let Some(path) = &config.sign_in.key_file {
        return read(path).map(Some);
    }
    if config.sites.is_some() {
        bail!(
            "sign_in_key_file is missing: all data centres need the same key for sign-in; make one with \
             `openssl rand -hex 32`, and give each a copy"
        );
    }
    let path = data.sign_in_key();
    path.exists().then(|| read(&path)).transpose()
}

fn read(path: &Path) -> Result<Vault> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the key of sign-in {} cannot be read", path.display()))?;
    Vault::parse(&text).with_context(|| format!("the key of sign-in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;

    fn config(flags: Layer) -> Config {
        Config::load(flags, None, |_| None).unwrap()
    }

    #[test]
    fn one_machine_makes_its_key_once_and_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let config = config(Layer::default());
        let first = vault(&data, &config).unwrap().current();
        assert_eq!(vault(&data, &config).unwrap().current(), first);
        let mode = std::fs::metadata(data.sign_in_key()).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let named = folder.path().join("key");
        let config = config(Layer {
            sign_in_key_file: Some(named.clone()),
            ..Layer::default()
        });
        assert!(vault(&data, &config).is_err());
        std::fs::write(&named, "short\n").unwrap();
        let error = format!("{:#}", vault(&data, &config).unwrap_err());
        assert!(
            error.contains("64 lower-case hexadecimal digits"),
            "{error}"
        );
        std::fs::write(&named, "ab".repeat(32)).unwrap();
        assert!(vault(&data, &config).is_ok());
        assert!(!data.sign_in_key().exists());
    }
}
