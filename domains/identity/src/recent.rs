//! What was looked up in the view a moment ago, for as long as the view stands where it stood: who holds a token is asked with
//! every request, and seldom changes.

use bongsu_base::Seq;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;

/// How much is remembered at most; then it begins anew. About 200 bytes each.
const MOST: usize = 50_000;

/// Answers by what was asked, all of them read when the view had applied `at` or more.
#[derive(Debug)]
struct Kept<K, V> {
    at: Seq,
    answers: HashMap<K, V>,
}

/// Remembers answers.
#[derive(Debug)]
pub(crate) struct Recent<K, V>(Mutex<Kept<K, V>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            at: Seq::ZERO,
            answers: HashMap::new(),
        }))
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// What `asked` was answered by a view that had applied `at`, which is what this replica says that it has applied now. It
    /// says so before it acknowledges what it applied: nobody who was told of a change is given an answer from before it.
    pub fn get(&self, at: Seq, asked: &K) -> Option<V> {
        let kept = self.0.lock();
        if kept.at != at {
            return None;
        }
        kept.answers.get(asked).cloned()
    }

    /// Remembers an answer that was read after this replica said that it had applied `at`.
    pub fn put(&self, at: Seq, asked: K, answer: V) {
        let mut kept = self.0.lock();
        if at < kept.at {
            return;
        }
        if at > kept.at || kept.answers.len() >= MOST {
            kept.at = at;
            kept.answers.clear();
        }
        kept.answers.insert(asked, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_until_the_view_has_moved() {
        let recent: Recent<&str, u32> = Recent::default();
        assert_eq!(recent.get(Seq(5), &"a"), None);
        recent.put(Seq(5), "a", 1);
        assert_eq!(recent.get(Seq(5), &"a"), Some(1));
        assert_eq!(recent.get(Seq(6), &"a"), None);
        recent.put(Seq(6), "b", 2);
        assert_eq!(recent.get(Seq(6), &"a"), None, "it was read before");
        assert_eq!(recent.get(Seq(6), &"b"), Some(2));
        // Somebody was slow to look.
        recent.put(Seq(5), "b", 1);
        assert_eq!(recent.get(Seq(6), &"b"), Some(2));
        assert_eq!(recent.get(Seq(5), &"b"), None);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let recent: Recent<usize, ()> = Recent::default();
        for asked in 0..=MOST {
            recent.put(Seq(1), asked, ());
        }
        assert_eq!(recent.get(Seq(1), &0), None);
        assert_eq!(recent.get(Seq(1), &MOST), Some(()));
    }
}
