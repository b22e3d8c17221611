//! What media's endpoints share: the thumbnails made last, who makes new ones, and who uploads.

use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore};

/// Thumbnails that are made at the same time. Each holds a source and a decoded picture in memory.
const MAKERS: usize = 2;
/// Requests that may wait for one to be made, or make it.
const WAITING: usize = 64;
/// How much is kept of what was made, in bytes.
const KEPT: usize = 32 << 20;

/// What media's endpoints share. Cloning it gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Gallery {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    uploads: RwLock<()>,
    makers: Arc<Semaphore>,
    waiting: Semaphore,
    made: Mutex<Made>,
}

/// What a thumbnail was made of, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The blob's hash.
    pub blob: String,
    /// What tells it from others of the same blob.
    pub how: String,
}

/// A picture as it is sent.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its type.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Pictures by when they were used last, up to a number of bytes.
#[derive(Debug, Default)]
struct Made {
    pictures: HashMap<Key, (u64, Picture)>,
    used: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

impl Default for Gallery {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                uploads: RwLock::new(()),
                makers: Arc::new(Semaphore::new(MAKERS)),
                waiting: Semaphore::new(WAITING),
                made: Mutex::default(),
            }),
        }
    }
}

impl Gallery {
    /// Held from before an upload's blob is stored until it is known as media.
    pub(super) async fn uploading(&self) -> RwLockReadGuard<'_, ()> {
        self.shared.uploads.read().await
    }

    /// Held while nothing is uploaded, if that is so now.
    pub(super) fn alone(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.shared.uploads.try_write().ok()
    }

    /// The picture, if it was made and is still kept.
    pub(super) fn made(&self, key: &Key) -> Option<Picture> {
        self.shared.made.lock().get(key)
    }

    /// Keeps the picture for the next who asks.
    pub(super) fn keep(&self, key: Key, picture: Picture) {
        self.shared.made.lock().put(key, picture, KEPT);
    }

    /// Waits for its turn to make a picture, unless too many wait already.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = self.shared.waiting.try_acquire().ok()?;
        self.shared.makers.clone().acquire_owned().await.ok()
    }
}

impl Made {
    fn get(&mut self, key: &Key) -> Option<Picture> {
        let (used, picture) = self.pictures.get_mut(key)?;
        self.clock += 1;
        self.used.remove(used);
        *used = self.clock;
        let picture = picture.clone();
        self.used.insert(self.clock, key.clone());
        Some(picture)
    }

    fn put(&mut self, key: Key, picture: Picture, most: usize) {
        if picture.bytes.len() > most || self.get(&key).is_some() {
            return;
        }
        self.clock += 1;
        self.bytes += picture.bytes.len();
        self.used.insert(self.clock, key.clone());
        self.pictures.insert(key, (self.clock, picture));
        while self.bytes > most
            && let Some((_, oldest)) = self.used.pop_first()
        {
            if let Some((_, picture)) = self.pictures.remove(&oldest) {
                self.bytes -= picture.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let key = |name: &str| Key {
            blob: name.to_owned(),
            how: String::new(),
        };
        let picture = |length| Picture {
            kind: "image/png",
            bytes: Bytes::from(vec![0; length]),
        };
        let mut made = Made::default();
        for name in ["a", "b", "c"] {
            made.put(key(name), picture(3), 10);
        }
        assert!(made.get(&key("a")).is_some());
        made.put(key("d"), picture(3), 10);
        let there = ["a", "b", "c", "d"].map(|name| made.get(&key(name)).is_some());
        assert_eq!(there, [true, false, true, true]);
        made.put(key("huge"), picture(11), 10);
        assert!(made.get(&key("huge")).is_none());
        assert_eq!(
            (made.bytes, made.used.len(), made.pictures.len()),
            (9, 3, 3)
        );
    }
}
