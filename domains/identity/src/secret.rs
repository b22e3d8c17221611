//! Secrets, and what may be kept of them. None of these types shows what it holds.

use bongsu_lane::Lane;
use bongsu_web_kit::GUEST_TOKEN;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every token of this platform but a guest's begins with, so that one that leaks can be recognised.
const PREFIX: &str = "bgs_";

/// A token's text: 256 random bits. It goes to the client and is kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new token from the lane's source of random bytes.
    #[must_use]
    pub fn fresh(lane: &Lane<crate::Identity>) -> Self {
        Self::from_random(lane.random())
    }

    /// The token that these random bytes make.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// A new token for a guest, which says so.
    #[must_use]
    pub fn for_guest(lane: &Lane<crate::Identity>) -> Self {
        let random: [u8; 32] = lane.random();
        Self(format!("{GUEST_TOKEN}{}", BASE64URL_NOPAD.encode(&random)))
    }

    /// The text, for the client alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The BLAKE3 hash of a token. A token has 256 random bits, so that a fast hash is enough.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of the token with this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(blake3::derive_key("bongsu 2026-11 token", text.as_bytes()))
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// An argon2id hash as a PHC string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash with this PHC string.
    #[must_use]
    pub const fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_what_it_holds() {
        let token = Token::from_random([7; 32]);
        assert!(token.reveal().starts_with("bgs_BwcH"), "{}", token.reveal());
        assert_eq!(token.reveal().len(), 4 + 43);
        let phc = PasswordHash::from_phc("$argon2id$secret".into());
        let shown = format!("{token:?} {:?} {phc:?}", token.hash());
        assert_eq!(shown, "Token(..) TokenHash(..) PasswordHash(..)");
    }
}
