//! How guessing passwords is slowed down: by account and by network, in log time.
//!
//! After so many failures within a window the counter locks. While it is locked nothing is counted and
//! nothing opens, so that knocking on does not prolong it. The first failure after a lock locks again,
//! twice as long, up to a longest. What has been quiet for [`FORGET`] is forgotten.
//!
//! The limits are part of the behaviour: to change one is a new version of the domain.

use crate::state::lockout::{Counter, Scope, clear, forget, get, set};
use bongsu_base::{LogTime, Millis, UserId};
use rusqlite::{Connection, Result};

struct Limits {
    failures: u32,
    window: Millis,
    first_lock: Millis,
    longest_lock: Millis,
}

const ACCOUNT: Limits = Limits {
    failures: 5,
    window: Millis::minutes(5),
    first_lock: Millis::seconds(30),
    longest_lock: Millis::minutes(15),
};
const ADDRESS: Limits = Limits {
    failures: 50,
    ..ACCOUNT
};

/// How long after its last failure a counter is forgotten; longer than the longest lock.
const FORGET: Millis = Millis::minutes(30);
/// How many forgotten counters a failure removes: more than it can add, so that they stay few.
const REMOVED_AT_ONCE: u32 = 8;

/// How long signing in to `user` from `address` is locked; the longer of the two locks.
pub fn wait(db: &Connection, user: &UserId, address: &str, now: LogTime) -> Result<Option<Millis>> {
    let mut longest = None;
    for scope in [Scope::Account(user.as_str()), Scope::Address(address)] {
        let until = get(db, scope)?.map(|counter| counter.locked_until.since(now));
        longest = longest.max(until.filter(|left| left.0 > 0));
    }
    Ok(longest)
}

/// Counts a failure.
pub(super) fn count(db: &Connection, user: &UserId, address: &str, now: LogTime) -> Result<()> {
    forget(db, LogTime(now.0.saturating_sub(FORGET.0)), REMOVED_AT_ONCE)?;
    for (scope, limits) in [
        (Scope::Account(user.as_str()), ACCOUNT),
        (Scope::Address(address), ADDRESS),
    ] {
        let before = get(db, scope)?.filter(|counter| now.since(counter.last) <= FORGET);
        set(db, scope, &failed(before, &limits, now))?;
    }
    Ok(())
}

/// Forgets an account's failures, once its password was given.
pub(super) fn opened(db: &Connection, user: &UserId) -> Result<()> {
    clear(db, Scope::Account(user.as_str()))
}

/// The counter after one more failure.
fn failed(before: Option<Counter>, limits: &Limits, now: LogTime) -> Counter {
    let fresh = Counter {
        failures: 0,
        window_start: now,
        strikes: 0,
        locked_until: LogTime(0),
        last: now,
    };
    let mut counter = before.unwrap_or(fresh);
    counter.last = now;
    if now.since(counter.window_start) > limits.window {
        counter.failures = 0;
        counter.window_start = now;
    }
    counter.failures += 1;
    if counter.failures >= limits.failures {
        let doubled = limits
            .first_lock
            .0
            .saturating_mul(1 << counter.strikes.min(20));
        counter.locked_until = now + Millis(doubled.min(limits.longest_lock.0));
        counter.strikes += 1;
        // One more failure within a window after the lock locks again.
        counter.failures = limits.failures - 1;
        counter.window_start = counter.locked_until;
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as soon as it can, `times` times; gives the lengths of the locks in seconds.
    fn locks(limits: &Limits, times: usize) -> Vec<i64> {
        let mut now = LogTime(1_000_000);
        let mut counter = None;
        let mut locks = Vec::new();
        for _ in 0..times {
            let next = failed(counter, limits, now);
            if next.locked_until > now {
                locks.push(next.locked_until.since(now).0 / 1000);
                now = next.locked_until;
            }
            now = now + Millis::seconds(1);
            counter = Some(next);
        }
        locks
    }

    #[test]
    fn locks_double_up_to_the_longest() {
        assert!(locks(&ACCOUNT, 4).is_empty());
        assert_eq!(locks(&ACCOUNT, 11), [30, 60, 120, 240, 480, 900, 900]);
        assert!(locks(&ADDRESS, 49).is_empty());
        assert_eq!(locks(&ADDRESS, 50), [30]);
    }

    #[test]
    fn slow_failures_never_lock() {
        let mut now = LogTime(0);
        let mut counter = None;
        for _ in 0..100 {
            let next = failed(counter, &ACCOUNT, now);
            assert!(next.locked_until <= now);
            now = now + Millis::seconds(76);
            counter = Some(next);
        }
    }
}
