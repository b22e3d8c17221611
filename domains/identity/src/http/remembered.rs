//! What is remembered between the requests of one user-interactive authentication (Matrix v1.19,
//! client-server API). It enters no log: whose session is forgotten here begins another one.

use bongsu_base::{LogTime, Millis, UserId};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How long a session is remembered.
const KEPT_FOR: Millis = Millis::minutes(15);
/// How many sessions are remembered.
const KEPT: usize = 10_000;
/// The longest wishes that are remembered, in bytes.
const MAX_WISHES: usize = 4_096;

/// The sessions that were begun here lately. Cloning it gives another handle.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<Sessions>>);

#[derive(Default)]
struct Sessions {
    sessions: HashMap<String, Session>,
    by_age: VecDeque<(LogTime, String)>,
}

/// One session.
#[derive(Clone, Default)]
pub struct Session {
    /// What is to be done once its stage is completed.
    pub operation: String,
    /// What the client asked for when it began.
    pub wishes: Map<String, Value>,
    /// The account that was made in it.
    pub made: Option<UserId>,
}

impl Remembered {
    /// Remembers a session that begins at `now`. What is known of it already stays.
    pub fn begin(&self, name: &str, operation: &str, wishes: &Map<String, Value>, now: LogTime) {
        let mut all = self.0.lock();
        all.forget(now);
        if all.sessions.contains_key(name) {
            return;
        }
        let length: usize = wishes.values().map(|wish| wish.to_string().len()).sum();
        let wishes = if length <= MAX_WISHES {
            wishes.clone()
        } else {
            Map::new()
        };
        let session = Session {
            operation: operation.to_owned(),
            wishes,
            made: None,
        };
        all.sessions.insert(name.to_owned(), session);
        all.by_age.push_back((now, name.to_owned()));
    }

    /// What is known of a session.
    pub fn of(&self, name: &str, now: LogTime) -> Option<Session> {
        let mut all = self.0.lock();
        all.forget(now);
        all.sessions.get(name).cloned()
    }

    /// Notes that `user` was made in a session; what else was asked for, the password above all, is
    /// forgotten.
    pub fn made(&self, name: &str, user: &UserId) {
        if let Some(session) = self.0.lock().sessions.get_mut(name) {
            session.wishes.clear();
            session.made = Some(user.clone());
        }
    }
}

impl Sessions {
    fn forget(&mut self, now: LogTime) {
        while let Some((began, name)) = self.by_age.front() {
            if now.since(*began) <= KEPT_FOR && self.by_age.len() < KEPT {
                return;
            }
            self.sessions.remove(name);
            self.by_age.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wishes(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_session_is_remembered_for_a_while() {
        let all = Remembered::default();
        let at = |minutes| LogTime(Millis::minutes(minutes).0);
        let dog = wishes(json!({"password": "dog"}));
        all.begin("s", "register", &dog, at(0));
        all.begin("s", "other", &Map::new(), at(1));
        let found = all.of("s", at(15)).expect("remembered");
        assert_eq!(
            (found.operation.as_str(), &found.wishes),
            ("register", &dog)
        );
        let mina: UserId = "@mina:b".parse().expect("an id");
        all.made("s", &mina);
        all.made("unknown", &mina);
        let found = all.of("s", at(15)).expect("remembered");
        assert_eq!((found.wishes.len(), found.made), (0, Some(mina)));
        assert!(all.of("s", at(16)).is_none());
        assert!(all.of("unknown", at(0)).is_none());
    }

    #[test]
    fn neither_many_sessions_nor_long_wishes_are_remembered() {
        let all = Remembered::default();
        let long = wishes(json!({"password": "x".repeat(MAX_WISHES)}));
        all.begin("long", "register", &long, LogTime(0));
        assert!(
            all.of("long", LogTime(0))
                .is_some_and(|found| found.wishes.is_empty())
        );
        for n in 0..KEPT {
            all.begin(&n.to_string(), "register", &Map::new(), LogTime(0));
        }
        assert!(all.of("long", LogTime(0)).is_none());
        assert!(all.0.lock().sessions.len() <= KEPT);
    }
}
