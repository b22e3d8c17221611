//! What a batch has read and changed, and not written yet.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

#[derive(Debug)]
struct Slot<V> {
    value: V,
    changed: bool,
}

/// Values by key over those in the tables. A chain that fails takes back what it changed.
#[derive(Debug)]
pub(crate) struct Overlay<K, V> {
    slots: HashMap<K, Slot<V>, RandomState>,
    /// What stood there before each change of the chain, in order.
    undo: Vec<(K, Option<Slot<V>>)>,
    /// Whether there is more than one instruction in the chain. One alone changes nothing before nothing can refuse it.
    several: bool,
    /// How many changes were made in the chain.
    made: usize,
}

impl<K: Ord + Copy + Hash, V: Clone> Overlay<K, V> {
    pub fn new() -> Self {
        Self {
            slots: HashMap::default(),
            undo: Vec::new(),
            several: true,
            made: 0,
        }
    }

    /// A chain begins.
    pub fn begin(&mut self, several: bool) {
        self.several = several;
    }

    /// Makes room for so many values.
    pub fn expect(&mut self, count: usize) {
        self.slots.reserve(count);
    }

    /// What was read under a key that nothing is known of.
    pub fn read(&mut self, key: K, value: V) {
        let changed = false;
        self.slots.insert(key, Slot { value, changed });
    }

    /// The value of `key`, read with `load` the first time.
    pub fn get(
        &mut self,
        key: K,
        load: impl FnOnce() -> rusqlite::Result<Option<V>>,
    ) -> rusqlite::Result<Option<&V>> {
        let slot = match self.slots.entry(key) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                let Some(value) = load()? else {
                    return Ok(None);
                };
                let changed = false;
                place.insert(Slot { value, changed })
            }
        };
        Ok(Some(&slot.value))
    }

    /// The value of `key` if it was read or set.
    pub fn seen(&self, key: K) -> Option<&V> {
        self.slots.get(&key).map(|slot| &slot.value)
    }

    pub fn set(&mut self, key: K, value: V) {
        let changed = true;
        let before = self.slots.insert(key, Slot { value, changed });
        self.made += 1;
        if self.several {
            self.undo.push((key, before));
        }
    }

    /// Changes the value of `key`, which was read or set; says what `change` says.
    pub fn change<T>(&mut self, key: K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        let slot = self.slots.get_mut(&key)?;
        self.made += 1;
        if self.several {
            let (value, changed) = (slot.value.clone(), slot.changed);
            self.undo.push((key, Some(Slot { value, changed })));
        }
        slot.changed = true;
        Some(change(&mut slot.value))
    }

    /// The chain is good.
    pub fn keep(&mut self) {
        self.undo.clear();
        self.made = 0;
    }

    /// The chain is not.
    pub fn take_back(&mut self) {
        debug_assert_eq!(self.made, self.undo.len(), "what was changed is known");
        self.made = 0;
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(slot) => self.slots.insert(key, slot),
                None => self.slots.remove(&key),
            };
        }
    }

    /// What was changed, in the order of the keys.
    pub fn changed(&self) -> impl Iterator<Item = (K, &V)> {
        let changed = self.slots.iter().filter(|(_, slot)| slot.changed);
        let mut changed: Vec<(K, &V)> = changed.map(|(key, slot)| (*key, &slot.value)).collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        changed.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chain_changed_is_taken_back() {
        let mut overlay = Overlay::new();
        overlay.get(1, || Ok(Some(10))).expect("loaded");
        overlay.set(2, 20);
        overlay.keep();
        overlay.change(1, |value| *value += 1);
        assert_eq!(overlay.seen(1), Some(&11));
        overlay.set(2, 21);
        overlay.set(1, 12);
        overlay.set(3, 30);
        overlay.take_back();
        assert_eq!(overlay.seen(1), Some(&10));
        assert_eq!(overlay.seen(3), None);
        assert_eq!(overlay.changed().collect::<Vec<_>>(), [(2, &20)]);
    }

    #[test]
    fn what_one_instruction_changed_is_not_remembered() {
        let mut overlay = Overlay::new();
        overlay.begin(false);
        overlay.set(1, 10);
        assert_eq!(overlay.change(1, |value| *value + 1), Some(11));
        assert_eq!(overlay.change(2, |_| ()), None);
        overlay.keep();
        overlay.take_back();
        assert_eq!(overlay.changed().collect::<Vec<_>>(), [(1, &10)]);
    }
}
