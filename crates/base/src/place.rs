//! Where something stands in a log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of an entry in its log, from 1; 0 stands before the first.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Seq(pub u64);

impl Seq {
    /// The place before the first entry.
    pub const ZERO: Self = Self(0);

    /// The sequence after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One part of a domain's state with a log of its own. Today every domain has partition 0 alone.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Partition(pub u16);

/// A place within an entry: every change that applying the entry makes can be given one, in order. As
/// one number it is `sequence × 2^20 + index`, which is the same in every replica and fits SQLite's
/// integers for 2^43 entries.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(i64);

impl Position {
    /// Before everything.
    pub const ZERO: Self = Self(0);
    const INDEX_BITS: u32 = 20;
    /// The highest index within one entry.
    pub const MAX_INDEX: u32 = (1 << Self::INDEX_BITS) - 1;

    /// The place `index` within entry `seq`. An index over [`Self::MAX_INDEX`] stays at it.
    #[must_use]
    pub const fn new(seq: Seq, index: u32) -> Self {
        let index = if index > Self::MAX_INDEX {
            Self::MAX_INDEX
        } else {
            index
        };
        Self(((seq.0 as i64) << Self::INDEX_BITS) | index as i64)
    }

    /// The place after everything in entry `seq`.
    #[must_use]
    pub const fn end_of(seq: Seq) -> Self {
        Self::new(seq, Self::MAX_INDEX)
    }

    /// The entry this place is in.
    #[must_use]
    pub const fn seq(self) -> Seq {
        Seq((self.0 >> Self::INDEX_BITS) as u64)
    }

    /// As one number, never negative.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// From [`Self::as_i64`]'s number; `None` when it is negative.
    #[must_use]
    pub const fn from_i64(number: i64) -> Option<Self> {
        if number < 0 { None } else { Some(Self(number)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_order_by_entry_then_index() {
        let early = Position::new(Seq(1), Position::MAX_INDEX);
        let late = Position::new(Seq(2), 0);
        assert!(early < late);
        assert_eq!(late.seq(), Seq(2));
        assert_eq!(Position::end_of(Seq(1)), early);
        assert_eq!(Position::from_i64(late.as_i64()), Some(late));
        assert_eq!(Position::from_i64(-1), None);
    }
}
