//! Who is typing where, now. It enters no log: nobody misses it after a fire.

use crate::apply::room_topic;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::Wake;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that somebody types without saying so again.
const LONGEST: Duration = Duration::from_secs(120);

/// How many rooms are remembered in which nobody types any more: those who ask later are not told that it
/// ended there, and their clients let it end by themselves.
const REMEMBERED: usize = 10_000;

/// Who is typing in all rooms. Cloning it gives another handle.
#[derive(Debug, Clone)]
pub struct TypingNow {
    rooms: Arc<Mutex<Rooms>>,
    wake: Wake,
}

#[derive(Debug, Default)]
struct Rooms {
    rooms: BTreeMap<RoomId, Room>,
    by_change: BTreeMap<u64, RoomId>,
    last_change: u64,
}

impl Rooms {
    /// Notes who types in `room`, or stopped; says whether that is a change, numbered at least `least`.
    fn set(&mut self, room: &RoomId, user: &UserId, until: Option<Instant>, least: u64) -> bool {
        let number = least.max(self.last_change + 1);
        let entry = self.rooms.entry(room.clone()).or_default();
        let changed = match until {
            Some(until) => entry.until.insert(user.clone(), until).is_none(),
            None => entry.until.remove(user).is_some(),
        };
        let before = entry.changed;
        if changed {
            entry.changed = number;
            self.by_change.remove(&before);
            self.by_change.insert(number, room.clone());
            self.last_change = number;
        } else if before == 0 {
            self.rooms.remove(room);
        }
        self.forget();
        changed
    }

    /// Forgets the room that changed first of too many, if nobody types there.
    fn forget(&mut self) {
        if self.rooms.len() <= REMEMBERED {
            return;
        }
        let quiet = |room: &RoomId| {
            let room = self.rooms.get(room);
            room.is_none_or(|room| room.until.is_empty())
        };
        if let Some((number, room)) = self.by_change.first_key_value()
            && quiet(room)
        {
            let (number, room) = (*number, room.clone());
            self.by_change.remove(&number);
            self.rooms.remove(&room);
        }
    }
}

#[derive(Debug, Default)]
struct Room {
    until: BTreeMap<UserId, Instant>,
    changed: u64,
}

impl TypingNow {
    /// Nobody is typing. Those who wait for a room are woken through `wake`.
    #[must_use]
    pub fn new(wake: Wake) -> Self {
        Self {
            rooms: Arc::default(),
            wake,
        }
    }

    /// Notes that `user` types in `room` for `span`, or has stopped. `now` is the view's position as a
    /// number, by which changes are numbered, so that a restart does not begin anew.
    pub fn set(&self, room: &RoomId, user: &UserId, span: Option<Duration>, now: u64) {
        let until = span.map(|span| Instant::now() + span.min(LONGEST));
        let changed = self.rooms.lock().set(room, user, until, now);
        if changed {
            self.wake.publish(&[room_topic(room.as_str())]);
        }
        if let Some(span) = span {
            let (this, room, user) = (self.clone(), room.clone(), user.clone());
            tokio::spawn(async move {
                tokio::time::sleep(span.min(LONGEST)).await;
                this.expire(&room, &user);
            });
        }
    }

    fn expire(&self, room: &RoomId, user: &UserId) {
        let over = {
            let rooms = self.rooms.lock();
            let until = rooms.rooms.get(room).and_then(|room| room.until.get(user));
            until.is_some_and(|until| *until <= Instant::now())
        };
        if over {
            self.set(room, user, None, 0);
        }
    }

    /// The number of the last change.
    #[must_use]
    pub fn last_change(&self) -> u64 {
        self.rooms.lock().last_change
    }

    /// The rooms in which something changed after `since`; for somebody's first sync, those in which
    /// somebody types.
    #[must_use]
    pub fn changed_since(&self, since: Option<u64>) -> Vec<RoomId> {
        let rooms = self.rooms.lock();
        let after = since.map_or(0, |since| since.saturating_add(1));
        let changed = rooms.by_change.range(after..).map(|(_, room)| room);
        let there = |room: &&RoomId| {
            let room = rooms.rooms.get(*room);
            since.is_some() || room.is_some_and(|room| !room.until.is_empty())
        };
        changed.filter(there).cloned().collect()
    }

    /// Who types in `room`.
    #[must_use]
    pub fn users(&self, room: &RoomId) -> Vec<UserId> {
        let rooms = self.rooms.lock();
        rooms
            .rooms
            .get(room)
            .map(|room| room.until.keys().cloned().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn typing_ends_by_itself_and_wakes_those_who_wait() {
        let wake = Wake::default();
        let typing = TypingNow::new(wake.clone());
        let room: RoomId = "!a:b".parse().expect("an id");
        let user: UserId = "@m:b".parse().expect("an id");
        let waiter = wake.listen(&[room_topic(room.as_str())]);
        typing.set(&room, &user, Some(Duration::from_secs(5)), 40);
        waiter.woken().await;
        assert_eq!(typing.users(&room), std::slice::from_ref(&user));
        assert_eq!(typing.changed_since(Some(39)), std::slice::from_ref(&room));
        let seen = typing.last_change();
        typing.set(&room, &user, Some(Duration::from_secs(5)), 41);
        assert_eq!(typing.last_change(), seen, "typing on is no news");
        waiter.woken().await;
        assert!(typing.users(&room).is_empty());
        assert_eq!(
            typing.changed_since(Some(seen)),
            std::slice::from_ref(&room)
        );
        assert!(typing.changed_since(None).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn rooms_in_which_nobody_types_any_more_are_forgotten_in_the_end() {
        let typing = TypingNow::new(Wake::default());
        let user: UserId = "@m:b".parse().expect("an id");
        for n in 0..REMEMBERED + 5 {
            let room: RoomId = format!("!{n}:b").parse().expect("an id");
            typing.set(&room, &user, Some(LONGEST), 0);
            typing.set(&room, &user, None, 0);
        }
        assert_eq!(typing.changed_since(Some(0)).len(), REMEMBERED);
    }
}
