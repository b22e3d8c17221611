//! What was found out about blobs lately.

use crate::blob::BlobId;
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};

/// How many are remembered.
const REMEMBERED: usize = 8192;

/// Blobs of which something was found out while this process ran; as many as are remembered.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: BTreeSet<BlobId>,
    /// In the order in which they came; one that was forgotten may still stand here.
    order: VecDeque<BlobId>,
}

impl Known {
    pub(crate) fn has(&self, id: BlobId) -> bool {
        self.0.lock().known.contains(&id)
    }

    pub(crate) fn remember(&self, id: BlobId) {
        let mut all = self.0.lock();
        if !all.known.insert(id) {
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

    #[test]
    fn the_oldest_is_forgotten_first() {
        let id = |n: usize| BlobId::of(&n.to_le_bytes());
        let known = Known::default();
        for n in 0..=REMEMBERED {
            known.remember(id(n));
        }
        assert!(!known.has(id(0)));
        assert!(known.has(id(1)));
        assert!(known.has(id(REMEMBERED)));
        known.forget(id(1));
        assert!(!known.has(id(1)));
        assert!(known.0.lock().order.len() <= REMEMBERED);
    }
}
