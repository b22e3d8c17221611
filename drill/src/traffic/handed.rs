//! Tokens that people have of a service, for whoever takes them there.

use crate::ledger::Token;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use tokio::time::Instant;

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
    good: Mutex<BTreeMap<usize, Token>>,
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
        self.good.lock().insert(n, token);
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
        let good = self.good.lock();
        let place = nth % good.len().max(1);
        good.values().nth(place).cloned()
    }

    /// Whether it is good still.
    pub fn is_good(&self, token: &Token) -> bool {
        self.good.lock().values().any(|good| good == token)
    }

    /// One that was taken back, and when.
    pub fn revoked(&self, nth: usize) -> Option<(Token, Instant)> {
        let revoked = self.revoked.lock();
        revoked.get(nth % revoked.len().max(1)).cloned()
    }
}
