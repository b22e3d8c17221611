//! JSON Web Signatures, keys and thumbprints (RFC 7515, 7517, 7518, 7638, 8037), as far as sign-in needs them.
//!
//! It promises that a key has one algorithm, that a token whose header names another is refused before
//! anything is computed (RFC 8725, section 3.1), and that the claims of a token can be read as such only after its
//! signature was found to be right. It reads no clock: what claims mean is the caller's business. Symmetric
//! algorithms, `none` and keys fetched from where a header says do not exist here.

mod algorithm;
mod jwk;
mod jws;
mod make;
mod sign;
mod verify;

pub use algorithm::Algorithm;
pub use jwk::{Jwk, JwkSet, KeyUse, PublicJwk};
pub use jws::{Header, Signed, Trusted};
pub use make::make;
pub use sign::SigningKey;
pub use verify::VerifyingKey;

/// Why a key or a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// It is not a JSON Web Signature in the compact form.
    #[error("it is not a signed token")]
    Form,
    /// It is longer than any token that is taken.
    #[error("the token is longer than {} bytes", jws::MAX_TOKEN)]
    TooLong,
    /// Its header names an algorithm that is not taken, or not the key's.
    #[error("the token is not signed with the algorithm that its key has")]
    Algorithm,
    /// Its header demands an extension.
    #[error("the token's header demands an extension that is not known here")]
    Critical,
    /// The signature is not that of the key.
    #[error("the token's signature is wrong")]
    Signature,
    /// The claims are not those that this kind of token has.
    #[error("the token's claims are not as they should be")]
    Claims,
    /// The key is malformed, too weak, or not for this algorithm.
    #[error("the key cannot be used: expected Ed25519, P-256, or RSA with 2048 to 8192 bits")]
    Key,
}
