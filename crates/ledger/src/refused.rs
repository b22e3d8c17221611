//! Why something was not done.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Declares the rules with the numbers under which refusals are kept; a released number never changes.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// The rule by which something was refused. Nothing was moved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
        pub enum Refused {
            $($(#[$doc])* #[error($text)] $name = $number,)*
        }

        impl Refused {
            /// The rule that is kept under `number`.
            pub(crate) fn from_number(number: i64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

rules! {
    /// An amount is at least one minor unit.
    AmountIsZero = 1, "the amount is zero";
    /// Money is moved back by a reversal or a transfer the other way.
    AmountIsNegative = 2, "the amount is negative";
    /// An amount is at most 2^63 - 1 minor units.
    AmountTooLarge = 3, "the amount is larger than 9223372036854775807 minor units";
    /// What an account has ever received or given would exceed 2^63 - 1 minor units.
    BalanceOverflows = 4, "the account's totals would exceed 9223372036854775807 minor units";
    /// Not a currency of ISO 4217 that is in use.
    UnknownCurrency = 5, "this is not the code of a currency";
    /// The money is of another currency than the account's ledger.
    OtherCurrency = 6, "the account is kept in another currency";
    /// The two accounts are in different ledgers.
    OtherLedger = 7, "the accounts are in different ledgers";
    /// There is no such ledger.
    NoSuchLedger = 8, "there is no such ledger";
    /// There is no such account.
    NoSuchAccount = 9, "there is no such account";
    /// Debit and credit are the same account.
    SameAccount = 10, "debit and credit are the same account";
    /// The ledger exists with another currency.
    LedgerDiffers = 11, "the ledger exists with another currency";
    /// The account exists with other properties.
    AccountDiffers = 12, "the account exists with other properties";
    /// An account number is at least 1.
    AccountIdOutOfRange = 13, "an account's number is at least 1";
    /// The account was closed, which is for ever.
    AccountClosed = 14, "the account is closed";
    /// The account is frozen: money that is held may go back, nothing else moves.
    AccountFrozen = 15, "the account is frozen";
    /// An account with a balance is not closed.
    AccountHasBalance = 16, "the account still has a balance";
    /// An account with holds is not closed.
    AccountHasHolds = 17, "the account still has holds";
    /// The account's debits, held ones included, must not exceed its credits.
    ExceedsCredits = 18, "the debits would exceed the credits";
    /// The account's credits, held ones included, must not exceed its debits.
    ExceedsDebits = 19, "the credits would exceed the debits";
    /// There is no transfer of this id.
    NoSuchTransfer = 20, "there is no such transfer";
    /// What was named is no hold.
    NotAHold = 21, "this is not a hold";
    /// The hold was settled, voided or has expired.
    HoldIsOver = 22, "the hold is over";
    /// A hold is settled with at most what it holds.
    ExceedsHold = 23, "this is more than the hold holds";
    /// A hold expires later than it begins.
    ExpiryNotLater = 24, "a hold must expire later than it begins";
    /// Only what moved money can be reversed, and no reversal.
    NotReversible = 25, "only transfers and settlements can be reversed";
    /// All reversals together are at most the original.
    ExceedsOriginal = 26, "this is more than is left of the original";
    /// The id was used with other parameters.
    IdTaken = 27, "the id was used for something else";
    /// Another instruction in the chain was refused.
    LinkedFailed = 28, "another instruction in the chain was refused";
    /// Another instruction in the chain was asked before, outside of this chain.
    LinkedToKnown = 29, "another instruction in the chain has an answer already";
    /// An id stands in a chain twice.
    IdTwiceInChain = 30, "an id stands in the chain twice";
    /// The last instruction of a batch is linked to nothing.
    ChainOpen = 31, "the last instruction of the batch is linked to a next one";
    /// A batch has at most [`crate::BATCH`] instructions.
    BatchTooLong = 32, "the batch has too many instructions";
    /// Time is before that of what was done last.
    TimeRunsBack = 33, "the time is before that of the last transfer";
}
