//! What was found out about blobs lately.

use crate::blob::BlobId;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How many are remembered.
const REMEMBERED: usize = 8192;

/// Blobs of which something was found out while this process ran, and when; as many as are remembered.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: BTreeMap<BlobId, Instant>,
    /// In the order in which they came; one that was forgotten may still stand here.
    order: VecDeque<BlobId>,
}

impl Known {
    /// Whether it was found out, not longer ago than `within`.
    pub(crate) fn has(&self, id: BlobId, within: Duration) -> bool {
        let all = self.0.lock();
        all.known.get(&id).is_some_and(|at| at.elapsed() < within)
    }

    pub(crate) fn remember(&self, id: BlobId) {
        let mut all = self.0.lock();
        if all.known.insert(id, Instant::now()).is_some() {
            return;
        }
        all.order.push_back(id);
        if all.order.len() > REMEMBERED
            && let Some(oldest) = all.order.pop_front()
        {
            all.known.remove(&oldest);
        }
    }

    pub(crate) fn forget(&self, id: BlobId) {
        self.0.lock().known.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_is_forgotten_first_and_all_of_it_in_time() {
        let id = |n: usize| BlobId::of(&n.to_le_bytes());
        let known = Known::default();
        let has = |n| known.has(id(n), Duration::from_secs(60));
        for n in 0..=REMEMBERED {
            known.remember(id(n));
        }
        assert_eq!([0, 1, REMEMBERED].map(has), [false, true, true]);
        known.forget(id(1));
        assert!(!has(1));
        assert!(known.0.lock().order.len() <= REMEMBERED);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!has(REMEMBERED));
        known.remember(id(REMEMBERED));
        assert!(has(REMEMBERED));
    }
}
