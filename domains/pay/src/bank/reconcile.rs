//! Comparing what a bank says that it moved with the books.

use crate::apply::codes;
use crate::command::Ordered;
use crate::id::PaymentId;
use crate::state::{book, damaged, merchant, payment, set_aside};
use crate::{Kind, State, query};
use bongsu_bank_rail::camt::{Entry, Statement};
use bongsu_base::LogTime;
use bongsu_lane::ReadView;
use bongsu_ledger::{AccountId, Currency, Start, Transfer};
use rusqlite::Result;
use std::collections::BTreeMap;

/// How many lines of the books are read at a time.
const PAGE: usize = 1_000;

/// In which way bank and books differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// The bank moved it, and the books do not have it.
    AtBankOnly,
    /// The books have it, and the bank did not move it.
    HereOnly,
    /// Both have it, with different amounts.
    Amount,
    /// The books wait for what the bank says.
    Waiting,
    /// The bank's statement has it more than once.
    Twice,
    /// The books refuse to take what the bank said of it.
    SetAside,
}

impl Differs {
    /// For a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtBankOnly => "at_bank_only",
            Self::HereOnly => "here_only",
            Self::Amount => "amount_differs",
            Self::Waiting => "waiting",
            Self::Twice => "twice",
            Self::SetAside => "set_aside",
        }
    }
}

/// Something in which they differ. Amounts are minor units, below zero for what left our account at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which way.
    pub differs: Differs,
    /// The order's name at the bank.
    pub order: String,
    /// What it is for, if it is an order of ours.
    pub of: Option<Ordered>,
    /// What the bank moved.
    pub bank: Option<i64>,
    /// What the books have.
    pub here: Option<i64>,
    /// The bank's name for it.
    pub reference: Option<String>,
    /// In words.
    pub detail: String,
}

/// What came of comparing a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// In which currency.
    pub currency: Currency,
    /// How many entries the statement has.
    pub entries: usize,
    /// How many of them the books have as they are.
    pub agree: usize,
    /// The balance with which the statement ends.
    pub closing: i64,
    /// What is at the bank by the books, now.
    pub here: i64,
    /// All differences, in the order of the statement.
    pub differences: Vec<Difference>,
}

/// An order of ours.
struct Known {
    amount: i64,
    currency: Currency,
    state: Answered,
    made: LogTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    Not,
    Done,
    Refused,
}

/// Compares `statement` with the books. What was asked for before it begins is not expected in it, nor what was heard of
/// after it ends, or after `asked`, the log's time when the bank was asked for it: the bank did it before it said so.
pub fn compare(
    view: &ReadView<'_>,
    statement: &Statement,
    asked: Option<LogTime>,
) -> Result<Compared> {
    let currency = statement.currency;
    let mut compared = Compared {
        currency,
        entries: statement.entries.len(),
        agree: 0,
        closing: statement.closing(),
        here: 0,
        differences: Vec::new(),
    };
    let mut seen: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &statement.entries {
        let found = match seen.insert(&entry.order, entry) {
            Some(first) => Some(twice(first, entry)),
            None => look(view, entry)?,
        };
        match found {
            Some(difference) => compared.differences.push(difference),
            None => compared.agree += 1,
        }
    }
    let within = |made: LogTime| statement.from <= made && made < statement.to;
    if let Some(book) = book::find(view.db(), currency)? {
        let balance = query::account(view, book.bank)?;
        compared.here = balance.debits_posted - balance.credits_posted;
        let mut missing = Vec::new();
        let heard = LogTime(statement.to.0.saturating_sub(1));
        let heard = asked.map_or(heard, |asked| heard.min(asked));
        for (ordered, amount) in moved(view, book.bank, (statement.from, heard))? {
            let order = ordered.to_string();
            let made = known(view, &ordered)?.map(|known| known.made);
            if !seen.contains_key(order.as_str()) && made.is_some_and(within) {
                missing.push(of_ours(Differs::HereOnly, ordered, amount));
            }
        }
        compared.differences.extend(missing.into_iter().rev());
    }
    for ordered in waiting(view, currency)? {
        if let Some(known) = known(view, &ordered)?
            && within(known.made)
            && !seen.contains_key(ordered.to_string().as_str())
        {
            let mut waits = of_ours(Differs::Waiting, ordered.clone(), known.amount);
            if let Some(aside) = set_aside::find(view.db(), &ordered)? {
                waits.differs = Differs::SetAside;
                waits.detail = refused_here(&aside.why);
                waits.reference = aside.reference;
            }
            compared.differences.push(waits);
        }
    }
    Ok(compared)
}

