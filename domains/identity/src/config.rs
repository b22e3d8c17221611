//! What an operator decides about accounts.

use crate::Clock;
use bongsu_base::{Millis, ServerName};
use std::fmt;

/// Who may make an account.
#[derive(Clone, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Whoever knows this token.
    Token(String),
    /// Nobody but the operator.
    Closed,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Token(_) => "Token(..)",
            Self::Closed => "Closed",
        })
    }
}

/// What hashing one password costs (RFC 9106, argon2id, one lane).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingCost {
    /// Memory in KiB, at least 8.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
}

impl HashingCost {
    /// What the OWASP password storage cheat sheet recommends: 19 MiB, two passes.
    pub const OWASP: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };
    /// The least that argon2 knows; for tests.
    pub const LEAST: Self = Self {
        memory_kib: 8,
        passes: 1,
    };
}

/// How accounts are handled.
#[derive(Debug, Clone)]
pub struct Config {
    /// The installation's name in user ids.
    pub server_name: ServerName,
    /// Who may make an account.
    pub registration: Registration,
    /// How long an access token lasts for a client that can refresh it; others do not expire.
    pub access_token_lifetime: Millis,
    /// What hashing a password costs.
    pub hashing: HashingCost,
    /// Password hashes computed at the same time.
    pub hashing_at_once: usize,
    /// Requests that may wait for a password hash; more are refused with 429.
    pub hashing_waiting: usize,
    /// The time of day.
    pub clock: Clock,
}

impl Config {
    /// What suits one machine.
    #[must_use]
    pub fn new(server_name: ServerName, registration: Registration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            server_name,
            registration,
            access_token_lifetime: Millis::hours(1),
            hashing: HashingCost::OWASP,
            hashing_at_once: cores,
            hashing_waiting: 64 * cores,
            clock: Clock::system(),
        }
    }
}
