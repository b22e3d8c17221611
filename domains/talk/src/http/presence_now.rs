//! Who is there, now. It enters no log: nobody misses it after a fire.
//!
//! Somebody who syncs is there, and away when they have done nothing for a while. Those who wait are woken
//! by changes of people in small rooms alone; others hear of it with their next news.

use super::far::{BELIEVED, There};
use crate::apply::{room_topic, user_topic};
use bongsu_base::UserId;
use bongsu_lane::Wake;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// After what time without doing anything somebody is away.
const IDLE: Duration = Duration::from_secs(300);
/// After what time without a sync somebody is gone.
const GONE: Duration = Duration::from_secs(30);
/// After what time somebody who is gone and left no message is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// How often everybody is looked at, at most.
const SWEEP: Duration = Duration::from_secs(5);
/// How many people are remembered, at most.
const KEPT: usize = 100_000;
/// How long somebody still counts as doing something now.
const NOW: Duration = Duration::from_secs(60);

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// There.
    Online,
    /// Away.
    Unavailable,
    /// Gone.
    Offline,
}

impl Presence {
    /// From Matrix's word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "online" => Self::Online,
            "unavailable" => Self::Unavailable,
            "offline" => Self::Offline,
            _ => return None,
        })
    }

    /// Matrix's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Unavailable => "unavailable",
            Self::Offline => "offline",
        }
    }
}

/// What is told of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceOf {
    /// Whether they are there.
    pub presence: Presence,
    /// What they say of it.
    pub message: Option<String>,
    /// How long ago they did something.
    pub active_ago: Duration,
    /// Whether they are doing something now.
    pub active: bool,
}

/// Everybody's presence. Cloning it gives another handle.
#[derive(Debug, Clone)]
pub struct PresenceNow {
    people: Arc<Mutex<People>>,
    wake: Wake,
}

#[derive(Debug)]
struct People {
    people: BTreeMap<UserId, Person>,
    by_change: BTreeMap<u64, UserId>,
    last_change: u64,
    swept: Instant,
}

#[derive(Debug)]
struct Person {
    wanted: Presence,
    told: Presence,
    message: Option<String>,
    active: Instant,
    seen: Instant,
    syncing: u32,
    /// How they were last said to be in another data centre, and until when that is believed.
    elsewhere: Option<(Presence, Instant)>,
    changed: u64,
}

impl Person {
    fn presence(&self, now: Instant) -> Presence {
        let elsewhere = self.elsewhere.filter(|(_, until)| now < *until);
        match (self.presence_here(now), elsewhere) {
            (Presence::Offline, Some((there, _))) => there,
            (here, _) => here,
        }
    }

    fn there(&self, user: &UserId, now: Instant) -> Option<There> {
        let active_ago = (now - self.active).as_millis();
        Some(There {
            user: user.clone(),
            presence: self.presence_here(now).word().to_owned(),
            message: self.message.clone(),
            active_ago_ms: u64::try_from(active_ago).ok()?,
        })
    }

    fn presence_here(&self, now: Instant) -> Presence {
        if self.syncing == 0 && now - self.seen > GONE {
            Presence::Offline
        } else if self.wanted == Presence::Online && now - self.active > IDLE {
            Presence::Unavailable
        } else {
            self.wanted
        }
    }
}

impl People {
    fn person(&mut self, user: &UserId, now: Instant) -> Option<&mut Person> {
        if !self.people.contains_key(user) {
            if self.people.len() >= KEPT {
                return None;
            }
            let person = Person {
                wanted: Presence::Offline,
                told: Presence::Offline,
                message: None,
                active: now,
                seen: now,
                syncing: 0,
                elsewhere: None,
                changed: 0,
            };
            self.people.insert(user.clone(), person);
        }
        self.people.get_mut(user)
    }

    /// Numbers a change of `user` if there is one to tell.
    fn note(&mut self, user: &UserId, now: Instant, least: u64, said: bool) -> bool {
        let number = least.max(self.last_change + 1);
        let Some(person) = self.people.get_mut(user) else {
            return false;
        };
        let presence = person.presence(now);
        if presence == person.told && !said {
            return false;
        }
        person.told = presence;
        self.by_change.remove(&person.changed);
        person.changed = number;
        self.by_change.insert(number, user.clone());
        self.last_change = number;
        true
    }

