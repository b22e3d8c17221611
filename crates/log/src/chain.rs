//! The checksum chain over a log's entries.

use crate::Entry;
use bongsu_base::{LogTime, Seq};
use std::fmt;

/// One link of the chain: the first 16 bytes of a BLAKE3 hash over the link before, the entry's
/// sequence, time and body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link([u8; 16]);

impl Link {
    /// The link before the first entry of a log.
    pub const ORIGIN: Self = Self([0; 16]);

    /// The link with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The link's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The chain up to some entry. It is what a writer extends and a reader compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The last entry it covers.
    pub seq: Seq,
    /// The link at that entry.
    pub link: Link,
}

impl Chain {
    /// The chain of an empty log.
    pub const EMPTY: Self = Self {
        seq: Seq::ZERO,
        link: Link::ORIGIN,
    };

    /// The chain after one more entry.
    #[must_use]
    pub fn extend(self, time: LogTime, body: &[u8]) -> Self {
        let seq = self.seq.next();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.link.0);
        hasher.update(&seq.0.to_le_bytes());
        hasher.update(&time.0.to_le_bytes());
        hasher.update(body);
        let mut link = [0; 16];
        hasher.finalize_xof().fill(&mut link);
        Self {
            seq,
            link: Link(link),
        }
    }
}

/// The chain at some entry together with that entry's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The chain up to the entry.
    pub chain: Chain,
    /// The entry's time.
    pub time: LogTime,
}

impl Mark {
    /// Before the first entry of a log.
    pub const EMPTY: Self = Self {
        chain: Chain::EMPTY,
        time: LogTime(i64::MIN),
    };

    /// The entry.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.chain.seq
    }

    /// The mark after one more entry, at `clock` or at the time of the entry before it.
    #[must_use]
    pub fn extend(self, clock: LogTime, body: &[u8]) -> Self {
        let time = clock.max(self.time);
        Self {
            chain: self.chain.extend(time, body),
            time,
        }
    }
}

impl From<&Entry> for Mark {
    fn from(entry: &Entry) -> Self {
        Self {
            chain: Chain {
                seq: entry.seq,
                link: entry.link,
            },
            time: entry.time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_depends_on_all_that_came_before() {
        let time = LogTime(5);
        let ab = Chain::EMPTY.extend(time, b"a").extend(time, b"b");
        assert_eq!(ab.seq, Seq(2));
        assert_ne!(ab, Chain::EMPTY.extend(time, b"b").extend(time, b"a"));
        assert_ne!(ab, Chain::EMPTY.extend(LogTime(6), b"a").extend(time, b"b"));
    }
}
