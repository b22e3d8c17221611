//! Making signatures with keys that are warm: parsed once.

use crate::jwk::{EcCurve, OkpCurve};
use crate::make::RsaParts;
use crate::{Algorithm, Header, JoseError, PublicJwk};
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::Signer;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde::Serialize;
use std::fmt;

/// A private key, ready to sign.
pub struct SigningKey {
    kid: String,
    pair: Pair,
    public: PublicJwk,
    random: SystemRandom,
}

enum Pair {
    Ed(ed25519_dalek::SigningKey),
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ..)", self.kid)
    }
}

impl SigningKey {
    /// The key that [`crate::make`] made, under the name `kid`.
    ///
    /// # Errors
    /// When `secret` is not a key of this algorithm.
    pub fn open(algorithm: Algorithm, kid: &str, secret: &[u8]) -> Result<Self, JoseError> {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let (pair, public) = match algorithm {
            Algorithm::EdDsa => {
                let seed = secret.try_into().map_err(|_| JoseError::Key)?;
                let pair = ed25519_dalek::SigningKey::from_bytes(seed);
                let x = text(pair.verifying_key().as_bytes());
                let crv = OkpCurve::Ed25519;
                (Pair::Ed(pair), PublicJwk::Okp { crv, x })
            }
            Algorithm::Es256 => {
                let random = SystemRandom::new();
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret, &random)
                        .map_err(refused)?;
                // An uncompressed point: one byte of 4, and two coordinates.
                let point = pair.public_key().as_ref();
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                let crv = EcCurve::P256;
                (Pair::Ec(pair), PublicJwk::Ec { crv, x, y })
            }
            Algorithm::Rs256 => {
                let parts: RsaParts = serde_json::from_slice(secret).map_err(|_| JoseError::Key)?;
                let public = PublicJwk::Rsa {
                    n: text(&parts.n),
                    e: text(&parts.e),
                };
                (Pair::Rsa(Box::new(rsa_pair(&parts)?)), public)
            }
        };
        Ok(Self {
            kid: kid.to_owned(),
            pair,
            public,
            random: SystemRandom::new(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// A token of the kind `typ` with these claims. Ed25519 and RSA give the same token for the same claims.
    ///
    /// # Errors
    /// When the claims are no JSON, or there is no chance to be had.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let header = Header {
            alg: self.public.algorithm(),
            typ: Some(typ.to_owned()),
            kid: Some(self.kid.clone()),
            jwk: None,
        };
        self.sign_with(&header, claims)
    }

    /// A token with this header, whose algorithm is the key's.
    ///
    /// # Errors
    /// When header or claims are no JSON, or there is no chance to be had.
    pub fn sign_with(&self, header: &Header, claims: &impl Serialize) -> Result<String, JoseError> {
        let json = serde_json::to_vec(header).map_err(|_| JoseError::Form)?;
        let mut token = BASE64URL_NOPAD.encode(&json);
        token.push('.');
        let json = serde_json::to_vec(claims).map_err(|_| JoseError::Claims)?;
        BASE64URL_NOPAD.encode_append(&json, &mut token);
        let signature = self.raw(token.as_bytes())?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        Ok(token)
    }

    fn raw(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        match &self.pair {
            Pair::Ed(pair) => Ok(pair.sign(message).to_bytes().to_vec()),
            Pair::Ec(pair) => {
                let signature = pair.sign(&self.random, message);
                signature
                    .map(|signature| signature.as_ref().to_vec())
                    .map_err(|_| JoseError::Key)
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)
                    .map_err(|_| JoseError::Key)?;
                Ok(signature)
            }
        }
    }
}

fn rsa_pair(parts: &RsaParts) -> Result<RsaKeyPair, JoseError> {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: &parts.n,
            e: &parts.e,
        },
        d: &parts.d,
        p: &parts.p,
        q: &parts.q,
        dP: &parts.dp,
        dQ: &parts.dq,
        qInv: &parts.qinv,
    };
    RsaKeyPair::from_components(&components).map_err(refused)
}

fn refused(_: ring::error::KeyRejected) -> JoseError {
    JoseError::Key
}
