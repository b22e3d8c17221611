//! Statements: a page in JSON, or all of a time as a file, CSV (RFC 4180) or ISO 20022 camt.053.

use super::Api;
use super::gate::{Format, Paged};
use super::problem::Problem;
use super::wire::{LineBody, PageBody};
use crate::answer::{Payment, Refused};
use crate::bank::settlement_of;
use crate::command::Ordered;
use crate::query;
use axum::Json;
use axum::response::{IntoResponse, Response};
use bongsu_bank_rail::Direction;
use bongsu_bank_rail::camt::{self, Entry, Statement};
use bongsu_base::LogTime;
use bongsu_lane::{ReadError, ReadView};
use bongsu_ledger::{AccountId, Balance, Currency, Line, Money, Start};
use http::header;
use std::ops::RangeInclusive;

/// The most lines of a file.
const MOST: usize = 20_000;
/// How many are read at a time.
const PAGE: usize = 1_000;
/// The times that a date can say: the years 1 to 9999.
const DATES: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;
/// What ISO 20022 writes where there is no end-to-end id.
const NONE: &str = "NOTPROVIDED";
const HEAD: [&str; 9] = [
    "time", "what", "change", "balance", "held", "currency", "payment", "other", "note",
];

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A person's wallet.
    Wallet(String, Currency),
    /// What a merchant has earned and was not settled.
    Merchant(String),
    /// What the bank holds for everybody.
    Bank(Currency),
    /// What merchants paid for being paid.
    Fees(Currency),
}

/// Why there is no statement.
#[derive(Debug)]
pub enum NoStatement {
    /// There is nothing that it could be of.
    Refused(Refused),
    /// The cursor is none of this account.
    Cursor,
    /// Its time ends before it begins, or is none that a date can say.
    Times,
    /// It has too many lines for a file.
    TooLong,
    /// The view cannot be read now.
    Unread(ReadError),
}

impl NoStatement {
    /// What to do about times that are none.
    pub const fn times() -> &'static str {
        "`from_ms` is not after `to_ms`, both are milliseconds since 1970, and of the years 1 to 9999"
    }

    /// What to do about a file that is too long.
    pub fn too_long() -> String {
        format!(
            "the statement has more than {MOST} lines: `from_ms` and `to_ms` ask for a shorter time"
        )
    }
}

impl From<NoStatement> for Problem {
    fn from(none: NoStatement) -> Self {
        match none {
            NoStatement::Refused(refused) => refused.into(),
            NoStatement::Cursor => Self::bad(
                "invalid-query",
                "`cursor` is what a page of this statement gave as `next`",
            ),
            NoStatement::Times => Self::bad("invalid-query", NoStatement::times()),
            NoStatement::TooLong => Self::bad("invalid-query", NoStatement::too_long()),
            NoStatement::Unread(error) => error.into(),
        }
    }
}

type Found = rusqlite::Result<Result<(AccountId, Currency), Refused>>;

impl Whose {
    fn account(&self, view: &ReadView<'_>) -> Found {
        Ok(match self {
            Self::Wallet(owner, currency) => query::purse(view, owner, *currency)?
                .map(|purse| (purse.account, *currency))
                .ok_or(Refused::NoWallet),
            Self::Merchant(id) => query::merchant(view, id)?
                .map(|found| (found.pending, found.currency))
                .ok_or(Refused::NoSuchMerchant),
            Self::Bank(currency) => query::book(view, *currency)?
                .map(|book| (book.bank, *currency))
                .ok_or(Refused::NoWallet),
            Self::Fees(currency) => query::book(view, *currency)?
                .map(|book| (book.fees, *currency))
                .ok_or(Refused::NoWallet),
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Wallet(name, _) | Self::Merchant(name) => name,
            Self::Bank(_) => "bank",
            Self::Fees(_) => "fees",
        }
    }

    /// What is there: what the bank holds are its debits.
    fn balance(&self, balance: &Balance) -> i64 {
        let theirs = balance.credits_posted - balance.debits_posted;
        if matches!(self, Self::Bank(_)) {
            -theirs
        } else {
            theirs
        }
    }
}

/// All that happened to an account within a time.
#[derive(Debug)]
struct Sheet {
    account: AccountId,
    currency: Currency,
    from: LogTime,
    to: LogTime,
    opening: i64,
    lines: Vec<Row>,
}

/// A line, with its number in the books and the name of the order that it is of.
#[derive(Debug)]
struct Row {
    n: i64,
    order: String,
    line: LineBody,
}

impl Api {
    /// The statement that `paged` asks for.
    pub(super) async fn statement(
        &self,
        whose: Whose,
        paged: &Paged,
    ) -> Result<Response, NoStatement> {
        let (from, to) = (LogTime(paged.from_ms.unwrap_or(0)), paged.to_ms);
        let to = to.map_or(LogTime(self.lane.progress().time.0 + 1), LogTime);
        if from > to || [from, to].iter().any(|time| !DATES.contains(&time.0)) {
            return Err(NoStatement::Times);
        }
        if paged.format == Format::Json {
            return self.page(&whose, paged).await;
        }
        let look = move |view: &ReadView<'_>| sheet(view, &whose, (from, to));
        let sheet = self.lane.read_long(look).await;
        let sheet = sheet.map_err(NoStatement::Unread)??;
        let (kind, name, file) = match paged.format {
            Format::Camt => ("application/xml", "statement.xml", sheet.camt().to_xml()),
            _ => (
                "text/csv; charset=utf-8; header=present",
                "statement.csv",
                sheet.csv().into_bytes(),
            ),
        };
        let head = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
        ];
        Ok((head, file).into_response())
    }

