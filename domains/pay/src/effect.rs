//! What pay asks of the outside.

use crate::command::Ordered;
use bongsu_ledger::Money;
use serde::{Deserialize, Serialize};

/// Something to be done outside. Encoded with postcard: variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// An order to the bank.
    Bank {
        /// What it is for.
        order: Ordered,
        /// Whether the bank collects, or pays.
        collect: bool,
        /// The account of the person or merchant.
        account: String,
        /// How much.
        money: Money,
    },
}
