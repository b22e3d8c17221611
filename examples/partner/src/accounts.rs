//! Who is who, written down beforehand, and the passwords of those who have one here.

use anyhow::{Context, Result};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many passwords are verified at once; who comes beyond that waits a few seconds and asks again.
const AT_ONCE: usize = 2;
/// The longest password, in bytes.
const LONGEST: usize = 512;

/// One account, and who its owner is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name here.
    pub name: String,
    /// The `sub` that Bongsu gives.
    #[serde(default)]
    pub bongsu: Option<String>,
    /// The `sub` that the second provider gives.
    #[serde(default)]
    pub second: Option<String>,
}

/// The ways to sign in with a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// With Bongsu.
    Bongsu,
    /// With the second provider.
    Second,
}

/// All accounts, read once: they are needed while everything else is lost.
#[derive(Debug, Clone)]
pub struct Accounts(Arc<[Account]>);

impl Accounts {
    /// Reads them.
    ///
    /// # Errors
    /// When the file is not there or not of its form, or somebody elsewhere has two accounts.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let accounts: Vec<Account> = serde_json::from_str(&text)
            .with_context(|| format!("{} is no list of accounts", path.display()))?;
        let mut seen = std::collections::BTreeSet::new();
        for account in &accounts {
            let ways = [("bongsu", &account.bongsu), ("second", &account.second)];
            for (way, subject) in ways {
                if let Some(subject) = subject {
                    let first = seen.insert((way, subject.clone()));
                    anyhow::ensure!(first, "{subject} is linked to two accounts");
                }
            }
        }
        Ok(Self(accounts.into()))
    }

    /// The account of whoever `subject` is to the provider of `way`.
    #[must_use]
    pub fn linked(&self, way: Way, subject: &str) -> Option<&Account> {
        self.0.iter().find(|account| {
            let known = match way {
                Way::Bongsu => &account.bongsu,
                Way::Second => &account.second,
            };
            known.as_deref() == Some(subject)
        })
    }
}

/// Why a password was not verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The name or the password is wrong.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many are being verified.
    #[error("many people are signing in at the moment")]
    Busy,
    /// The file is lost.
    #[error("passwords cannot be looked up at the moment")]
    Lost,
}

/// The passwords.
#[derive(Debug)]
pub struct Passwords {
    path: PathBuf,
    places: Arc<Semaphore>,
}

impl Passwords {
    /// Those in this file, which is read each time: that it is lost is noticed, and does no harm to the other ways.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Verifies a password. A name without one costs as much.
    pub async fn verify(&self, name: &str, password: String) -> Result<(), PasswordError> {
        let hashes = std::fs::read(&self.path).ok();
        let hashes: Option<BTreeMap<String, String>> =
            hashes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let against = hashes.ok_or(PasswordError::Lost)?.remove(name);
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| PasswordError::Busy)?;
        let verified = tokio::task::spawn_blocking(move || {
            let good = is_good(&password, against.as_deref());
            drop(place);
            good
        });
        match verified.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(PasswordError::Wrong),
            Err(_) => Err(PasswordError::Busy),
        }
    }
}

fn is_good(password: &str, against: Option<&str>) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let Some(against) = against else {
        std::hint::black_box(hash(password, &[0; 16]).ok());
        return false;
    };
    let verified = Argon2::default().verify_password(password.as_bytes(), against);
    verified.is_ok()
}

/// The hash of a password, as it stands in the file.
///
/// # Errors
/// When the password is too long.
pub fn hash(password: &str, salt: &[u8; 16]) -> Result<String> {
    anyhow::ensure!(password.len() <= LONGEST, "the password is too long");
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    let hash = hash.map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?;
    Ok(hash.to_string())
}
