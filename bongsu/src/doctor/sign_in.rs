//! Whether this data centre can use the keys with which sign-in for other services is signed.

use super::{Findings, now};
use crate::config::Config;
use crate::data::DataDir;
use crate::wiring::find_vault;
use anyhow::{Context, Result};
use bongsu_identity::Identity;
use bongsu_identity::provider::{SealedKey, Vault, VaultError, sealed_keys};
use bongsu_lane::Domain;
use rusqlite::{Connection, OpenFlags};

/// Looks at each key in the view, and at what it is sealed under.
pub fn keys(findings: &mut Findings, data: &DataDir, config: &Config) {
    let own = data.sign_in_key();
    let file = config.sign_in.key_file.as_ref().unwrap_or(&own);
    let file = file.display().to_string();
    let vault = match find_vault(data, config) {
        Ok(vault) => vault,
        Err(error) => {
            findings.line("sign-in keys", "cannot be opened");
            findings.advise(format!(
                "{error:#}: bring a copy of the file from another data centre, or from where it is kept apart from \
                 backups, and restart"
            ));
            return;
        }
    };
    match found(data, vault.as_ref()) {
        Ok(keys) => tell(findings, &file, &keys),
        Err(error) => findings.advise(format!("{error:#}: see `bongsu verify`")),
    }
}

fn found(data: &DataDir, vault: Option<&Vault>) -> Result<Vec<SealedKey>> {
    let path = data.view(Identity::NAME);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let look = || {
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        sealed_keys(&db, vault, now())
    };
    look().with_context(|| format!("{} cannot be read", path.display()))
}

fn tell(findings: &mut Findings, file: &str, keys: &[SealedKey]) {
    let (count, open) = (
        keys.len(),
        keys.iter().filter(|key| key.opens.is_ok()).count(),
    );
    match count {
        0 => findings.line("sign-in keys", "none yet"),
        _ => findings.line(
            "sign-in keys",
            format_args!("{open} of {count} can be used"),
        ),
    }
    let shut = |why: VaultError| keys.iter().filter(move |key| key.opens == Err(why));
    let names = |why| {
        let names: Vec<_> = shut(why).map(|key| key.kid.as_str()).collect();
        names.join(", ")
    };
    if shut(VaultError::OtherKey).any(|key| key.newest) {
        findings.advise(format!(
            "keys of sign-in ({}) are sealed under a key that is not in {file}, so that nobody is signed in to other \
             services here: put its line into the file, from another data centre's file or the copy apart from backups, \
             and restart; if it is lost, `bongsu keys rotate` makes new ones, and people sign in to other services again",
            names(VaultError::OtherKey)
        ));
    } else if shut(VaultError::OtherKey).next().is_some() {
        findings.advise(format!(
            "older keys of sign-in ({}) are sealed under a key that is not in {file}: those who signed in to other \
             services with them sign in again, unless its line is put into the file and the server is restarted",
            names(VaultError::OtherKey)
        ));
    }
    if shut(VaultError::Damaged).next().is_some() {
        findings.advise(format!(
            "keys of sign-in ({}) are damaged: `bongsu keys rotate` replaces them; see `bongsu verify`",
            names(VaultError::Damaged)
        ));
    }
}
