//! Which life of a log a position comes from.

use crate::Seq;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// One life of a log. A log that was restored from copies, or moved elsewhere, goes on with the same
/// sequences in the next epoch. The first one is 0.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All epochs of a log so far, and which entry was the last that each took over from the one before it.
/// As text it is `0:0 1:4711`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epochs(Vec<(Epoch, Seq)>);

impl Default for Epochs {
    /// Those of a log that was never restored.
    fn default() -> Self {
        Self(vec![(Epoch(0), Seq::ZERO)])
    }
}

impl Epochs {
    /// Those of a log that was never restored.
    #[must_use]
    pub fn first() -> &'static Self {
        static FIRST: LazyLock<Epochs> = LazyLock::new(Epochs::default);
        &FIRST
    }

    /// The epoch that the log is in.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.0.last().map_or(Epoch(0), |(epoch, _)| *epoch)
    }

    /// The last entry that the current epoch took over from the one before it.
    #[must_use]
    pub fn kept(&self) -> Seq {
        self.0.last().map_or(Seq::ZERO, |(_, kept)| *kept)
    }

    /// The epochs of a log that was made of this one's entries up to `kept`.
    #[must_use]
    pub fn after_restoring(&self, kept: Seq) -> Self {
        let mut epochs = self.0.clone();
        epochs.push((Epoch(self.current().0.saturating_add(1)), kept));
        Self(epochs)
    }

    /// The last entry, up to the one that was at `seq` in `epoch`, that is still there: `seq` itself unless
    /// a later epoch took over less. `None` when this has never heard of that epoch: whoever has is further
    /// ahead.
    #[must_use]
    pub fn keep(&self, epoch: Epoch, seq: Seq) -> Option<Seq> {
        if epoch > self.current() {
            return None;
        }
        let later = self.0.iter().filter(|(later, _)| *later > epoch);
        Some(later.map(|(_, kept)| *kept).fold(seq, Seq::min))
    }
}

impl fmt::Display for Epochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (epoch, kept)) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{epoch}:{kept}")?;
        }
        Ok(())
    }
}

/// Why a text does not say which epochs there were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a list of epochs")]
pub struct EpochsError(String);

impl FromStr for Epochs {
    type Err = EpochsError;

    fn from_str(text: &str) -> Result<Self, EpochsError> {
        let wrong = || EpochsError(text.chars().take(64).collect());
        let parse = |pair: &str| {
            let (epoch, kept) = pair.split_once(':')?;
            Some((Epoch(epoch.parse().ok()?), Seq(kept.parse().ok()?)))
        };
        let epochs: Option<Vec<_>> = text.split(' ').map(parse).collect();
        let epochs = epochs.ok_or_else(wrong)?;
        let rises = epochs.is_sorted_by(|before, after| before.0 < after.0);
        if rises {
            Ok(Self(epochs))
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_stays_good_as_far_as_every_later_epoch_kept_it() {
        let epochs = Epochs::default()
            .after_restoring(Seq(100))
            .after_restoring(Seq(90));
        assert_eq!(epochs.to_string(), "0:0 1:100 2:90");
        assert_eq!(epochs.to_string().parse(), Ok(epochs.clone()));
        assert_eq!(epochs.current(), Epoch(2));
        for (epoch, seq, kept) in [
            (0, 90, Some(90)),
            (0, 91, Some(90)),
            (0, 101, Some(90)),
            (1, 90, Some(90)),
            (1, 95, Some(90)),
            (2, 5_000, Some(5_000)),
            (3, 1, None),
        ] {
            assert_eq!(
                epochs.keep(Epoch(epoch), Seq(seq)),
                kept.map(Seq),
                "{epoch}:{seq}"
            );
        }
    }

    #[test]
    fn only_a_rising_list_is_one() {
        for text in ["", "0", "0:x", "1:0 0:0", "0:0 0:1", "0:0  1:1"] {
            assert!(text.parse::<Epochs>().is_err(), "{text}");
        }
    }
}
