//! Wake-ups for those who wait until something changes.

use bongsu_base::Seq;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

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

    /// A number that is the topic's, in no order.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// How many topics a waiter remembers between two looks; of more it knows that there were too many.
const REMEMBERED: usize = 64;

/// How long after a commit its topics may be published: it is a matter of microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who waits for which topics; those who wait for one are sorted by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    waiters: Arc<Mutex<HashMap<Topic, Vec<Listener>>>>,
    last: Arc<AtomicU64>,
    published: Arc<watch::Sender<Seq>>,
}

#[derive(Debug, Clone)]
struct Listener {
    id: u64,
    ear: Arc<Ear>,
}

#[derive(Debug, Default)]
struct Ear {
    notify: Notify,
    told: Mutex<Told>,
}

/// What was published since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The topics, each once.
    pub topics: Vec<Topic>,
    /// Whether there were more than are remembered: any topic may have been among them.
    pub more: bool,
}

impl Ear {
    fn tell(&self, topic: Topic) {
        let mut told = self.told.lock();
        if !told.more && !told.topics.contains(&topic) {
            if told.topics.len() < REMEMBERED {
                told.topics.push(topic);
            } else {
                told.topics = Vec::new();
                told.more = true;
            }
        }
        drop(told);
        self.notify.notify_one();
    }
}

impl Wake {
    /// Begins to listen. Look at the state after this call and before [`Waiter::woken`], so that no
    /// change falls between.
    #[must_use]
    pub fn listen(&self, topics: &[Topic]) -> Waiter {
        let mut waiter = Waiter {
            wake: self.clone(),
            id: self.last.fetch_add(1, Ordering::Relaxed),
            ear: Arc::default(),
            topics: Vec::new(),
        };
        waiter.also(topics);
        waiter
    }

    /// Wakes those who wait for any of `topics`.
    pub fn publish(&self, topics: &[Topic]) {
        let waiters = self.waiters.lock();
        for topic in topics {
            for listener in waiters.get(topic).into_iter().flatten() {
                listener.ear.tell(*topic);
            }
        }
    }
}

impl Wake {
    /// Notes that what the entries up to `seq` changed has been published.
    pub(crate) fn passed(&self, seq: Seq) {
        self.published.send_replace(seq);
    }

    /// Returns once what the entries up to `seq` changed has been published, which a view that contains
    /// them does not mean; or says that it was not within a second.
    pub async fn published(&self, seq: Seq) -> bool {
        let mut published = self.published.subscribe();
        let passed = published.wait_for(|published| *published >= seq);
        matches!(timeout(PATIENCE, passed).await, Ok(Ok(_)))
    }
}

/// One who listens; dropping it ends that.
#[derive(Debug)]
pub struct Waiter {
    wake: Wake,
    id: u64,
    ear: Arc<Ear>,
    topics: Vec<Topic>,
}

impl Waiter {
    /// Listens to these topics, too.
    pub fn also(&mut self, topics: &[Topic]) {
        self.topics.reserve_exact(topics.len());
        let mut waiters = self.wake.waiters.lock();
        for topic in topics {
            let listeners = waiters.entry(*topic).or_default();
            if let Err(place) = listeners.binary_search_by_key(&self.id, |listener| listener.id) {
                let ear = self.ear.clone();
                listeners.insert(place, Listener { id: self.id, ear });
                self.topics.push(*topic);
            }
        }
    }

    /// Returns once a topic was published since the last call, or since listening began.
    pub async fn woken(&self) {
        self.ear.notify.notified().await;
    }

    /// What was published since the last call, or since listening began. A view may contain what is
    /// published only after that: see [`Wake::published`].
    #[must_use]
    pub fn told(&self) -> Told {
        std::mem::take(&mut *self.ear.told.lock())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.wake.waiters.lock();
        for topic in &self.topics {
            if let Some(listeners) = waiters.get_mut(topic) {
                if let Ok(place) = listeners.binary_search_by_key(&self.id, |listener| listener.id)
                {
                    listeners.remove(place);
                }
                if listeners.is_empty() {
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

    #[test]
    fn a_waiter_knows_what_it_was_woken_for() {
        let wake = Wake::default();
        let rooms: Vec<Topic> = (0..=REMEMBERED)
            .map(|n| Topic::of("room", &n.to_string()))
            .collect();
        let mut one = wake.listen(&rooms[..2]);
        let other = wake.listen(&rooms);
        wake.publish(&[rooms[1], rooms[2]]);
        wake.publish(&[rooms[1]]);
        let told = |topics: &[Topic]| Told {
            topics: topics.to_vec(),
            more: false,
        };
        assert_eq!(one.told(), told(&rooms[1..2]));
        assert_eq!(one.told(), told(&[]), "each once");
        one.also(&rooms[2..3]);
        wake.publish(&rooms[2..3]);
        assert_eq!(one.told(), told(&rooms[2..3]));
        assert_eq!(other.told(), told(&rooms[1..3]));
        wake.publish(&rooms);
        assert!(other.told().more);
        assert_eq!(other.told(), told(&[]));
    }
}
