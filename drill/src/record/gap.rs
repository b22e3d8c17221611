//! The longest time without a sign.

use super::millis;
use std::time::Duration;

/// The longest time between two signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gap {
    last: Option<Duration>,
    longest: Duration,
    begun: Duration,
}

impl Gap {
    /// A sign, this long after the beginning.
    pub fn heard(&mut self, now: Duration) {
        if let Some(last) = self.last {
            let gap = now.saturating_sub(last);
            if gap > self.longest {
                self.longest = gap;
                self.begun = last;
            }
        }
        self.last = Some(now);
    }

    /// Nothing was to be heard for a while.
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// The longest, in milliseconds.
    pub fn longest_ms(&self) -> u64 {
        millis(self.longest)
    }

    /// When it began, in milliseconds.
    pub fn begun_ms(&self) -> u64 {
        millis(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_kept_with_its_beginning() {
        let mut gap = Gap::default();
        assert_eq!(gap.longest_ms(), 0);
        for at in [10, 20, 90, 100] {
            gap.heard(Duration::from_millis(at));
        }
        assert_eq!((gap.longest_ms(), gap.begun_ms()), (70, 20));
        gap.interrupt();
        gap.heard(Duration::from_millis(900));
        assert_eq!(gap.longest_ms(), 70);
    }
}
