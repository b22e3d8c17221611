//! What people's devices listen to. It is kept between two long polls of a device, so that the next one
//! looks only at the rooms of which something was published in between, however many there are.

use super::Api;
use super::token::Token;
use crate::apply::{room_topic, user_topic};
use crate::query::{self, SyncFilter, SyncFound};
use bongsu_base::{DeviceId, Position, UserId};
use bongsu_lane::{Topic, Waiter};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use parking_lot::Mutex;
use ruma::api::client::sync::sync_events::v3::Request;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long is kept what no poll uses.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// For how many devices it is kept, and how many rooms they may listen to together: about 100 MB.
const DEVICES: usize = 20_000;
const ROOMS: usize = 2_000_000;
/// How often a few rooms are looked at, while more of them change, before all are.
const LOOKS: usize = 3;

/// What one device listens to.
#[derive(Debug)]
pub struct Listening {
    waiter: Waiter,
    own: Topic,
    /// The numbers of the rooms, sorted by their topics.
    rooms: Vec<(Topic, i64)>,
}

impl Listening {
    /// The rooms of which something was published since the last call; `None` if there may be more to
    /// look at, above all when something of the person's own has changed.
    fn changed(&self) -> Option<Vec<i64>> {
        let told = self.waiter.told();
        if told.more || told.topics.contains(&self.own) {
            return None;
        }
        let mut rooms = Vec::new();
        for topic in told.topics {
            let first = self.rooms.partition_point(|(other, _)| *other < topic);
            let same = self.rooms[first..].iter();
            rooms.extend(
                same.take_while(|(other, _)| *other == topic)
                    .map(|(_, n)| n),
            );
        }
        Some(rooms)
    }

    /// Returns once something was published.
    pub async fn woken(&self) {
        self.waiter.woken().await;
    }
}

type Device = (UserId, DeviceId);

/// What devices listen to whose next poll is awaited. Cloning it gives another handle.
#[derive(Debug, Clone, Default)]
pub struct Listeners(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    devices: HashMap<Device, Idle>,
    by_age: BTreeMap<u64, Device>,
    rooms: usize,
    last: u64,
}

#[derive(Debug)]
struct Idle {
    listening: Listening,
    /// Up to where the device was told everything.
    upto: Position,
    age: u64,
    since: Instant,
}

impl Kept {
    fn remove(&mut self, device: &Device) -> Option<Idle> {
        let idle = self.devices.remove(device)?;
        self.by_age.remove(&idle.age);
        self.rooms -= idle.listening.rooms.len();
        Some(idle)
    }

    /// Removes what is beyond the bounds.
    fn excess(&mut self, now: Instant) -> Vec<Idle> {
        let mut excess = Vec::new();
        while let Some((_, device)) = self.by_age.first_key_value() {
            let device = device.clone();
            let over = self.devices.len() > DEVICES || self.rooms > ROOMS;
            let old = self
                .devices
                .get(&device)
                .is_some_and(|idle| now - idle.since > KEPT_FOR);
            if !over && !old {
                break;
            }
            excess.extend(self.remove(&device));
        }
        excess
    }
}

impl Listeners {
    /// What the caller's device listened to, if it was told everything up to `since`.
    pub fn take(&self, caller: &Caller, since: Position) -> Option<Listening> {
        let device = (caller.user.clone(), caller.device.clone());
        let idle = self.0.lock().remove(&device)?;
        (idle.upto <= since).then_some(idle.listening)
    }

    /// Keeps what the caller's device listens to, which was told everything up to `upto`.
    pub fn keep(&self, caller: &Caller, listening: Listening, upto: Position) {
        let device = (caller.user.clone(), caller.device.clone());
        let since = Instant::now();
        let mut kept = self.0.lock();
        let before = kept.remove(&device);
        kept.last += 1;
        let age = kept.last;
        kept.rooms += listening.rooms.len();
        kept.by_age.insert(age, device.clone());
        let idle = Idle {
            listening,
            upto,
            age,
            since,
        };
        kept.devices.insert(device, idle);
        let excess = kept.excess(since);
        drop(kept);
        // To end listening takes a moment, which nobody else has to wait for.
        drop((before, excess));
    }
}

