//! Proofs and assertions that were seen here already (RFC 9449, section 11.1; RFC 7523, section 3).

use bongsu_base::LogTime;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashSet};

/// How many are remembered. Beyond that the oldest are forgotten; they are good for a minute.
const REMEMBERED: usize = 200_000;

/// What was seen.
#[derive(Debug, Default)]
pub struct Replays(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<[u8; 16]>,
    by_end: BTreeSet<(LogTime, [u8; 16])>,
}

impl Replays {
    /// Notes that something of `whose` with this id was seen; whether it is the first time.
    pub fn note(&self, whose: &str, id: &str, until: LogTime, now: LogTime) -> bool {
        let mut hasher = blake3::Hasher::new();
        for part in [whose, id] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        let mut seen = self.0.lock();
        while let Some((end, old)) = seen.by_end.first().copied() {
            if end > now && seen.by_end.len() < REMEMBERED {
                break;
            }
            seen.by_end.pop_first();
            seen.ids.remove(&old);
        }
        let first = seen.ids.insert(key);
        if first {
            seen.by_end.insert((until, key));
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_until_it_is_worth_nothing() {
        let replays = Replays::default();
        let at = LogTime;
        assert!(replays.note("a", "1", at(100), at(0)));
        assert!(!replays.note("a", "1", at(100), at(99)));
        assert!(replays.note("b", "1", at(100), at(99)));
        assert!(replays.note("a", "1", at(200), at(100)));
        assert_eq!(replays.0.lock().ids.len(), 1);
    }
}
