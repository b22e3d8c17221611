//! What payments, merchants and secrets are called.

use bongsu_ledger::TransferId;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A payment, top-up, withdrawal or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PaymentId(pub [u8; 16]);

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an id of the kind that is asked for")]
pub struct NoId;

impl PaymentId {
    /// The ledger's name for one of the payment's movements.
    #[must_use]
    pub fn movement(&self, part: &str, n: u64) -> TransferId {
        let mut hasher = blake3::Hasher::new_derive_key("bongsu 2026-11 movement of a payment");
        hasher.update(&self.0);
        hasher.update(&n.to_le_bytes());
        hasher.update(part.as_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        TransferId(id)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pay_{}", HEXLOWER.encode(&self.0))
    }
}

impl FromStr for PaymentId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        read("pay_", text).map(Self)
    }
}

/// A bill: money that a person asks of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BillId(pub [u8; 16]);

impl fmt::Display for BillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bill_{}", HEXLOWER.encode(&self.0))
    }
}

impl FromStr for BillId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        read("bill_", text).map(Self)
    }
}

/// A subscription: that a person lets a merchant charge them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriptionId(pub [u8; 16]);

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sub_{}", HEXLOWER.encode(&self.0))
    }
}

impl FromStr for SubscriptionId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        read("sub_", text).map(Self)
    }
}

/// The bytes that stand in hexadecimal after `kind`.
fn read(kind: &str, text: &str) -> Result<[u8; 16], NoId> {
    let hex = text.strip_prefix(kind).ok_or(NoId)?;
    let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| NoId)?;
    bytes.try_into().map_err(|_| NoId)
}

/// What a merchant is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// That of what happened as `kind` to what is called `name`, after so much of it was given back.
    #[must_use]
    pub fn of(kind: &str, name: &str, so_far: i64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("bongsu 2026-11 event of a merchant");
        hasher.update(&so_far.to_le_bytes());
        hasher.update(format!("{kind} {name}").as_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", HEXLOWER.encode(&self.0))
    }
}

impl FromStr for EventId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        read("evt_", text).map(Self)
    }
}

/// The name of one of the installation's own keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName(pub [u8; 8]);

/// Of which the secret is made that signs what a merchant is told: the name of the installation's key that it is made of, and
/// random bytes. It tells nothing to those who do not have that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(pub [u8; 24]);

impl Salt {
    /// That of these parts.
    #[must_use]
    pub fn new(key: KeyName, random: [u8; 16]) -> Self {
        let mut all = [0; 24];
        all[..8].copy_from_slice(&key.0);
        all[8..].copy_from_slice(&random);
        Self(all)
    }

    /// The name of the installation's key.
    #[must_use]
    pub fn key(&self) -> KeyName {
        let (name, _) = self.0.split_first_chunk().expect("it has 24 bytes");
        KeyName(*name)
    }
}

/// A merchant: 3 to 32 lower-case letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MerchantId(String);

impl MerchantId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MerchantId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let sound = (3..=32).contains(&text.len()) && text.bytes().all(allowed);
        sound.then(|| Self(text.to_owned())).ok_or(NoId)
    }
}

impl TryFrom<String> for MerchantId {
    type Error = NoId;

    fn try_from(text: String) -> Result<Self, NoId> {
        text.parse()
    }
}

impl From<MerchantId> for String {
    fn from(id: MerchantId) -> Self {
        id.0
    }
}

impl fmt::Display for MerchantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hash of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// That of a secret, under which it is found.
    #[must_use]
    pub fn of_secret(secret: &str) -> Self {
        Self(blake3::derive_key(
            "bongsu 2026-11 hash of a payment secret",
            secret.as_bytes(),
        ))
    }
}
