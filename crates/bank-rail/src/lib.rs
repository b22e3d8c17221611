//! A bank as payments see it: orders to collect from people's accounts and to pay into them, what the bank says of
//! them, and its statements (ISO 20022 camt.053).
//!
//! It promises that an order repeated under its id is the same order ([`Bank`]), that not knowing is an answer of
//! its own ([`Unknown`]), and that [`camt`] reads what it writes. [`Simulated`] is a bank for laptops, tests and
//! drills, in memory or in a file, which can be slow, lose orders and answers and hear orders twice, but never does one
//! twice; [`serve`] gives it to others over HTTP, and [`HttpBank`] is how they reach it. It must never know wallets.

pub mod camt;
mod http;
mod simulated;

pub use self::http::{HttpBank, serve};
pub use simulated::{Faults, Simulated};

use bongsu_base::LogTime;
use bongsu_ledger::{Currency, Money};
use std::fmt::{self, Debug};
use thiserror::Error;

/// Which way the money goes, seen from the person's account at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the person's account to ours.
    Collect,
    /// From ours to the person's.
    Pay,
}

/// What a bank is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Made by whoever asks, 1 to 35 characters: the end-to-end id of ISO 20022.
    pub id: String,
    /// Which way.
    pub direction: Direction,
    /// The person's account, as the bank writes it.
    pub account: String,
    /// How much.
    pub money: Money,
}

/// What a bank did with an order. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The money has moved.
    Done {
        /// The bank's own name for it, which its statement has too.
        reference: String,
        /// When, by the bank.
        at: LogTime,
    },
    /// The money has not moved and will not.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// Why a bank refuses (the codes of ISO 20022's external status reasons).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no such account (AC01).
    NoSuchAccount,
    /// The account was closed (AC04).
    Closed,
    /// There is too little on it (AM04).
    InsufficientFunds,
    /// The account does not take it (AG01).
    Forbidden,
    /// The id was used for another order before (AM05).
    IdReused,
}

impl Reason {
    /// The code of four characters.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSuchAccount => "AC01",
            Self::Closed => "AC04",
            Self::InsufficientFunds => "AM04",
            Self::Forbidden => "AG01",
            Self::IdReused => "AM05",
        }
    }

    /// The reason of this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        const ALL: [Reason; 5] = [
            Reason::NoSuchAccount,
            Reason::Closed,
            Reason::InsufficientFunds,
            Reason::Forbidden,
            Reason::IdReused,
        ];
        ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::NoSuchAccount => "there is no such account",
            Self::Closed => "the account was closed",
            Self::InsufficientFunds => "there is too little on the account",
            Self::Forbidden => "the account is blocked",
            Self::IdReused => "the bank had another order of this name",
        };
        write!(f, "{} {words}", self.code())
    }
}

/// Nobody here knows what became of it: ask again, with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the bank gave no answer: {0}")]
pub struct Unknown(pub String);

/// A bank.
#[async_trait::async_trait]
pub trait Bank: Debug + Send + Sync + 'static {
    /// Has `order` done. To repeat one is harmless and gives the first answer.
    ///
    /// # Errors
    /// [`Unknown`] when no answer came; the order may have been done.
    async fn order(&self, order: &Order) -> Result<Said, Unknown>;

    /// What became of the order `id`; nothing if the bank never had it.
    ///
    /// # Errors
    /// [`Unknown`] when no answer came.
    async fn find(&self, id: &str) -> Result<Option<Said>, Unknown>;

    /// What moved on our account in `currency` from `from` on and before `to`, in the order in which it did.
    ///
    /// # Errors
    /// [`Unknown`] when no answer came.
    async fn statement(
        &self,
        currency: Currency,
        from: LogTime,
        to: LogTime,
    ) -> Result<camt::Statement, Unknown>;
}
