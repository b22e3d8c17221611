//! Who may send what where, as the view said a moment ago: it is asked with every message, and seldom changes.

use bongsu_base::Seq;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// How much is remembered at most; then it begins anew. 16 bytes each, and as much again for the table.
const MOST: usize = 200_000;

/// Remembers of whom a look said that they may. By a hash: should two of them ever share one, what is let pass is refused
/// when it is applied, where everything is asked again.
#[derive(Debug, Default)]
pub struct Allowed {
    hasher: RandomState,
    /// What the look contained that said so.
    said: Mutex<HashMap<u64, Seq>>,
}

/// A room, somebody, and a type of events.
pub(super) type Asked<'a> = (&'a str, &'a str, &'a str);

impl Allowed {
    /// Whether a look said so that contained the entry `outdated`, after which it was last to be asked again.
    pub(super) fn still(&self, asked: Asked<'_>, outdated: Seq) -> bool {
        let hash = self.hasher.hash_one(asked);
        let said = self.said.lock().get(&hash).copied();
        said.is_some_and(|seq| seq >= outdated)
    }

    /// Notes that a look said so that contained the entry `seq`.
    pub(super) fn note(&self, asked: Asked<'_>, seq: Seq) {
        let hash = self.hasher.hash_one(asked);
        let mut said = self.said.lock();
        if said.len() >= MOST {
            said.clear();
        }
        let newest = said.entry(hash).or_insert(seq);
        *newest = seq.max(*newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_holds_until_it_is_outdated() {
        let allowed = Allowed::default();
        let asked = ("!a", "@m:b", "m.room.message");
        assert!(!allowed.still(asked, Seq::ZERO));
        allowed.note(asked, Seq(5));
        assert!(allowed.still(asked, Seq::ZERO) && allowed.still(asked, Seq(5)));
        assert!(!allowed.still(asked, Seq(6)));
        assert!(!allowed.still(("!a", "@m:b", "m.sticker"), Seq::ZERO));
        allowed.note(asked, Seq(7));
        // Somebody was slow to look.
        allowed.note(asked, Seq(6));
        assert!(allowed.still(asked, Seq(7)));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let allowed = Allowed::default();
        for n in 0..=MOST {
            allowed.note(("!a", &n.to_string(), "t"), Seq(1));
        }
        assert!(!allowed.still(("!a", "0", "t"), Seq::ZERO));
        assert!(allowed.still(("!a", &MOST.to_string(), "t"), Seq::ZERO));
    }
}
