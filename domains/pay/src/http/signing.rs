//! The secrets that sign what merchants are told. They are made of the installation's own, which every data centre has, and
//! kept nowhere.

use crate::id::{KeyName, Salt};
use bongsu_webhooks::Secret;
use std::fmt;
use std::sync::Arc;

/// Secrets of the installation, the newest first, each by the name of its key.
#[derive(Clone)]
pub struct Signing(Arc<[(KeyName, [u8; 32])]>);

impl Signing {
    /// Signing with secrets of these.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn new(keys: Vec<([u8; 8], [u8; 32])>) -> Self {
        assert!(!keys.is_empty(), "an installation has a key");
        let named = keys.into_iter().map(|(name, key)| (KeyName(name), key));
        Self(named.collect())
    }

    /// Of which key new secrets are made.
    pub(super) fn newest(&self) -> KeyName {
        self.0[0].0
    }

    /// The secret of `merchant` that was made of `salt`, unless its key is not here.
    pub(super) fn secret(&self, merchant: &str, salt: Salt) -> Option<Secret> {
        let (_, key) = self.0.iter().find(|(name, _)| *name == salt.key())?;
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(&salt.0);
        hasher.update(merchant.as_bytes());
        let secret = Secret::new(hasher.finalize().as_bytes());
        Some(secret.expect("32 bytes are a secret"))
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signing({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_makes_new_secrets_and_leaves_those_of_the_old_as_they_are() {
        let old = Signing::new(vec![([1; 8], [1; 32])]);
        let both = Signing::new(vec![([2; 8], [2; 32]), ([1; 8], [1; 32])]);
        let new = Signing::new(vec![([2; 8], [2; 32])]);
        let shown = |signing: &Signing, merchant: &str, salt| {
            let secret = signing.secret(merchant, salt);
            secret.map(|secret| secret.reveal())
        };
        let salt = Salt::new(old.newest(), [7; 16]);
        let first = shown(&old, "shop", salt);
        assert!(first.is_some());
        assert_eq!(shown(&both, "shop", salt), first);
        assert_eq!(shown(&new, "shop", salt), None);
        assert_ne!(shown(&old, "other", salt), first);
        let other = Salt::new(old.newest(), [8; 16]);
        assert_ne!(shown(&old, "shop", other), first);
        let salt = Salt::new(both.newest(), [7; 16]);
        assert_eq!(shown(&both, "shop", salt), shown(&new, "shop", salt));
        assert_eq!(shown(&old, "shop", salt), None);
        assert_eq!(format!("{both:?}"), "Signing(2 keys)");
    }
}
