//! The provider's keys, opened and warm.

use super::secret::{self, Refreshable, SecretKey};
use super::{Provider, Vault};
use crate::command::oauth::KeyKind;
use crate::query;
use crate::state::oauth::key::Key;
use bongsu_base::{LogTime, Millis};
use bongsu_jose::{Algorithm, Jwk, JwkSet, KeyUse, PublicJwk, SigningKey, VerifyingKey};
use bongsu_lane::ReadError;
use std::sync::Arc;

/// How old the warm keys may be. A key is shown for much longer before it is used.
const STALE: Millis = Millis::seconds(10);
/// How old they may be where a name is not known: names that nobody gave cost a look a second.
const FRESH: Millis = Millis::seconds(1);

/// All keys, as they were at one moment.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    read: Option<LogTime>,
    signing: Vec<Warm<SigningKey>>,
    secrets: Vec<Warm<SecretKey>>,
    shown: Vec<(Jwk, VerifyingKey, Option<LogTime>)>,
}

/// A key and from when it is used.
#[derive(Debug)]
struct Warm<K> {
    kid: String,
    from: LogTime,
    key: Arc<K>,
}

impl<K> Clone for Warm<K> {
    fn clone(&self) -> Self {
        Self {
            kid: self.kid.clone(),
            from: self.from,
            key: self.key.clone(),
        }
    }
}

/// What a key of this kind signs with.
pub(super) const fn algorithm(kind: KeyKind) -> Option<Algorithm> {
    match kind {
        KeyKind::Refresh => None,
        KeyKind::EdDsa => Some(Algorithm::EdDsa),
        KeyKind::Es256 => Some(Algorithm::Es256),
        KeyKind::Rs256 => Some(Algorithm::Rs256),
    }
}

/// What a key is sealed as.
pub(super) fn purpose(kind: KeyKind, kid: &str) -> String {
    format!("{kind:?} {kid}")
}

impl Keys {
    /// Opens what `vault` can open; what is warm in `before` stays so.
    fn open(rows: Vec<Key>, vault: &Vault, before: &Self, now: LogTime) -> Self {
        let mut keys = Self {
            read: Some(now),
            ..Self::default()
        };
        for row in rows {
            if row.gone_from.is_some_and(|gone| gone <= now) {
                continue;
            }
            if let Err(why) = keys.add(&row, vault, before) {
                tracing::error!(kid = row.kid, why, "a key of sign-in cannot be used");
            }
        }
        keys
    }

    fn add(&mut self, row: &Key, vault: &Vault, before: &Self) -> Result<(), String> {
        let algorithm = algorithm(row.kind);
        if let Some(algorithm) = algorithm {
            let public: PublicJwk =
                serde_json::from_str(&row.public).map_err(|error| error.to_string())?;
            let verifying = VerifyingKey::new(&public).map_err(|error| error.to_string())?;
            let jwk = Jwk {
                key: public,
                kid: Some(row.kid.clone()),
                alg: Some(algorithm),
                key_use: Some(KeyUse::Sig),
            };
            self.shown.push((jwk, verifying, row.gone_from));
        }
        if let Some(warm) = before.signing.iter().find(|warm| warm.kid == row.kid) {
            self.signing.push(warm.clone());
            return Ok(());
        }
        if let Some(warm) = before.secrets.iter().find(|warm| warm.kid == row.kid) {
            self.secrets.push(warm.clone());
            return Ok(());
        }
        let secret = vault
            .open(&purpose(row.kind, &row.kid), &row.sealed)
            .map_err(|error| error.to_string())?;
        let (kid, from) = (row.kid.clone(), row.signs_from);
        match algorithm {
            Some(algorithm) => {
                let key = SigningKey::open(algorithm, &row.kid, &secret)
                    .map_err(|error| error.to_string())?;
                let key = Arc::new(key);
                self.signing.push(Warm { kid, from, key });
            }
            None => {
                let secret = secret.try_into().ok();
                let key = secret.and_then(|secret| SecretKey::open(&row.kid, &secret));
                let key = Arc::new(key.ok_or("it is no key for refresh tokens")?);
                self.secrets.push(Warm { kid, from, key });
            }
        }
        Ok(())
    }

