//! What goes over the wire, in JSON.

use crate::{Direction, Order, Reason, Said};
use bongsu_base::LogTime;
use bongsu_ledger::{Amount, Currency, Money};
use serde::{Deserialize, Serialize};

/// An order, but for its id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    direction: Way,
    account: String,
    /// In minor units.
    amount: i64,
    currency: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Collect,
    Pay,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SaidBody {
    /// The money has moved.
    Done {
        /// The bank's name for it.
        reference: String,
        /// When.
        at_ms: i64,
    },
    /// It never will.
    Refused {
        /// The code of the reason.
        reason: String,
    },
}

/// Of what a statement is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// In which currency.
    pub currency: String,
    /// From when on.
    pub from_ms: i64,
    /// Before when.
    pub to_ms: i64,
}

impl From<&Order> for OrderBody {
    fn from(order: &Order) -> Self {
        Self {
            direction: match order.direction {
                Direction::Collect => Way::Collect,
                Direction::Pay => Way::Pay,
            },
            account: order.account.clone(),
            amount: order.money.amount.minor(),
            currency: order.money.currency.to_string(),
        }
    }
}

impl OrderBody {
    /// The order of this id; otherwise why it is none.
    pub fn order(self, id: String) -> Result<Order, String> {
        let amount = Amount::new(self.amount).map_err(|_| "an amount is more than nothing")?;
        Ok(Order {
            id,
            direction: match self.direction {
                Way::Collect => Direction::Collect,
                Way::Pay => Direction::Pay,
            },
            account: self.account,
            money: Money {
                amount,
                currency: currency(&self.currency)?,
            },
        })
    }
}

/// The currency of this code.
pub fn currency(code: &str) -> Result<Currency, String> {
    code.parse()
        .map_err(|_| format!("{code} is no currency (ISO 4217)"))
}

impl From<Said> for SaidBody {
    fn from(said: Said) -> Self {
        match said {
            Said::Done { reference, at } => Self::Done {
                reference,
                at_ms: at.0,
            },
            Said::Refused { reason } => Self::Refused {
                reason: reason.code().to_owned(),
            },
        }
    }
}

impl SaidBody {
    /// What was said; nothing if the reason is not known here.
    pub fn said(self) -> Option<Said> {
        Some(match self {
            Self::Done { reference, at_ms } => Said::Done {
                reference,
                at: LogTime(at_ms),
            },
            Self::Refused { reason } => Said::Refused {
                reason: Reason::of_code(&reason)?,
            },
        })
    }
}
