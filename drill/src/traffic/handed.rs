//! Tokens that people have of a service, for whoever takes them there.

use crate::ledger::Token;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// For how long a token is handed on, of which all last for ten minutes.
const LASTS: Duration = Duration::from_secs(8 * 60);
/// How many tokens that were taken back are remembered.
const REMEMBERED: usize = 64;

/// The service, as it registered.
#[derive(Debug, Clone, Default)]
pub struct Service {
    pub id: String,
    pub secret: String,
}

/// Tokens as they are handed on.
#[derive(Debug, Default)]
pub struct Handed {
    known: Mutex<(Service, Vec<String>)>,
    good: Mutex<BTreeMap<usize, (Token, Instant)>>,
    revoked: Mutex<VecDeque<(Token, Instant)>>,
}

impl Handed {
    /// The service is this one, and these are its people.
    pub fn begin(&self, service: Service, people: Vec<String>) {
        *self.known.lock() = (service, people);
    }

    /// The service and its people.
    pub fn known(&self) -> (Service, Vec<String>) {
        self.known.lock().clone()
    }

    /// Person `n` has a good token.
    pub fn give(&self, n: usize, token: &str, user: &str) {
        let token = Token {
            token: token.to_owned(),
            user: user.to_owned(),
            revoked: false,
        };
        self.good.lock().insert(n, (token, Instant::now()));
    }

    /// Whether the token of person `n` is good is not known any more.
    pub fn doubt(&self, n: usize) {
        self.good.lock().remove(&n);
    }

    /// A token was taken back, and that was acknowledged just now.
    pub fn revoke(&self, token: &str, user: &str) {
        let mut revoked = self.revoked.lock();
        if revoked.len() == REMEMBERED {
            revoked.pop_front();
        }
        let token = Token {
            token: token.to_owned(),
            user: user.to_owned(),
            revoked: true,
        };
        revoked.push_back((token, Instant::now()));
    }

    /// One that is good: the one after the `nth`, of those there are.
    pub fn good(&self, nth: usize) -> Option<Token> {
        let mut good = self.good.lock();
        good.retain(|_, (_, since)| since.elapsed() < LASTS);
        let place = nth % good.len().max(1);
        good.values().nth(place).map(|(token, _)| token.clone())
    }

    /// Whether it is good still.
    pub fn is_good(&self, token: &Token) -> bool {
        let good = self.good.lock();
        good.values().any(|(good, _)| good == token)
    }

    /// One that was taken back, and when.
    pub fn revoked(&self, nth: usize) -> Option<(Token, Instant)> {
        let revoked = self.revoked.lock();
        revoked.get(nth % revoked.len().max(1)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_handed_on_until_it_is_doubted_replaced_or_old() {
        let handed = Handed::default();
        let good = |nth| handed.good(nth).map(|token| token.token);
        assert_eq!(good(0), None);
        handed.give(0, "a", "@a:x");
        handed.give(1, "b", "@b:x");
        let [a, b] = [0, 1].map(|nth| handed.good(nth).expect("there"));
        assert_eq!(
            (&*a.token, &*b.token, good(2)),
            ("a", "b", Some("a".to_owned()))
        );
        handed.give(0, "c", "@a:x");
        handed.doubt(1);
        assert_eq!(good(5), Some("c".to_owned()));
        assert!(!handed.is_good(&a) && !handed.is_good(&b));
        advance(LASTS).await;
        assert_eq!(good(0), None);
    }

    #[tokio::test(start_paused = true)]
    async fn of_those_that_were_taken_back_the_newest_are_remembered() {
        let handed = Handed::default();
        assert_eq!(handed.revoked(3), None);
        for n in 0..=REMEMBERED {
            handed.revoke(&n.to_string(), "@a:x");
        }
        let (first, _) = handed.revoked(REMEMBERED).expect("there");
        assert!(first.revoked && first.token == "1", "{first:?}");
    }
}
