//! A double-entry ledger in a domain's view, which never pays twice.
//!
//! It promises that
//!
//! - every transfer debits one account and credits another by the same amount in one currency, so that in each
//!   ledger debits equal credits ([`Ledger::proof`] runs along, [`check`] proves it from the rows);
//! - an id moves money at most once, and has one answer for ever, refusals included;
//! - no account passes its [`Limit`], what is held counted in;
//! - a hold ends exactly once: settled, voided or expired;
//! - history is only added to: what was wrong is corrected by a reversal, never more than the original;
//! - each line of the history holds the hash over itself and the line before it in its ledger;
//! - the same calls give the same bytes in every database.
//!
//! It must never know a clock, chance, people, fees or cards: time comes in as the log's, ids from whoever
//! asks, and what the accounts are for is the domain's matter. It does no I/O but through the connection it is
//! given, and opens no transaction.
//!
//! # Words
//!
//! A **ledger** is a set of accounts in one currency. An **account** has **debits** and **credits**, which only
//! grow; its balance is their difference. A **transfer** debits one account and credits another. A **hold** is a
//! transfer announced: the amount is **pending** on both sides and cannot be used twice, until it is **settled**
//! (whole or in part, and then is **posted**), **voided**, or expires. A **reversal** is a transfer the other way
//! that names what it corrects. Linked instructions form a **chain**, of which all are done or none.

mod account;
mod amount;
mod apply;
mod balance;
mod block;
mod book;
mod bytes;
mod check;
mod currency;
mod expire;
mod hold;
mod id;
mod instruction;
mod known;
mod migrated;
mod open;
mod overlay;
mod patrol;
mod refused;
mod reverse;
mod row;
mod settle;
mod standing;
mod statement;
#[cfg(test)]
mod testing;
mod trail;
mod transfer;
mod void;
mod work;

pub use account::{Account, Balance, Limit, NewAccount, Side, Standing};
pub use amount::{Amount, Money};
pub use apply::{BATCH, apply, apply_one};
pub use balance::{balance, balance_at};
pub use book::{Ledger, Proof};
pub use check::{Broken, check};
pub use currency::Currency;
pub use expire::expire;
pub use id::{AccountId, LedgerId, TransferId};

pub use instruction::{Act, Answer, Between, Done, Instruction};
pub use migrated::migrated;
pub use open::{open_account, open_ledger};
pub use patrol::{Patrol, Seen};
pub use refused::Refused;
pub use row::{Kind, Transfer};
pub use standing::{close, freeze};
pub use statement::{Cursor, Line, Page, Start, statement};

/// What a domain's migrations run, in this order; whatever stands between them. The tables that they make have names that
/// begin with `ledger_` and `derived_ledger_`. After them [`migrated`] has to be called.
pub const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("packed.sql")];
