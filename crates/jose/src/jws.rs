//! Tokens: a header, claims and a signature in the compact form (RFC 7515, section 7.1).

use crate::{Algorithm, JoseError, PublicJwk, VerifyingKey};
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest token that is taken, in bytes.
pub(crate) const MAX_TOKEN: usize = 16 << 10;

/// A token's header, as far as it is heeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The algorithm.
    pub alg: Algorithm,
    /// The kind of token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// The name of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The key itself, where the token brings it along to show that its sender has it (RFC 9449).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<PublicJwk>,
}

/// What may stand in a header and is not heeded but for being there.
#[derive(Deserialize)]
struct Demands {
    crit: Option<serde::de::IgnoredAny>,
    jwk: Option<PrivateMember>,
}

#[derive(Deserialize)]
struct PrivateMember {
    d: Option<serde::de::IgnoredAny>,
}

/// A token whose signature was not checked.
#[derive(Debug)]
pub struct Signed<'a> {
    header: Header,
    message: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The claims of a token whose signature is right.
#[derive(Debug)]
pub struct Trusted(Vec<u8>);

impl<'a> Signed<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is not a token, or of none of the algorithms.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > MAX_TOKEN {
            return Err(JoseError::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(JoseError::Form)?;
        let (header, payload) = message.split_once('.').ok_or(JoseError::Form)?;
        let decode = |part: &str| {
            BASE64URL_NOPAD
                .decode(part.as_bytes())
                .map_err(|_| JoseError::Form)
        };
        let head = decode(header)?;
        let demands: Demands = serde_json::from_slice(&head).map_err(|_| JoseError::Form)?;
        if demands.crit.is_some() {
            return Err(JoseError::Critical);
        }
        if demands.jwk.is_some_and(|jwk| jwk.d.is_some()) {
            return Err(JoseError::Key);
        }
        Ok(Self {
            header: serde_json::from_slice(&head).map_err(|_| JoseError::Algorithm)?,
            message,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// Its header, which nobody vouches for yet.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// When it is not that of `key`, or the header names another algorithm than the key has.
    pub fn verify(self, key: &VerifyingKey) -> Result<Trusted, JoseError> {
        if self.header.alg != key.algorithm() {
            return Err(JoseError::Algorithm);
        }
        key.verify(self.message.as_bytes(), &self.signature)?;
        Ok(Trusted(self.payload))
    }

    /// What it claims, which nobody vouches for: to find the key by whose owner it says it is from.
    ///
    /// # Errors
    /// When the claims are not of this form.
    pub fn unverified<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        serde_json::from_slice(&self.payload).map_err(|_| JoseError::Claims)
    }
}

impl Trusted {
    /// The claims.
    ///
    /// # Errors
    /// When they are not of this form.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        serde_json::from_slice(&self.0).map_err(|_| JoseError::Claims)
    }
}
