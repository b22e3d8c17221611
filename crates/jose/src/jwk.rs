//! Public keys as JSON (RFC 7517).

use crate::{Algorithm, JoseError};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// A public key's own members (RFC 7518, section 6; RFC 8037, section 2). What else a key says is ignored, but
/// for private members, with which it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicJwk {
    /// An Edwards curve.
    #[serde(rename = "OKP")]
    Okp {
        /// `Ed25519`.
        crv: OkpCurve,
        /// The point, in base64url.
        x: String,
    },
    /// An elliptic curve.
    #[serde(rename = "EC")]
    Ec {
        /// `P-256`.
        crv: EcCurve,
        /// The point's first coordinate, in base64url.
        x: String,
        /// The second.
        y: String,
    },
    /// RSA.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus, in base64url.
        n: String,
        /// The exponent, in base64url.
        e: String,
    },
}

/// The Edwards curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OkpCurve {
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// The other curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EcCurve {
    /// P-256 (FIPS 186-4).
    #[serde(rename = "P-256")]
    P256,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// Signatures.
    Sig,
    /// Encryption.
    Enc,
}

/// A public key in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The key.
    #[serde(flatten)]
    pub key: PublicJwk,
    /// Its name in the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Its algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<Algorithm>,
    /// What it is for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<KeyUse>,
}

/// A set of public keys. Keys of kinds that are not known here are left out as it is read (RFC 7517, section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Known {
            Key(Jwk),
            Other(serde::de::IgnoredAny),
        }
        #[derive(Deserialize)]
        struct Raw {
            keys: Vec<Known>,
        }
        let raw = Raw::deserialize(deserializer)?;
        let known = raw.keys.into_iter().filter_map(|key| match key {
            Known::Key(key) => Some(key),
            Known::Other(_) => None,
        });
        Ok(Self {
            keys: known.collect(),
        })
    }
}

impl PublicJwk {
    /// The algorithm that a key of this kind has.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Okp { .. } => Algorithm::EdDsa,
            Self::Ec { .. } => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The key's thumbprint (RFC 7638): SHA-256 over its required members in the order of their names.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        // Coordinates and numbers are base64url, which needs no escaping in JSON.
        let members = match self {
            Self::Okp { x, .. } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Self::Ec { x, y, .. } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        let hash = digest(&SHA256, members.as_bytes());
        hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

/// The bytes of a member in base64url.
pub(crate) fn member(text: &str) -> Result<Vec<u8>, JoseError> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| JoseError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_that_of_the_standards_examples() {
        // RFC 7638, section 3.1, and RFC 8037, appendix A.3.
        let rsa = r#"{"kty":"RSA","alg":"RS256","kid":"2011-04-29","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#;
        let okp =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (json, expect) in [
            (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let jwk: Jwk = serde_json::from_str(json).unwrap();
            assert_eq!(BASE64URL_NOPAD.encode(&jwk.key.thumbprint()), expect);
        }
    }

    #[test]
    fn a_set_keeps_what_is_known() {
        let json = r#"{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"OKP","crv":"X25519","x":"AA"},
            {"kty":"OKP","crv":"Ed25519","x":"AA","kid":"a","use":"sig"}]}"#;
        let set: JwkSet = serde_json::from_str(json).unwrap();
        assert_eq!(set.keys.len(), 1);
        assert_eq!(set.keys[0].kid.as_deref(), Some("a"));
    }
}