    fn sweep(&mut self, now: Instant) {
        if now - self.swept < SWEEP {
            return;
        }
        self.swept = now;
        let changed: Vec<UserId> = self
            .people
            .iter()
            .filter(|(_, person)| person.presence(now) != person.told)
            .map(|(user, _)| user.clone())
            .collect();
        for user in changed {
            self.note(&user, now, 0, false);
        }
        let by_change = &mut self.by_change;
        self.people.retain(|_, person| {
            let keep = person.told != Presence::Offline
                || person.message.is_some()
                || person.syncing > 0
                || now - person.seen < FORGOTTEN;
            if !keep {
                by_change.remove(&person.changed);
            }
            keep
        });
    }
}

/// While it lives, somebody syncs.
#[derive(Debug)]
pub struct Syncing {
    people: Arc<Mutex<People>>,
    user: UserId,
}

impl Drop for Syncing {
    fn drop(&mut self) {
        if let Some(person) = self.people.lock().people.get_mut(&self.user) {
            person.syncing = person.syncing.saturating_sub(1);
            person.seen = Instant::now();
        }
    }
}

impl PresenceNow {
    /// Nobody is there. Those who wait are woken through `wake`.
    #[must_use]
    pub fn new(wake: Wake) -> Self {
        let people = People {
            people: BTreeMap::new(),
            by_change: BTreeMap::new(),
            last_change: 0,
            swept: Instant::now(),
        };
        Self {
            people: Arc::new(Mutex::new(people)),
            wake,
        }
    }

    /// What `user` says of themselves. `least` is the view's position as a number, by which changes are
    /// numbered, so that a restart does not begin anew. Says whether there is something to tell.
    pub fn set(
        &self,
        user: &UserId,
        presence: Presence,
        message: Option<String>,
        least: u64,
    ) -> bool {
        let now = Instant::now();
        let mut people = self.people.lock();
        let Some(person) = people.person(user, now) else {
            return false;
        };
        let said = person.message != message;
        person.wanted = presence;
        person.message = message;
        person.seen = now;
        if presence == Presence::Online {
            person.active = now;
        }
        people.note(user, now, least, said)
    }

    /// A sync of `user` begins, who wants to be shown as `presence` by it. Gives what is to be kept
    /// while it lasts, and whether there is something to tell.
    pub fn sync(&self, user: &UserId, presence: Presence, least: u64) -> (Option<Syncing>, bool) {
        let now = Instant::now();
        let mut people = self.people.lock();
        people.sweep(now);
        if presence == Presence::Offline {
            return (None, false);
        }
        let Some(person) = people.person(user, now) else {
            return (None, false);
        };
        if person.told == Presence::Offline {
            person.active = now;
        }
        person.wanted = presence;
        person.seen = now;
        person.syncing += 1;
        let changed = people.note(user, now, least, false);
        let syncing = Syncing {
            people: self.people.clone(),
            user: user.clone(),
        };
        (Some(syncing), changed)
    }

    /// Notes how somebody is in another data centre. Says whether there is something to tell.
    pub(super) fn hear(&self, there: There, presence: Presence, least: u64) -> bool {
        let now = Instant::now();
        let mut people = self.people.lock();
        let Some(person) = people.person(&there.user, now) else {
            return false;
        };
        person.elsewhere = Some((presence, now + BELIEVED));
        let ago = Duration::from_millis(there.active_ago_ms);
        let active = now.checked_sub(ago).unwrap_or(person.active);
        person.active = person.active.max(active);
        let said = presence != Presence::Offline && person.message != there.message;
        if said {
            person.message = there.message;
        }
        people.note(&there.user, now, least, said)
    }

    /// Those who are in this data centre, for the others.
    pub(super) fn here(&self) -> Vec<There> {
        let now = Instant::now();
        let people = self.people.lock();
        let here = people.people.iter();
        here.filter_map(|(user, person)| person.there(user, now))
            .filter(|there| there.presence != Presence::Offline.word())
            .collect()
    }

    /// How `user` is in this data centre, for the others.
    pub(super) fn of_here(&self, user: &UserId) -> Option<There> {
        let now = Instant::now();
        self.people.lock().people.get(user)?.there(user, now)
    }

    /// Notes that `user`, if they are there, does something.
    pub fn active(&self, user: &UserId) {
        let now = Instant::now();
        let mut people = self.people.lock();
        if let Some(person) = people.people.get_mut(user) {
            person.active = now;
            people.note(user, now, 0, false);
        }
    }

    /// Wakes those who may hear of a change of `user` at once: `user`, and whoever is in these rooms.
    pub fn tell(&self, user: &UserId, rooms: &[String]) {
        let mut topics: Vec<_> = rooms.iter().map(|room| room_topic(room)).collect();
        topics.push(user_topic(user.as_str()));
        self.wake.publish(&topics);
    }

