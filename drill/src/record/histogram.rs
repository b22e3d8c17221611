//! How long things took, in memory that does not grow.

use super::millis;
use std::time::Duration;

/// Steps of a bit more than a tenth, from 1 ms to some minutes.
const STEPS: usize = 128;

/// How often which time was taken, with an error of a twentieth.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: [u64; STEPS],
    total: u64,
    longest_ms: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; STEPS],
            total: 0,
            longest_ms: 0,
        }
    }
}

impl Histogram {
    /// Something took this long.
    pub fn add(&mut self, took: Duration) {
        let ms = took.as_secs_f64() * 1000.0;
        let step = (ms.max(0.1) * 10.0).ln() / STEP.ln();
        let step = (step as usize).min(STEPS - 1);
        self.counts[step] += 1;
        self.total += 1;
        self.longest_ms = self.longest_ms.max(millis(took));
    }

    /// The time within which `share` of all stayed, in milliseconds; 0 if there was nothing.
    pub fn within(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut sum = 0;
        for (step, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= wanted && sum > 0 {
                return STEP.powi(i32::try_from(step).unwrap_or(i32::MAX)) * STEP.sqrt() / 10.0;
            }
        }
        0.0
    }

    /// The longest, in milliseconds.
    pub fn longest_ms(&self) -> u64 {
        self.longest_ms
    }
}

const STEP: f64 = 1.12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_right_within_a_twentieth() {
        let mut all = Histogram::default();
        assert_eq!(all.within(0.5), 0.0);
        for ms in 1..=1000 {
            all.add(Duration::from_millis(ms));
        }
        for (share, wanted) in [(0.5, 500.0), (0.99, 990.0), (0.1, 100.0)] {
            let found = all.within(share);
            assert!((found / wanted - 1.0).abs() < 0.08, "{share}: {found}");
        }
        assert_eq!(all.longest_ms(), 1000);
    }
}
