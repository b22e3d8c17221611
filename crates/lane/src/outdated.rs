//! How long what was read from a view may be remembered.

use crate::wake::Topic;
use bongsu_base::Seq;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many topics are told apart. Two that share a place outdate what is remembered of each other.
const PLACES: usize = 4_096;

/// The last entry that outdated what may be remembered of each topic.
#[derive(Debug)]
pub(crate) struct Outdated(Box<[AtomicU64]>);

impl Default for Outdated {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Outdated {
    fn place(&self, topic: Topic) -> &AtomicU64 {
        &self.0[topic.number() as usize % PLACES]
    }

    /// Notes that entries up to `seq` outdated what was known of these.
    pub fn note(&self, topics: &[Topic], seq: Seq) {
        for topic in topics {
            self.place(*topic).fetch_max(seq.0, Ordering::AcqRel);
        }
    }

    /// The last entry that outdated what was known of `topic`, or a later one.
    pub fn of(&self, topic: Topic) -> Seq {
        Seq(self.place(topic).load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outdated_stays_so() {
        let outdated = Outdated::default();
        let (room, other) = (Topic::of("rules", "!a"), Topic::of("rules", "!b"));
        assert_eq!(outdated.of(room), Seq::ZERO);
        outdated.note(&[room], Seq(7));
        outdated.note(&[room], Seq(5));
        assert_eq!((outdated.of(room), outdated.of(other)), (Seq(7), Seq::ZERO));
    }
}
