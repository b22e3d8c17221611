//! Going no faster than allowed.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How much may have gathered for later while nothing moved, as time.
const BURST: Duration = Duration::from_millis(250);

/// A number of bytes a second that all who hold a clone share.
#[derive(Debug, Clone)]
pub struct Pace {
    bytes_a_second: u64,
    /// The moment at which everything taken so far will have been paid for.
    paid: Arc<Mutex<Option<Instant>>>,
}

impl Pace {
    /// At most this many bytes a second; at least one.
    #[must_use]
    pub fn new(bytes_a_second: u64) -> Self {
        Self {
            bytes_a_second: bytes_a_second.max(1),
            paid: Arc::default(),
        }
    }

    /// Waits until `bytes` more may move. Whoever takes them owes them to all: the next one waits longer.
    pub async fn take(&self, bytes: usize) {
        let now = Instant::now();
        let due = {
            let mut paid = self.paid.lock();
            let from = paid.map_or(now, |paid| paid.max(now.checked_sub(BURST).unwrap_or(now)));
            *paid = Some(from + self.worth(bytes));
            from
        };
        if due > now {
            sleep_until(due).await;
        }
    }

    fn worth(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_a_second as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_who_share_a_pace_go_no_faster_together() {
        let pace = Pace::new(1000);
        let begun = Instant::now();
        let many = (0..10).map(|_| {
            let pace = pace.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    pace.take(100).await;
                }
            })
        });
        for one in many.collect::<Vec<_>>() {
            one.await.expect("it does not panic");
        }
        // The last hundred bytes begin when the 9,900 before them are paid for. The clock is paused.
        assert_eq!((Instant::now() - begun).as_millis() / 10, 990);
    }

    #[tokio::test(start_paused = true)]
    async fn little_gathers_while_nothing_moves() {
        let pace = Pace::new(1000);
        pace.take(1).await;
        tokio::time::advance(Duration::from_secs(3600)).await;
        let begun = Instant::now();
        for _ in 0..3 {
            pace.take(1000).await;
        }
        assert!(Instant::now() - begun >= Duration::from_millis(1750));
    }
}
