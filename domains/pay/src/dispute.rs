//! Disputes: a payer says that a purchase was not what it should have been.

use crate::id::PaymentId;
use bongsu_base::{LogTime, Millis};
use bongsu_ledger::Currency;
use serde::{Deserialize, Serialize};

/// How long after a purchase began it may be disputed.
pub const WITHIN: Millis = Millis::hours(24 * 90);

/// How far a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeState {
    /// It waits for the merchant and the operator.
    Open = 1,
    /// The merchant has answered; it waits for the operator.
    Answered = 2,
    /// The payer has the money back.
    Refunded = 3,
    /// The merchant keeps the money.
    Rejected = 4,
}

/// A dispute, as it was when this was said. It stands in what a merchant is told: a field is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Of which purchase.
    pub payment: PaymentId,
    /// Who was paid.
    pub merchant: String,
    /// Who paid, and disputes it.
    pub payer: String,
    /// How much was not given back when it began, in minor units.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
    /// How far it is.
    pub state: DisputeState,
    /// Why, in the payer's words.
    pub reason: String,
    /// What the merchant says.
    pub answer: String,
    /// When it began.
    pub made: LogTime,
    /// When it last changed.
    pub changed: LogTime,
}
