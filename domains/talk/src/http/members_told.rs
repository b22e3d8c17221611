//! Which memberships devices were told of that load members lazily, so that they are not told of the same
//! one again (Matrix v1.19, lazy-loading room members). It enters no log: who is told twice loses nothing.

use crate::query::SyncFound;
use bongsu_base::{DeviceId, Position, UserId};
use bongsu_web_kit::Caller;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// For how many devices it is kept, and how many memberships altogether: about 100 MB.
const DEVICES: usize = 20_000;
const MEMBERS: usize = 1_000_000;
/// How many are kept for one device.
const OF_ONE: usize = 2_000;

type Device = (UserId, DeviceId);

/// What all devices were told. Cloning it gives another handle.
#[derive(Debug, Clone, Default)]
pub struct MembersTold(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    devices: HashMap<Device, Told>,
    by_age: BTreeMap<u64, Device>,
    members: usize,
    last: u64,
}

#[derive(Debug, Default)]
struct Told {
    /// By where the membership's event stands: the place to which the answer led that told of it.
    members: BTreeMap<i64, Position>,
    age: u64,
}

impl Kept {
    fn remove(&mut self, device: &Device) -> Told {
        let told = self.devices.remove(device).unwrap_or_default();
        self.by_age.remove(&told.age);
        self.members -= told.members.len();
        told
    }

    fn insert(&mut self, device: Device, mut told: Told) {
        if told.members.is_empty() {
            return;
        }
        self.last += 1;
        told.age = self.last;
        self.members += told.members.len();
        self.by_age.insert(told.age, device.clone());
        self.devices.insert(device, told);
        while self.devices.len() > DEVICES || self.members > MEMBERS {
            let Some((_, oldest)) = self.by_age.first_key_value() else {
                return;
            };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }
}

fn device(caller: &Caller) -> Device {
    (caller.user.clone(), caller.device.clone())
}

impl MembersTold {
    /// The memberships that the caller's device knows, since it comes from a place to which an answer led
    /// that told of them.
    pub fn known(&self, caller: &Caller, since: Option<Position>) -> BTreeSet<i64> {
        let Some(since) = since else {
            self.0.lock().remove(&device(caller));
            return BTreeSet::new();
        };
        let kept = self.0.lock();
        let told = kept.devices.get(&device(caller));
        let members = told.into_iter().flat_map(|told| &told.members);
        members
            .filter(|(_, upto)| **upto <= since)
            .map(|(at, _)| *at)
            .collect()
    }

    /// Notes of which memberships `found` tells the caller's device.
    pub fn note(&self, caller: &Caller, found: &SyncFound) {
        let rooms = found.joined.iter();
        let shown = rooms.flat_map(|room| room.state.iter().chain(&room.timeline));
        let members = shown
            .filter(|shown| shown.event.kind == "m.room.member")
            .map(|shown| shown.event.position.as_i64());
        let mut kept = self.0.lock();
        let mut told = kept.remove(&device(caller));
        for at in members {
            told.members.entry(at).or_insert(found.until);
        }
        // Too many: it begins anew, and some are told twice.
        if told.members.len() > OF_ONE {
            told.members.clear();
        }
        kept.insert(device(caller), told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::Seq;

    fn caller(device: usize) -> Caller {
        Caller {
            user: "@m:b".parse().expect("an id"),
            device: format!("D{device}").parse().expect("an id"),
        }
    }

    fn told(members: impl Iterator<Item = i64>, upto: Position) -> Told {
        Told {
            members: members.map(|at| (at, upto)).collect(),
            age: 0,
        }
    }

    #[test]
    fn a_device_knows_what_an_answer_told_that_it_got() {
        let all = MembersTold::default();
        let at = |seq| Position::end_of(Seq(seq));
        let mut kept = all.0.lock();
        kept.insert(device(&caller(1)), told([7, 8].into_iter(), at(5)));
        drop(kept);
        assert_eq!(all.known(&caller(1), Some(at(5))), [7, 8].into());
        let before = all.known(&caller(1), Some(at(4)));
        assert!(before.is_empty(), "the answer did not arrive");
        assert!(all.known(&caller(2), Some(at(5))).is_empty());
        assert!(all.known(&caller(1), None).is_empty());
        let after = all.known(&caller(1), Some(at(5)));
        assert!(after.is_empty(), "a client that begins anew knows nobody");
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let all = MembersTold::default();
        let mut kept = all.0.lock();
        for n in 0..=DEVICES {
            let one = told(std::iter::once(1), Position::default());
            kept.insert(device(&caller(n)), one);
        }
        assert_eq!((kept.devices.len(), kept.members), (DEVICES, DEVICES));
        assert!(!kept.devices.contains_key(&device(&caller(0))));
        let many = told(0..MEMBERS as i64, Position::default());
        kept.insert(device(&caller(1)), many);
        assert!(kept.members <= MEMBERS);
    }
}
