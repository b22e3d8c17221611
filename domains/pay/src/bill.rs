//! Bills: what a person asks of others, a share of each.

use crate::id::{BillId, PaymentId};
use bongsu_base::{LogTime, Millis, UserId};
use bongsu_ledger::{Amount, Currency};
use serde::{Deserialize, Serialize};

/// The most people that a bill may ask.
pub const MOST_SHARES: usize = 100;
/// The longest that a bill may wait.
pub const LONGEST: Millis = Millis::hours(24 * 30);

/// A bill to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBill {
    /// What for.
    pub note: String,
    /// In which currency.
    pub currency: Currency,
    /// Who is asked for how much; whoever asks may be one of them, and has nothing to pay.
    pub shares: Vec<(UserId, Amount)>,
    /// How long it waits.
    pub lasts: Millis,
}

/// How far a bill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BillState {
    /// It waits for somebody.
    Open = 1,
    /// Everybody has paid or declined.
    Done = 2,
    /// It was called off.
    Canceled = 3,
    /// Its time ran out.
    Expired = 4,
}

/// How far a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareState {
    /// It was not paid.
    Open = 1,
    /// It was paid.
    Paid = 2,
    /// Whoever is asked will not pay it.
    Declined = 3,
    /// It is that of whoever asks: there is nothing to pay.
    Own = 4,
    /// It was paid, and an operator looks at the payment first.
    Review = 5,
}

/// What one person is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Who.
    pub person: String,
    /// How much, in minor units.
    pub amount: i64,
    /// How far it is.
    pub state: ShareState,
    /// With what it was paid.
    pub payment: Option<PaymentId>,
}

/// A bill, as it was when this was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Its id.
    pub id: BillId,
    /// Who asks.
    pub asker: String,
    /// What for.
    pub note: String,
    /// In which currency.
    pub currency: Currency,
    /// How much all shares are together, in minor units.
    pub total: i64,
    /// How far it is.
    pub state: BillState,
    /// When it began.
    pub made: LogTime,
    /// When it last changed.
    pub changed: LogTime,
    /// When it ends by itself.
    pub expires: Option<LogTime>,
    /// The shares that whoever looks may see.
    pub shares: Vec<Share>,
}

impl Bill {
    /// The share of `person`.
    #[must_use]
    pub fn share_of(&self, person: &str) -> Option<&Share> {
        self.shares.iter().find(|share| share.person == person)
    }

    /// The bill as `person` may see it: whoever asks sees all shares, whoever is asked sees their own, nobody else sees it.
    #[must_use]
    pub fn seen_by(mut self, person: &str) -> Option<Self> {
        if self.asker != person {
            self.shares.retain(|share| share.person == person);
        }
        (!self.shares.is_empty()).then_some(self)
    }
}
