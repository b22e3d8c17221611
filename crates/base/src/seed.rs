//! The randomness that a record carries.

use serde::{Deserialize, Serialize};

/// 32 random bytes made by whoever wrote the record, from which applying it derives everything that
/// must look random. Equal seeds derive equal values in every replica.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed([u8; 32]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What a seed derives may be secret.
        f.write_str("Seed(..)")
    }
}

impl Seed {
    /// The seed with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The value number `index` for `purpose` (BLAKE3 keyed hash, extendable output).
    #[must_use]
    pub fn derive<const N: usize>(&self, purpose: &str, index: u64) -> [u8; N] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&index.to_le_bytes());
        hasher.update(purpose.as_bytes());
        let mut out = [0; N];
        hasher.finalize_xof().fill(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_differ_by_seed_purpose_and_index() {
        let seed = Seed::from_bytes([1; 32]);
        let value: [u8; 16] = seed.derive("event", 0);
        assert_eq!(value, seed.derive("event", 0));
        assert_ne!(value, seed.derive("event", 1));
        assert_ne!(value, seed.derive("room", 0));
        assert_ne!(value, Seed::from_bytes([2; 32]).derive("event", 0));
    }
}
