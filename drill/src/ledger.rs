//! What was acknowledged, and what a data centre shows of it. Whatever a protocol calls its things, here they are
//! numbers: a group whose order counts (a room), a key that the asker made (a transaction), and a value that the
//! platform gave (an event's id).

use std::collections::BTreeMap;

/// A number for a text or other bytes; two have the same one only by a chance of 2⁻⁶⁴.
pub fn number(text: impl AsRef<[u8]>) -> u64 {
    let hash = blake3::hash(text.as_ref());
    let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*bytes)
}

/// One acknowledged command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    /// Where it belongs.
    pub group: u32,
    /// What the asker called it.
    pub key: u64,
    /// What the platform said it is.
    pub value: u64,
}

/// What one data centre shows: of each group, the keys and values in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The groups.
    pub groups: BTreeMap<u32, Vec<(u64, u64)>>,
}

/// A token, and whether it has to be good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub token: String,
    /// Whose it is.
    pub user: String,
    /// Whether it was taken back, and that acknowledged.
    pub revoked: bool,
}

/// What a data centre said to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It belongs to this person.
    Owner(String),
    /// It is not good.
    Refused,
    /// Something else; what.
    Else(String),
}