/// What differs about an entry, if anything does.
fn look(view: &ReadView<'_>, entry: &Entry) -> Result<Option<Difference>> {
    let ordered: Option<Ordered> = entry.order.parse().ok();
    let known = match &ordered {
        Some(ordered) => known(view, ordered)?,
        None => None,
    };
    let Some(known) = known else {
        let words = "no order of ours has this name";
        return Ok(Some(of_bank(Differs::AtBankOnly, entry, None, words)));
    };
    let aside = match &ordered {
        Some(ordered) => set_aside::find(view.db(), ordered)?,
        None => None,
    };
    if let Some(aside) = aside {
        let words = refused_here(&aside.why);
        let mut difference = of_bank(Differs::SetAside, entry, ordered, &words);
        difference.here = Some(known.amount);
        return Ok(Some(difference));
    }
    let same = known.amount == entry.signed() && known.currency == entry.money.currency;
    let (differs, words) = match known.state {
        Answered::Done if same => return Ok(None),
        Answered::Done => (Differs::Amount, "the order was of another amount"),
        Answered::Not if same => (Differs::Waiting, "the bank did it, which is not known here"),
        Answered::Not => (Differs::Amount, "the order is of another amount, and waits"),
        Answered::Refused => (Differs::AtBankOnly, "by the books the bank refused it"),
    };
    let mut difference = of_bank(differs, entry, ordered, words);
    difference.here = Some(known.amount);
    Ok(Some(difference))
}

fn refused_here(why: &str) -> String {
    format!("what the bank said was set aside: the books refuse it ({why})")
}

fn of_bank(differs: Differs, entry: &Entry, of: Option<Ordered>, words: &str) -> Difference {
    Difference {
        differs,
        order: entry.order.clone(),
        of,
        bank: Some(entry.signed()),
        here: None,
        reference: Some(entry.reference.clone()),
        detail: words.to_owned(),
    }
}

fn of_ours(differs: Differs, ordered: Ordered, amount: i64) -> Difference {
    let words = match differs {
        Differs::Waiting => "the bank has not said what became of it",
        _ => "the statement does not have it",
    };
    Difference {
        differs,
        order: ordered.to_string(),
        of: Some(ordered),
        bank: None,
        here: Some(amount),
        reference: None,
        detail: words.to_owned(),
    }
}

fn twice(first: &Entry, again: &Entry) -> Difference {
    let words = if first.reference == again.reference {
        "the same entry stands there again".to_owned()
    } else {
        format!("it was carried out as {} before", first.reference)
    };
    of_bank(Differs::Twice, again, again.order.parse().ok(), &words)
}

/// What the books have of an order to the bank.
fn known(view: &ReadView<'_>, ordered: &Ordered) -> Result<Option<Known>> {
    match ordered {
        Ordered::Payment(id) => {
            let Some(found) = payment::find(view.db(), *id)? else {
                return Ok(None);
            };
            let amount = match found.kind {
                Kind::TopUp => found.amount,
                Kind::Withdrawal => -found.amount,
                Kind::Transfer | Kind::Link | Kind::Purchase => return Ok(None),
            };
            Ok(Some(Known {
                amount,
                currency: found.currency,
                state: match found.state {
                    State::AtBank => Answered::Not,
                    State::Paid => Answered::Done,
                    _ => Answered::Refused,
                },
                made: found.made,
            }))
        }
        Ordered::Settlement(n) => {
            let Some(found) = merchant::settlement(view.db(), *n)? else {
                return Ok(None);
            };
            Ok(Some(Known {
                amount: -found.amount,
                currency: found.currency.parse().map_err(|_| damaged("currency"))?,
                state: match found.state {
                    1 => Answered::Not,
                    2 => Answered::Done,
                    _ => Answered::Refused,
                },
                made: found.made,
            }))
        }
    }
}

/// The orders that moved something on `bank` by the books within a time, its end included, newest first.
fn moved(
    view: &ReadView<'_>,
    bank: AccountId,
    (from, to): (LogTime, LogTime),
) -> Result<Vec<(Ordered, i64)>> {
    let mut found = Vec::new();
    let mut start = Start::At(to);
    loop {
        let page = bongsu_ledger::statement(view.db(), bank, start, PAGE)?;
        let page = page.map_err(|_| damaged("bank"))?;
        for line in page.lines {
            if line.transfer.time < from {
                return Ok(found);
            }
            found.extend(order_of(&line.transfer, bank));
        }
        match page.next {
            Some(next) => start = Start::Cursor(next),
            None => return Ok(found),
        }
    }
}

/// The order that a line of the bank's account is of, and what it moved there.
fn order_of(line: &Transfer, bank: AccountId) -> Option<(Ordered, i64)> {
    if !matches!(
        line.kind,
        bongsu_ledger::Kind::Transfer | bongsu_ledger::Kind::Settle
    ) {
        return None;
    }
    let ordered = settlement_of(line).map(Ordered::Settlement);
    let ordered = ordered.unwrap_or(Ordered::Payment(PaymentId(line.user_data)));
    let amount = line.amount.minor();
    let came = line.debit == bank;
    Some((ordered, if came { amount } else { -amount }))
}

/// The number of the settlement that a line of the books is of.
pub fn settlement_of(line: &Transfer) -> Option<i64> {
    let (_, n) = line.user_data.split_last_chunk()?;
    (line.code == codes::SETTLEMENT).then_some(i64::from_be_bytes(*n))
}

/// All orders of which the bank has said nothing, the oldest first.
fn waiting(view: &ReadView<'_>, currency: Currency) -> Result<Vec<Ordered>> {
    let payments = payment::at_bank(view.db(), currency)?;
    let settlements = merchant::at_bank(view.db(), currency)?;
    let payments = payments.into_iter().map(Ordered::Payment);
    Ok(payments
        .chain(settlements.into_iter().map(Ordered::Settlement))
        .collect())
}
