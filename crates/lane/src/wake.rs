//! Wake-ups for those who wait until something changes.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// What one may wait for: a room, a person, anything that a domain names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(u64);

impl Topic {
    /// The topic of this `kind` and `key`. Two of them may share a topic by chance: a waiter that is
    /// woken looks whether it has anything to do.
    #[must_use]
    pub fn of(kind: &str, key: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes());
        hasher.update(&[0]);
        hasher.update(key.as_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        Self(u64::from_le_bytes(bytes))
    }
}

/// Who waits for which topics.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    waiters: Arc<Mutex<HashMap<Topic, Vec<Arc<Notify>>>>>,
}

impl Wake {
    /// Begins to listen. Look at the state after this call and before [`Waiter::woken`], so that no
    /// change falls between.
    #[must_use]
    pub fn listen(&self, topics: &[Topic]) -> Waiter {
        let notify = Arc::new(Notify::new());
        let mut topics = topics.to_vec();
        topics.sort_unstable();
        topics.dedup();
        let mut waiters = self.waiters.lock();
        for topic in &topics {
            waiters.entry(*topic).or_default().push(notify.clone());
        }
        drop(waiters);
        Waiter {
            wake: self.clone(),
            notify,
            topics,
        }
    }

    /// Wakes those who wait for any of `topics`.
    pub fn publish(&self, topics: &[Topic]) {
        let waiters = self.waiters.lock();
        for topic in topics {
            for waiter in waiters.get(topic).into_iter().flatten() {
                waiter.notify_one();
            }
        }
    }
}

/// One who listens; dropping it ends that.
#[derive(Debug)]
pub struct Waiter {
    wake: Wake,
    notify: Arc<Notify>,
    topics: Vec<Topic>,
}

impl Waiter {
    /// Returns once a topic was published since the last call, or since listening began.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.wake.waiters.lock();
        for topic in &self.topics {
            if let Some(list) = waiters.get_mut(topic) {
                list.retain(|other| !Arc::ptr_eq(other, &self.notify));
                if list.is_empty() {
                    waiters.remove(topic);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_between_listening_and_waiting_is_not_lost() {
        let wake = Wake::default();
        let room = Topic::of("room", "!a");
        let waiter = wake.listen(&[room, room, Topic::of("user", "@m")]);
        wake.publish(&[Topic::of("room", "!b")]);
        wake.publish(&[room]);
        waiter.woken().await;
        drop(waiter);
        assert!(
            wake.waiters.lock().is_empty(),
            "a waiter that is gone leaves nothing behind"
        );
    }
}
