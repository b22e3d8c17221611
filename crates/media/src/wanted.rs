//! Blobs that somebody missed.

use crate::blob::BlobId;
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// How many may wait. A pass over everything finds what is not among them.
const WAITING: usize = 1024;

/// Blobs that were found missing or damaged by who read them, for the repair to look at at once.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    waiting: Mutex<VecDeque<BlobId>>,
    came: Notify,
}

impl Wanted {
    pub(crate) fn add(&self, id: BlobId) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING && !waiting.contains(&id) {
            waiting.push_back(id);
            self.came.notify_one();
        }
    }

    /// The next one, as soon as there is one.
    pub(crate) async fn next(&self) -> BlobId {
        loop {
            let came = self.came.notified();
            if let Some(id) = self.waiting.lock().pop_front() {
                return id;
            }
            came.await;
        }
    }
}
