//! What pay asks of the outside.

use crate::command::Ordered;
use crate::id::PaymentId;
use bongsu_base::{RoomId, UserId};
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
    /// Show in a room that somebody paid somebody.
    Show {
        /// The room.
        room: RoomId,
        /// With what.
        payment: PaymentId,
        /// Who paid.
        payer: UserId,
        /// Who was paid.
        payee: UserId,
        /// How much.
        money: Money,
        /// What for.
        note: String,
    },
}
