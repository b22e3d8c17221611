//! Rules of operators about which payments are looked at before the money moves.

use bongsu_base::Millis;
use serde::{Deserialize, Serialize};

/// Which payments are looked at. There is one of each kind at most, in each currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Those of so much or more, in minor units.
    Amount(i64),
    /// Those of whoever has paid so often in a while.
    Count {
        /// How often without being looked at, at least 1.
        most: u32,
        /// In which time.
        within: Millis,
    },
    /// Those of so much or more to whom the payer never paid anything, or to whoever has a code.
    NewPayee(i64),
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleKind {
    /// The amount.
    Amount = 1,
    /// How often the payer pays.
    Count = 2,
    /// Whether the payer has paid the payee before.
    NewPayee = 3,
}

impl Rule {
    /// What it looks at.
    #[must_use]
    pub const fn kind(self) -> RuleKind {
        match self {
            Self::Amount(_) => RuleKind::Amount,
            Self::Count { .. } => RuleKind::Count,
            Self::NewPayee(_) => RuleKind::NewPayee,
        }
    }

    /// Whether its numbers make sense.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        match self {
            Self::Amount(least) | Self::NewPayee(least) => least >= 1,
            Self::Count { most, within } => most >= 1 && within.0 >= 1,
        }
    }
}

impl RuleKind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Count => "count",
            Self::NewPayee => "new-payee",
        }
    }
}

/// What becomes of a payment that is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The money moves to the other person.
    Move = 1,
    /// It waits for whoever has the code.
    Link = 2,
    /// It waits for the merchant.
    Capture = 3,
    /// The money moves to the merchant.
    Take = 4,
}