    async fn page(&self, whose: &Whose, paged: &Paged) -> Result<Response, NoStatement> {
        let look = self.lane.read(|view| {
            let account = match whose.account(view)? {
                Ok((account, _)) => account,
                Err(refused) => return Ok(Err(NoStatement::Refused(refused))),
            };
            let found = query::statement(view, account, paged.start(), paged.limit)?;
            Ok(found.ok_or(NoStatement::Cursor))
        });
        let (page, of) = look.await.map_err(NoStatement::Unread)??;
        let lines = page.lines.iter().zip(&of);
        let items = lines.map(|(line, of)| line_of(whose, line, of.as_ref()));
        let body = PageBody {
            items: items.collect(),
            next: page.next.map(|cursor| cursor.0),
        };
        Ok(Json(body).into_response())
    }
}

fn line_of(whose: &Whose, line: &Line, payment: Option<&Payment>) -> LineBody {
    let mut body = LineBody::of(line, payment, whose.name());
    if matches!(whose, Whose::Bank(_)) {
        body.change = -body.change;
        body.held = line.balance.credits_pending;
    }
    body.balance = whose.balance(&line.balance);
    if let Some(n) = settlement_of(&line.transfer) {
        body.note = Some(format!("settlement {n}"));
    }
    body
}

fn sheet(
    view: &ReadView<'_>,
    whose: &Whose,
    (from, to): (LogTime, LogTime),
) -> rusqlite::Result<Result<Sheet, NoStatement>> {
    let (account, currency) = match whose.account(view)? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(NoStatement::Refused(refused))),
    };
    let before = LogTime(from.0.saturating_sub(1));
    let opening = bongsu_ledger::balance_at(view.db(), account, before)?;
    let mut sheet = Sheet {
        account,
        currency,
        from,
        to,
        opening: whose.balance(&opening.unwrap_or_default()),
        lines: Vec::new(),
    };
    let mut start = Start::At(LogTime(to.0.saturating_sub(1)));
    'pages: loop {
        let Some((page, of)) = query::statement(view, account, start, PAGE)? else {
            return Ok(Err(NoStatement::Cursor));
        };
        for (line, payment) in page.lines.iter().zip(&of) {
            if line.transfer.time < from {
                break 'pages;
            }
            if sheet.lines.len() == MOST {
                return Ok(Err(NoStatement::TooLong));
            }
            let settlement = settlement_of(&line.transfer).map(Ordered::Settlement);
            let of = payment.as_ref().map(|of| Ordered::Payment(of.id));
            let order = settlement.or(of).map(|order| order.to_string());
            sheet.lines.push(Row {
                n: line.transfer.n,
                order: order.unwrap_or_else(|| NONE.to_owned()),
                line: line_of(whose, line, payment.as_ref()),
            });
        }
        match page.next {
            Some(next) => start = Start::Cursor(next),
            None => break,
        }
    }
    sheet.lines.reverse();
    Ok(Ok(sheet))
}

impl Sheet {
    /// As a table: a head, and a line for each thing that happened, the oldest first.
    fn csv(&self) -> String {
        let mut table = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        table.write_record(HEAD).expect("it is written to memory");
        for Row { line, .. } in &self.lines {
            let amount = |minor| camt::decimal_of(minor, self.currency);
            let cells = [
                camt::moment(LogTime(line.time_ms)),
                line.what.to_owned(),
                amount(line.change),
                amount(line.balance),
                amount(line.held),
                self.currency.to_string(),
                line.payment.clone().unwrap_or_default(),
                line.other.clone().unwrap_or_default(),
                harmless(line.note.as_deref().unwrap_or_default()),
            ];
            table.write_record(cells).expect("it is written to memory");
        }
        let table = table.into_inner().expect("it is written to memory");
        String::from_utf8(table).expect("it is made of text")
    }

    /// As a bank's customer gets it. What was held and given free moved nothing, and is not in it.
    fn camt(&self) -> Statement {
        let moved = self.lines.iter().filter(|row| row.line.change != 0);
        let entries = moved.map(|Row { n, order, line }| Entry {
            reference: n.to_string(),
            order: order.clone(),
            direction: if line.change < 0 {
                Direction::Pay
            } else {
                Direction::Collect
            },
            money: Money {
                amount: line.change.abs().try_into().expect("it is not nothing"),
                currency: self.currency,
            },
            at: LogTime(line.time_ms),
        });
        Statement {
            id: format!("{}-{}", self.account.0, self.to.0),
            account: format!("BONGSU-{}", self.account.0),
            currency: self.currency,
            from: self.from,
            to: self.to,
            opening: self.opening,
            entries: entries.collect(),
        }
    }
}

/// A stranger's words as a cell that no spreadsheet takes for a formula (OWASP, CSV injection).
fn harmless(words: &str) -> String {
    if words.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{words}")
    } else {
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_strangers_words_are_no_formula() {
        for (words, expect) in [
            ("", ""),
            ("lunch = 2", "lunch = 2"),
            ("=1+1", "'=1+1"),
            ("+82", "'+82"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
        ] {
            assert_eq!(harmless(words), expect);
        }
    }
}
