//! Who is signed in, and who is at a provider to do so: in memory, bounded.

use crate::accounts::Way;
use crate::openid::Pending;
use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// How long somebody stays signed in, in seconds.
const LASTS: i64 = 12 * 3600;
/// How long somebody may be at a provider, in seconds.
const AWAY: i64 = 600;
/// How many of each are remembered; beyond that the oldest is forgotten.
const MOST: usize = 100_000;

struct Kept<T> {
    until: i64,
    what: T,
}

struct Store<T>(Mutex<BTreeMap<String, Kept<T>>>);

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Store<T> {
    fn put(&self, name: String, what: T, (now, lasts): (i64, i64)) {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.retain(|_, kept| kept.until > now);
        }
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, kept)| kept.until);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                all.remove(&oldest);
            }
        }
        let until = now + lasts;
        all.insert(name, Kept { until, what });
    }

    fn take(&self, name: &str, now: i64) -> Option<T> {
        let kept = self.0.lock().remove(name)?;
        (kept.until > now).then_some(kept.what)
    }
}

/// All of them.
#[derive(Default)]
pub struct Sessions {
    signed_in: Store<String>,
    away: Store<(Way, Pending)>,
}

impl Sessions {
    /// Signs the account of this name in; gives the cookie's value.
    pub fn begin(&self, account: &str, now: i64) -> Option<String> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).ok()?;
        let token = BASE64URL_NOPAD.encode(&random);
        let account = account.to_owned();
        self.signed_in.put(token.clone(), account, (now, LASTS));
        Some(token)
    }

    /// Whose cookie it is.
    pub fn account(&self, token: &str, now: i64) -> Option<String> {
        let all = self.signed_in.0.lock();
        let kept = all.get(token).filter(|kept| kept.until > now)?;
        Some(kept.what.clone())
    }

    /// Ends a session.
    pub fn end(&self, token: &str) {
        self.signed_in.0.lock().remove(token);
    }

    /// Notes that somebody went to a provider.
    pub fn leave(&self, way: Way, pending: Pending, now: i64) {
        let state = pending.state.clone();
        self.away.put(state, (way, pending), (now, AWAY));
    }

    /// What was noted when they went; once.
    pub fn back(&self, state: &str, now: i64) -> Option<(Way, Pending)> {
        self.away.take(state, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_its_time_and_ends_when_it_is_ended() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.begin("mina", 0), sessions.begin("jun", 0));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one, other);
        assert_eq!(sessions.account(&one, LASTS - 1).as_deref(), Some("mina"));
        assert_eq!(sessions.account(&one, LASTS), None);
        sessions.end(&other);
        assert_eq!(sessions.account(&other, 1), None);
    }
}
