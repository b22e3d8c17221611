//! What a batch has read and changed, and not written yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

#[derive(Debug)]
struct Slot<V> {
    value: V,
    changed: bool,
}

/// Values by key over those in the tables. A chain that fails takes back what it changed.
#[derive(Debug)]
pub(crate) struct Overlay<K, V> {
    slots: BTreeMap<K, Slot<V>>,
    /// What stood there before each change of the chain, in order.
    undo: Vec<(K, Option<Slot<V>>)>,
}

impl<K: Ord + Copy, V: Clone> Overlay<K, V> {
    pub fn new() -> Self {
        Self {
            slots: BTreeMap::new(),
            undo: Vec::new(),
        }
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
        self.undo.push((key, before));
    }

    /// The chain is good.
    pub fn keep(&mut self) {
        self.undo.clear();
    }

    /// The chain is not.
    pub fn take_back(&mut self) {
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
        changed.map(|(key, slot)| (*key, &slot.value))
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
        overlay.set(1, 11);
        overlay.set(2, 21);
        overlay.set(1, 12);
        overlay.set(3, 30);
        overlay.take_back();
        assert_eq!(overlay.seen(1), Some(&10));
        assert_eq!(overlay.seen(3), None);
        assert_eq!(overlay.changed().collect::<Vec<_>>(), [(2, &20)]);
    }
}
