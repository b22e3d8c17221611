//! What may be asked of the ledger, and what it answers.

use crate::{AccountId, Amount, Money, Refused, TransferId};
use bongsu_base::LogTime;
use serde::{Deserialize, Serialize};

/// From where to where, and how much. The debited account gives, the credited account receives, where
/// balances are credits, as in wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between {
    /// The account that is debited.
    pub debit: AccountId,
    /// The account that is credited.
    pub credit: AccountId,
    /// How much, in the currency of both accounts' ledger.
    pub money: Money,
}

/// What is asked. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Move money.
    Transfer(Between),
    /// Hold money until it is settled, voided, or log time reaches `expires`.
    Hold {
        /// What is held.
        between: Between,
        /// When it is free again; `None` is never.
        expires: Option<LogTime>,
    },
    /// End a hold and move what it held, or less. What is not moved is free again.
    Settle {
        /// The hold.
        hold: TransferId,
        /// How much; `None` is all.
        money: Option<Money>,
    },
    /// End a hold and move nothing.
    Void {
        /// The hold.
        hold: TransferId,
    },
    /// Move back what a transfer or settlement moved, or a part of it.
    Reverse {
        /// What is reversed.
        original: TransferId,
        /// How much; `None` is all that is left of it.
        money: Option<Money>,
    },
}

/// One instruction of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// What whoever asks calls it. The same id gets the first answer for ever.
    pub id: TransferId,
    /// Whether it and the next one are links of a chain, of which all are done or none.
    pub linked: bool,
    /// What is asked.
    pub act: Act,
    /// Its reason, in the words of whoever uses the ledger.
    pub code: u16,
    /// Anything.
    pub user_data: [u8; 16],
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The number of the transfer in the history.
    pub n: i64,
    /// When it was done.
    pub time: LogTime,
    /// How much was moved, held or given free.
    pub amount: Amount,
}

/// What became of an instruction, once and for ever.
pub type Answer = Result<Done, Refused>;

impl Instruction {
    pub(crate) fn new(id: TransferId, act: Act) -> Self {
        Self {
            id,
            linked: false,
            act,
            code: 0,
            user_data: [0; 16],
        }
    }

    /// Linked to the next one of the batch.
    #[must_use]
    pub fn linked(mut self) -> Self {
        self.linked = true;
        self
    }

    /// With a code and data.
    #[must_use]
    pub fn with(mut self, code: u16, user_data: [u8; 16]) -> Self {
        (self.code, self.user_data) = (code, user_data);
        self
    }

    /// By what two instructions of one id are told apart; all but the id and the link.
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
        const KEY: &[u8; 32] = b"bongsu 2026-11 instruction print";
        let (kind, between, id, money, expires) = match &self.act {
            Act::Transfer(between) => (1, Some(between), None, Some(between.money), None),
            Act::Hold { between, expires } => {
                (2, Some(between), None, Some(between.money), *expires)
            }
            Act::Settle { hold, money } => (3, None, Some(hold), *money, None),
            Act::Void { hold } => (4, None, Some(hold), None, None),
            Act::Reverse { original, money } => (6, None, Some(original), *money, None),
        };
        let mut bytes = [0; 71];
        let mut to = crate::bytes::Writer(&mut bytes);
        to.bytes(&[kind, u8::from(expires.is_some())]);
        to.i64(between.map_or(0, |between| between.debit.0));
        to.i64(between.map_or(0, |between| between.credit.0));
        to.bytes(&id.map_or([0; 16], |id| id.0));
        to.i64(money.map_or(0, |money| money.amount.minor()));
        match money {
            Some(money) => to.bytes(money.currency.code().as_bytes()),
            None => to.bytes(&[0; 3]),
        }
        to.i64(expires.map_or(0, |at| at.0));
        to.bytes(&self.code.to_le_bytes());
        to.bytes(&self.user_data);
        let hash = blake3::keyed_hash(KEY, &bytes);
        let mut print = [0; 16];
        print.copy_from_slice(&hash.as_bytes()[..16]);
        print
    }
}
