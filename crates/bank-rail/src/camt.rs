//! Statements of an account: ISO 20022, bank-to-customer statement, camt.053.001.08.

mod read;
mod write;

use crate::Direction;
use bongsu_base::LogTime;
use bongsu_ledger::{Currency, Money};
use chrono::{DateTime, SecondsFormat};
use thiserror::Error;

/// The namespace of the message.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";

/// What moved on an account within some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement's name, 1 to 35 characters.
    pub id: String,
    /// The account, 1 to 34 characters.
    pub account: String,
    /// Its currency.
    pub currency: Currency,
    /// From when on.
    pub from: LogTime,
    /// Before when.
    pub to: LogTime,
    /// The balance at the beginning, in minor units; below zero is owed to the bank.
    pub opening: i64,
    /// What moved, as it did.
    pub entries: Vec<Entry>,
}

/// One movement, of an account that money is collected to and paid from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The servicer's name for it, 1 to 35 characters.
    pub reference: String,
    /// The end-to-end id of the order that it comes from, 1 to 35 characters.
    pub order: String,
    /// [`Direction::Collect`] is a credit to the account, [`Direction::Pay`] a debit.
    pub direction: Direction,
    /// How much.
    pub money: Money,
    /// When it was booked.
    pub at: LogTime,
}

impl Entry {
    /// What it adds to the account's balance, in minor units.
    #[must_use]
    pub fn signed(&self) -> i64 {
        let minor = self.money.amount.minor();
        match self.direction {
            Direction::Collect => minor,
            Direction::Pay => -minor,
        }
    }
}

impl Statement {
    /// The balance at the end, in minor units.
    #[must_use]
    pub fn closing(&self) -> i64 {
        let moved = self.entries.iter().map(Entry::signed);
        moved.fold(self.opening, i64::saturating_add)
    }

    /// The statement as XML.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        write::write(self)
    }

    /// The statement that `xml` is: the first of the message, with the entries whose booking it says. The closing balance
    /// has to be what opening and entries give.
    ///
    /// # Errors
    /// [`Malformed`], with what is wrong.
    pub fn from_xml(xml: &[u8]) -> Result<Self, Malformed> {
        read::read(xml)
    }
}

/// Why a document is no statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It is no XML.
    #[error("the statement is not well-formed XML: {0}")]
    Xml(String),
    /// An element is not there.
    #[error("the statement lacks {0}")]
    Missing(&'static str),
    /// An element holds what it may not.
    #[error("{element} of the statement cannot be read: {value}")]
    Value {
        /// Which.
        element: &'static str,
        /// What stands there.
        value: String,
    },
    /// Opening balance and entries do not give the closing balance.
    #[error("the entries come to {computed}, and the closing balance is {said}, in minor units")]
    Sum {
        /// What the entries give.
        computed: i64,
        /// What the statement says.
        said: i64,
    },
}

/// A moment as ISO 8601 has it, in UTC. What lies outside the years that can be written is the beginning of 1970.
#[must_use]
pub fn moment(at: LogTime) -> String {
    let moment = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `minor` units as a decimal number of the currency.
#[must_use]
pub fn decimal_of(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", decimal(minor.unsigned_abs(), currency))
}

/// `minor` units without sign, as a decimal number of the currency.
fn decimal(minor: u64, currency: Currency) -> String {
    let exponent = usize::from(currency.exponent());
    if exponent == 0 {
        return minor.to_string();
    }
    let digits = format!("{minor:0width$}", width = exponent + 1);
    let (whole, part) = digits.split_at(digits.len() - exponent);
    format!("{whole}.{part}")
}

/// The minor units of a decimal number of the currency; none if it is none, or finer than the currency is.
fn minor(decimal: &str, currency: Currency) -> Option<u64> {
    let exponent = usize::from(currency.exponent());
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    let part = part.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > exponent || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<exponent$}").parse().ok()
}

#[cfg(test)]
mod tests;
