//! Subscriptions: that a person lets a merchant charge them again and again.

use crate::id::{PaymentId, SubscriptionId};
use bongsu_base::{LogTime, Millis, UserId};
use bongsu_ledger::{Amount, Currency, Money};
use serde::{Deserialize, Serialize};

/// The longest that a consent may last.
pub const LONGEST: Millis = Millis::hours(24 * 366 * 10);

/// How often a merchant may charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// Once in 24 hours.
    Day = 1,
    /// Once in seven days.
    Week = 2,
    /// Once in a month of Korea's calendar.
    Month = 3,
}

/// A subscription to be, with the payment of its first period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSubscription {
    /// How much is paid with the consent.
    pub money: Money,
    /// What for: the merchant's number of the order.
    pub order: String,
    /// Who pays, if that is known.
    pub payer: Option<UserId>,
    /// The most that may be charged at once.
    pub max: Amount,
    /// How often.
    pub period: Period,
    /// Until when.
    pub until: LogTime,
}

/// How far a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// Nobody has consented.
    Ready = 1,
    /// The merchant may charge.
    Active = 2,
    /// The payer consents no longer.
    Revoked = 3,
    /// The merchant charges no longer, or nobody consented in time.
    Ended = 4,
}

/// A subscription, as it was when this was said. It stands in what a merchant is told: a field is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Who charges.
    pub merchant: String,
    /// Who is charged: a user id; empty until they consent.
    pub payer: String,
    /// The payment with which they consent.
    pub payment: PaymentId,
    /// The most that may be charged at once, in minor units.
    pub max: i64,
    /// Of what.
    pub currency: Currency,
    /// How often.
    pub period: Period,
    /// Until when.
    pub until: LogTime,
    /// How far it is.
    pub state: SubscriptionState,
    /// What for: the merchant's number of the order.
    pub note: String,
    /// When it was prepared.
    pub made: LogTime,
    /// When it last changed.
    pub changed: LogTime,
    /// When the first period began: when the payer consented.
    pub begun: LogTime,
    /// The last period that was charged, counted from 0.
    pub charged: i64,
    /// How often it was charged after the first period.
    pub charges: i64,
    /// The last charge.
    pub last: Option<PaymentId>,
}
