//! The bounded queue between those who ask and the appender.

use crate::record::Record;
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// How important a request is when not all can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Signing in, paying, riding, and what keeps the platform itself alive.
    Vital,
    /// What people wait for: messages, rooms.
    Normal,
    /// What nobody misses for a minute: read receipts.
    Background,
}

impl Priority {
    const ALL: [Self; 3] = [Self::Vital, Self::Normal, Self::Background];

    /// How much of what `bound` allows may be in use before this priority is refused.
    pub(crate) const fn part_of(self, bound: usize) -> usize {
        let percent = match self {
            Self::Vital => 100,
            Self::Normal => 80,
            Self::Background => 40,
        };
        bound * percent / 100
    }
}

/// A queue of records, the important ones first.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    arrived: Notify,
    bound: usize,
}

#[derive(Debug, Default)]
struct Inner {
    lanes: [VecDeque<Record>; 3],
    len: usize,
}

/// The queue is filled beyond what the priority may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Queue {
    pub fn new(bound: usize) -> Self {
        Self {
            inner: Mutex::default(),
            arrived: Notify::new(),
            bound,
        }
    }

    pub fn push(&self, priority: Priority, record: Record) -> Result<(), Full> {
        let mut inner = self.inner.lock();
        if inner.len >= priority.part_of(self.bound) {
            return Err(Full);
        }
        inner.lanes[priority as usize].push_back(record);
        inner.len += 1;
        drop(inner);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes up to `max` records of together about `max_bytes`, important ones first.
    pub fn take(&self, max: usize, max_bytes: usize) -> Vec<Record> {
        let mut inner = self.inner.lock();
        let mut batch = Vec::new();
        let mut bytes = 0;
        for priority in Priority::ALL {
            while batch.len() < max && bytes < max_bytes {
                let Some(record) = inner.lanes[priority as usize].pop_front() else {
                    break;
                };
                bytes += record.encoded_len();
                batch.push(record);
            }
        }
        inner.len -= batch.len();
        batch
    }

    pub fn len(&self) -> usize {
        self.inner.lock().len
    }

    /// Returns once something may have been pushed since the last call.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Actor, Payload};
    use bongsu_base::{RecordId, Seed};

    fn record(n: u8) -> Record {
        let seed = Seed::from_bytes([0; 32]);
        let payload = Payload::Command(vec![0; 10]);
        Record {
            id: RecordId::from_bytes([n; 16]),
            actor: Actor::Nobody,
            seed,
            payload,
        }
    }

    #[test]
    fn the_important_go_first_and_are_refused_last() {
        let queue = Queue::new(10);
        for n in 0..4 {
            assert_eq!(queue.push(Priority::Background, record(n)), Ok(()));
        }
        assert_eq!(queue.push(Priority::Background, record(9)), Err(Full));
        for n in 4..8 {
            assert_eq!(queue.push(Priority::Normal, record(n)), Ok(()));
        }
        assert_eq!(queue.push(Priority::Normal, record(9)), Err(Full));
        assert_eq!(queue.push(Priority::Vital, record(8)), Ok(()));
        let batch: Vec<u8> = queue
            .take(6, 1 << 20)
            .iter()
            .map(|r| r.id.as_bytes()[0])
            .collect();
        assert_eq!(batch, [8, 4, 5, 6, 7, 0]);
        assert_eq!(
            queue.take(9, 80).len(),
            2,
            "a batch ends once it is over its bytes"
        );
        assert_eq!(queue.len(), 1);
    }
}