    /// The presence of `user`.
    #[must_use]
    pub fn of(&self, user: &UserId) -> Option<PresenceOf> {
        let now = Instant::now();
        let people = self.people.lock();
        people.people.get(user).map(|person| {
            let presence = person.presence(now);
            let active_ago = now - person.active;
            PresenceOf {
                presence,
                message: person.message.clone(),
                active_ago,
                active: presence == Presence::Online && active_ago < NOW,
            }
        })
    }

    /// The number of the last change.
    #[must_use]
    pub fn last_change(&self) -> u64 {
        self.people.lock().last_change
    }

    /// Who changed after `since`, the latest first, and no more than `most`; for somebody's first sync,
    /// those who are not gone.
    #[must_use]
    pub fn changed_since(&self, since: Option<u64>, most: usize) -> Vec<UserId> {
        let people = self.people.lock();
        let after = since.map_or(0, |since| since.saturating_add(1));
        let there = |user: &&UserId| {
            let person = people.people.get(*user);
            since.is_some() || person.is_some_and(|person| person.told != Presence::Offline)
        };
        let changed = people.by_change.range(after..).rev();
        let users = changed.map(|(_, user)| user).filter(there);
        users.take(most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        format!("@{name}:b").parse().expect("an id")
    }

    #[tokio::test(start_paused = true)]
    async fn who_syncs_is_there_then_away_then_gone() {
        let now = PresenceNow::new(Wake::default());
        let (mina, jun) = (user("m"), user("j"));
        let is = |who: &UserId| now.of(who).map(|found| found.presence);
        let (syncing, changed) = now.sync(&mina, Presence::Online, 40);
        assert!(changed && is(&mina) == Some(Presence::Online));
        assert_eq!((now.last_change(), is(&jun)), (40, None));
        tokio::time::advance(IDLE + SWEEP).await;
        drop(now.sync(&jun, Presence::Unavailable, 0));
        assert_eq!(is(&mina), Some(Presence::Unavailable), "idle");
        assert_eq!(now.changed_since(Some(40), 9), [jun.clone(), mina.clone()]);
        now.active(&mina);
        assert_eq!(is(&mina), Some(Presence::Online));
        drop(syncing);
        tokio::time::advance(GONE + SWEEP).await;
        let _ = now.sync(&jun, Presence::Offline, 0);
        assert_eq!(is(&mina), Some(Presence::Offline));
        assert!(now.changed_since(None, 9).is_empty(), "all are gone");
        tokio::time::advance(FORGOTTEN).await;
        let _ = now.sync(&jun, Presence::Offline, 0);
        assert_eq!(is(&mina), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_elsewhere_is_there_as_long_as_that_is_said_again() {
        let (here, elsewhere) = (
            PresenceNow::new(Wake::default()),
            PresenceNow::new(Wake::default()),
        );
        let mina = user("m");
        let is = || here.of(&mina).map(|found| found.presence);
        let tell = || {
            let there = elsewhere.of_here(&mina).expect("known");
            let presence = Presence::from_word(&there.presence).expect("a word");
            here.hear(there, presence, 7)
        };
        let syncing = elsewhere.sync(&mina, Presence::Online, 0);
        assert!(tell() && is() == Some(Presence::Online));
        assert!(!tell(), "it is no news again");
        assert!(here.here().is_empty(), "she is not in this data centre");
        assert_eq!(elsewhere.here().len(), 1);
        tokio::time::advance(BELIEVED - SWEEP).await;
        assert!(!tell() && is() == Some(Presence::Online));
        drop(syncing);
        tokio::time::advance(GONE + SWEEP).await;
        assert!(tell() && is() == Some(Presence::Offline));
        // Its data centre burns while she is there.
        let _syncing = elsewhere.sync(&mina, Presence::Online, 0);
        assert!(tell() && is() == Some(Presence::Online));
        tokio::time::advance(BELIEVED + SWEEP).await;
        assert_eq!(is(), Some(Presence::Offline));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_a_change_and_the_same_again_is_none() {
        let now = PresenceNow::new(Wake::default());
        let mina = user("m");
        let busy = || Some("busy".to_owned());
        assert!(now.set(&mina, Presence::Online, None, 1));
        assert!(now.set(&mina, Presence::Online, busy(), 1));
        assert!(!now.set(&mina, Presence::Online, busy(), 1));
        assert_eq!(now.changed_since(Some(2), 9).len(), 0);
        assert_eq!(now.changed_since(Some(1), 9).len(), 1);
    }
}
