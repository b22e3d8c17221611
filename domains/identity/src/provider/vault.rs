//! The key-encryption key, under which the provider's keys stand in the log (ADR 10).

use crate::command::oauth::{SealId, Sealed};
use data_encoding::HEXLOWER;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;

/// Key-encryption keys: the first seals, each opens what it sealed.
#[derive(Clone)]
pub struct Vault(Arc<[(SealId, LessSafeKey, [u8; 32])]>);

/// Why there is no vault, or it does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text holds no key, or something else beside keys.
    #[error(
        "expected lines of 64 lower-case hexadecimal digits, the newest key first; lines with `#` are comments"
    )]
    Form,
    /// It was sealed under a key that is not here.
    #[error("it is sealed under a key-encryption key that is not here")]
    OtherKey,
    /// It was altered, or is another secret than it is taken for.
    #[error("it is damaged")]
    Damaged,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} keys)", self.0.len())
    }
}

impl Vault {
    /// The vault with the keys in `text`.
    ///
    /// # Errors
    /// When it holds none, or anything else.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(|line| {
            let bytes = HEXLOWER.decode(line.as_bytes());
            let bytes = bytes.map_err(|_| VaultError::Form)?;
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::Form)?;
            Ok(Self::key(&bytes))
        });
        let keys: Vec<_> = keys.collect::<Result<_, VaultError>>()?;
        if keys.is_empty() {
            return Err(VaultError::Form);
        }
        Ok(Self(keys.into()))
    }

    /// What a file holds with the new key `bytes`.
    #[must_use]
    pub fn file(bytes: &[u8; 32]) -> String {
        format!(
            "# Seals the keys of sign-in. Every data centre needs the same; keep a copy apart from backups.\n{}\n",
            HEXLOWER.encode(bytes)
        )
    }

    fn key(bytes: &[u8; 32]) -> (SealId, LessSafeKey, [u8; 32]) {
        let name = blake3::derive_key("bongsu 2026-11 name of a key-encryption key", bytes);
        let mut id = [0; 8];
        id.copy_from_slice(&name[..8]);
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, bytes).expect("32 bytes are a key");
        let other = blake3::derive_key("bongsu 2026-11 secret beside a key-encryption key", bytes);
        (SealId(id), LessSafeKey::new(unbound), other)
    }

    /// Which key seals now.
    #[must_use]
    pub fn current(&self) -> SealId {
        self.0[0].0
    }

    /// A secret for `purpose`, the same in every data centre. It is made of the oldest key, so that a new one changes
    /// nothing while the old is there.
    #[must_use]
    pub fn secret(&self, purpose: &str) -> [u8; 32] {
        let (.., oldest) = self.0.last().expect("a vault has a key");
        *blake3::keyed_hash(oldest, purpose.as_bytes()).as_bytes()
    }

    /// Secrets for `purpose`, the same in every data centre: one of each key by its name, the newest first.
    #[must_use]
    pub fn secrets(&self, purpose: &str) -> Vec<([u8; 8], [u8; 32])> {
        let of = |key| *blake3::keyed_hash(key, purpose.as_bytes()).as_bytes();
        let all = self.0.iter().map(|(id, _, key)| (id.0, of(key)));
        all.collect()
    }

    /// Seals `secret`, which is what `purpose` says. The nonce is random and never used twice.
    #[must_use]
    pub fn seal(&self, purpose: &str, secret: &[u8], nonce: [u8; NONCE_LEN]) -> Sealed {
        let (with, key, _) = &self.0[0];
        let mut bytes = secret.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .expect("a secret is far shorter than 256 GiB");
        Sealed {
            with: *with,
            bytes: [&nonce, &*bytes].concat(),
        }
    }

    /// Opens what was sealed for `purpose`.
    ///
    /// # Errors
    /// When it was sealed under another key or for another purpose, or was altered.
    pub fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>, VaultError> {
        let found = self.0.iter().find(|(id, ..)| *id == sealed.with);
        let (_, key, _) = found.ok_or(VaultError::OtherKey)?;
        let parts = sealed.bytes.split_first_chunk::<NONCE_LEN>();
        let (nonce, rest) = parts.ok_or(VaultError::Damaged)?;
        let mut bytes = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut bytes);
        opened
            .map(|secret| secret.to_vec())
            .map_err(|_| VaultError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_for_its_own_purpose_alone() {
        let old = Vault::parse(&Vault::file(&[1; 32])).unwrap();
        let sealed = old.seal("EdDsa a", b"secret", [9; 12]);
        let both = format!("{}{}", Vault::file(&[2; 32]), Vault::file(&[1; 32]));
        let both = Vault::parse(&both).unwrap();
        let other = Vault::parse(&Vault::file(&[3; 32])).unwrap();
        assert_eq!(old.open("EdDsa a", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(both.open("EdDsa a", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(other.open("EdDsa a", &sealed), Err(VaultError::OtherKey));
        assert_eq!(old.open("EdDsa b", &sealed), Err(VaultError::Damaged));
        let mut altered = sealed.clone();
        altered.bytes[13] ^= 1;
        assert_eq!(old.open("EdDsa a", &altered), Err(VaultError::Damaged));
        altered.bytes.truncate(5);
        assert_eq!(old.open("EdDsa a", &altered), Err(VaultError::Damaged));
        assert_eq!(
            both.current(),
            Vault::parse(&Vault::file(&[2; 32])).unwrap().current()
        );
        assert_ne!(both.current(), old.current());
    }

    #[test]
    fn a_secret_stays_while_the_oldest_key_does() {
        let old = Vault::parse(&Vault::file(&[1; 32])).unwrap();
        let both = format!("{}{}", Vault::file(&[2; 32]), Vault::file(&[1; 32]));
        let both = Vault::parse(&both).unwrap();
        let other = Vault::parse(&Vault::file(&[2; 32])).unwrap();
        assert_eq!(both.secret("a"), old.secret("a"));
        assert_ne!(both.secret("a"), both.secret("b"));
        assert_ne!(both.secret("a"), other.secret("a"));
        assert_eq!(both.secrets("a")[1], old.secrets("a")[0]);
        assert_eq!(both.secrets("a")[0].0, both.current().0);
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        for text in ["", "# nothing", "abc", &"AB".repeat(32), &"ab".repeat(31)] {
            assert_eq!(
                Vault::parse(text).map(|_| ()),
                Err(VaultError::Form),
                "{text}"
            );
        }
    }
}
