//! Checking signatures.

use crate::jwk::member;
use crate::{Algorithm, JoseError, PublicJwk};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// A public key, ready to check signatures.
#[derive(Debug, Clone)]
pub struct VerifyingKey(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Ed(ed25519_dalek::VerifyingKey),
    Ec(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

impl VerifyingKey {
    /// The key that `jwk` describes.
    ///
    /// # Errors
    /// When it is malformed or too short.
    pub fn new(jwk: &PublicJwk) -> Result<Self, JoseError> {
        Ok(Self(match jwk {
            PublicJwk::Okp { x, .. } => {
                let point = member(x)?;
                let point = point.as_slice().try_into().map_err(|_| JoseError::Key)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(point);
                Kind::Ed(key.map_err(|_| JoseError::Key)?)
            }
            PublicJwk::Ec { x, y, .. } => {
                let (x, y) = (member(x)?, member(y)?);
                if x.len() != 32 || y.len() != 32 {
                    return Err(JoseError::Key);
                }
                // SEC 1, section 2.3.3: an uncompressed point.
                let point = [&[4], &*x, &*y].concat();
                Kind::Ec(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
            }
            PublicJwk::Rsa { n, e } => {
                let (n, e) = (member(n)?, member(e)?);
                if !(256..=1024).contains(&n.len()) || e.len() > 4 {
                    return Err(JoseError::Key);
                }
                Kind::Rsa(RsaPublicKeyComponents { n, e })
            }
        }))
    }

    /// The algorithm of its signatures.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Ed(_) => Algorithm::EdDsa,
            Kind::Ec(_) => Algorithm::Es256,
            Kind::Rsa(_) => Algorithm::Rs256,
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        let good = match &self.0 {
            // Strict: no point of a small order passes, which would make one signature good for every message.
            Kind::Ed(key) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature))
                .is_ok(),
            Kind::Ec(key) => key.verify(message, signature).is_ok(),
            Kind::Rsa(key) => key
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        };
        good.then_some(()).ok_or(JoseError::Signature)
    }
}
