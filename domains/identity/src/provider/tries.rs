//! How often somebody may type a code that no device has (RFC 8628, section 5.1).

use bongsu_base::{LogTime, Millis, UserId};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// How many wrong codes one account may type within the window, at one data centre: of 25.6 thousand million.
const MOST: u32 = 20;
const WINDOW: Millis = Millis::minutes(15);
/// How many accounts are remembered.
const REMEMBERED: usize = 10_000;

/// Who tried how often, and since when.
#[derive(Debug, Default)]
pub struct Tries(Mutex<BTreeMap<UserId, (u32, LogTime)>>);

impl Tries {
    /// Counts a try; whether it is one that may be made.
    pub fn count(&self, user: &UserId, now: LogTime) -> bool {
        let mut tries = self.0.lock();
        if tries.len() >= REMEMBERED {
            tries.retain(|_, (_, since)| now.since(*since) < WINDOW);
        }
        if tries.len() >= REMEMBERED && !tries.contains_key(user) {
            return false;
        }
        let entry = tries.entry(user.clone()).or_insert((0, now));
        if now.since(entry.1) >= WINDOW {
            *entry = (0, now);
        }
        entry.0 += 1;
        entry.0 <= MOST
    }

    /// Takes a try back: the code was one.
    pub fn forgive(&self, user: &UserId) {
        if let Some((count, _)) = self.0.lock().get_mut(user) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tries_too_often_waits() {
        let (tries, mina) = (Tries::default(), "@mina:a".parse().unwrap());
        let juno = "@juno:a".parse().unwrap();
        for _ in 0..MOST {
            assert!(tries.count(&mina, LogTime(0)));
        }
        assert!(!tries.count(&mina, LogTime(1)));
        assert!(tries.count(&juno, LogTime(1)));
        assert!(tries.count(&mina, LogTime(WINDOW.0)));
        for _ in 0..100 {
            assert!(tries.count(&juno, LogTime(2)));
            tries.forgive(&juno);
        }
    }
}