impl Api {
    /// What is new for the caller, and what is to be waited for after that. `before` is what was listened
    /// to since the look before.
    pub(super) async fn news(
        &self,
        caller: &Caller,
        since: Option<Token>,
        request: &Request,
        filter: &SyncFilter,
        before: Option<Listening>,
    ) -> Result<(Listening, SyncFound), MatrixError> {
        if let Some(listening) = before
            && let Some(mut rooms) = listening.changed()
        {
            for _ in 0..LOOKS {
                let found = self
                    .look(caller, since, request, filter, Some(&rooms))
                    .await?;
                if !self.lane.wake().published(found.until.seq()).await {
                    break;
                }
                match listening.changed() {
                    Some(more) if more.is_empty() => return Ok((listening, found)),
                    // This look may have missed what was published while it lasted.
                    Some(more) => rooms.extend(more),
                    None => break,
                }
            }
        }
        let listening = self.listen(caller).await?;
        let found = self.look(caller, since, request, filter, None).await?;
        Ok((listening, found))
    }

    /// Listens to everything that may concern `caller`.
    async fn listen(&self, caller: &Caller) -> Result<Listening, MatrixError> {
        let user = caller.user.as_str();
        let own = user_topic(user);
        // First to what tells of other rooms, so that none is missed.
        let mut waiter = self.lane.wake().listen(&[own]);
        let rooms = self
            .lane
            .read(|view| query::joined_rooms(view.db(), user))
            .await?;
        let mut rooms: Vec<(Topic, i64)> = rooms
            .iter()
            .map(|(n, room)| (room_topic(room), *n))
            .collect();
        rooms.sort_unstable();
        let topics: Vec<Topic> = rooms.iter().map(|(topic, _)| *topic).collect();
        waiter.also(&topics);
        Ok(Listening { waiter, own, rooms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::Seq;
    use bongsu_lane::Wake;

    fn caller(device: usize) -> Caller {
        Caller {
            user: "@m:b".parse().expect("an id"),
            device: format!("D{device}").parse().expect("an id"),
        }
    }

    fn listening(wake: &Wake, rooms: usize) -> Listening {
        let own = user_topic("@m:b");
        let mut rooms: Vec<(Topic, i64)> = (0..rooms as i64)
            .map(|n| (room_topic(&n.to_string()), n))
            .collect();
        rooms.sort_unstable();
        let mut waiter = wake.listen(&[own]);
        waiter.also(&rooms.iter().map(|(topic, _)| *topic).collect::<Vec<_>>());
        Listening { waiter, own, rooms }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_published_between_two_polls_is_known_and_no_more_than_that() {
        let (wake, listeners) = (Wake::default(), Listeners::default());
        let at = |seq| Position::end_of(Seq(seq));
        listeners.keep(&caller(1), listening(&wake, 300), at(5));
        wake.publish(&[room_topic("7"), room_topic("elsewhere")]);
        assert!(
            listeners.take(&caller(2), at(5)).is_none(),
            "another device"
        );
        let found = listeners.take(&caller(1), at(5)).expect("kept");
        assert_eq!(found.changed(), Some(vec![7]));
        assert_eq!(found.changed(), Some(vec![]));
        wake.publish(&[found.own]);
        assert_eq!(
            found.changed(),
            None,
            "the person's rooms may be others now"
        );
        listeners.keep(&caller(1), found, at(6));
        let repeat = listeners.take(&caller(1), at(5));
        assert!(repeat.is_none(), "its answer did not arrive");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_comes_back_to_is_dropped() {
        let (wake, listeners) = (Wake::default(), Listeners::default());
        for device in 0..DEVICES + 10 {
            listeners.keep(&caller(device), listening(&wake, 1), Position::default());
        }
        let kept = || listeners.0.lock().devices.len();
        assert_eq!(kept(), DEVICES);
        let first = listeners.take(&caller(9), Position::default());
        assert!(first.is_none(), "the oldest went first");
        tokio::time::advance(KEPT_FOR * 2).await;
        listeners.keep(&caller(0), listening(&wake, 2), Position::default());
        assert_eq!((kept(), listeners.0.lock().rooms), (1, 2));
    }
}