    /// The key that signs with `algorithm` at a moment: the same in every data centre.
    pub fn signing(&self, algorithm: Algorithm, at: LogTime) -> Option<&SigningKey> {
        let keys = self.signing.iter();
        let keys = keys.filter(|warm| warm.key.public().algorithm() == algorithm);
        let used = keys.filter(|warm| warm.from <= at);
        used.max_by_key(|warm| (warm.from, &warm.kid))
            .map(|warm| &*warm.key)
    }

    /// The key that makes refresh tokens at a moment.
    pub fn secret(&self, at: LogTime) -> Option<&SecretKey> {
        let used = self.secrets.iter().filter(|warm| warm.from <= at);
        used.max_by_key(|warm| (warm.from, &warm.kid))
            .map(|warm| &*warm.key)
    }

    /// All keys that make refresh tokens, or did.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretKey> {
        self.secrets.iter().map(|warm| &*warm.key)
    }

    /// Whether there is a key of this kind that is used at a moment.
    pub fn has(&self, kind: KeyKind, at: LogTime) -> bool {
        match algorithm(kind) {
            Some(algorithm) => self.signing(algorithm, at).is_some(),
            None => self.secret(at).is_some(),
        }
    }

    /// What a refresh token says, if it was made here.
    pub fn read(&self, token: &str) -> Option<Refreshable> {
        secret::read(self.secrets(), token)
    }

    /// The public key of this name.
    pub fn verifying(&self, kid: &str) -> Option<&VerifyingKey> {
        let mut shown = self.shown.iter();
        let found = shown.find(|(jwk, ..)| jwk.kid.as_deref() == Some(kid));
        found.map(|(_, key, _)| key)
    }

    /// The public keys, for whoever verifies.
    pub fn set(&self) -> JwkSet {
        JwkSet {
            keys: self.shown.iter().map(|(jwk, ..)| jwk.clone()).collect(),
        }
    }

    /// The algorithms for which there is a key.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let has = |algorithm: &Algorithm| {
            self.shown
                .iter()
                .any(|(jwk, ..)| jwk.alg == Some(*algorithm))
        };
        Algorithm::ALL.into_iter().filter(has).collect()
    }
}

impl Provider {
    /// The keys, a few seconds old at most.
    pub(crate) async fn keys(&self) -> Result<Arc<Keys>, ReadError> {
        let keys = self.shared.keys.read().clone();
        let now = self.now();
        match keys.read {
            Some(read) if now.since(read) < STALE && now >= read => Ok(keys),
            _ => self.reread_keys().await,
        }
    }

    /// The public key of this name. One that is not known may have been made a moment ago.
    pub(crate) async fn verifying(&self, kid: &str) -> Result<Option<VerifyingKey>, ReadError> {
        let keys = self.keys().await?;
        let fresh = |keys: &Keys| keys.read.is_some_and(|read| self.now().since(read) < FRESH);
        match keys.verifying(kid) {
            Some(key) => Ok(Some(key.clone())),
            None if fresh(&keys) => Ok(None),
            None => Ok(self.reread_keys().await?.verifying(kid).cloned()),
        }
    }

    /// The keys as they are now.
    pub(crate) async fn reread_keys(&self) -> Result<Arc<Keys>, ReadError> {
        let rows = self.accounts.read(query::keys).await?;
        let before = self.shared.keys.read().clone();
        let keys = Keys::open(rows, &self.shared.vault, &before, self.now());
        let keys = Arc::new(keys);
        *self.shared.keys.write() = keys.clone();
        Ok(keys)
    }
}
