//! From XML to a statement.

use super::{Entry, Malformed, Statement, minor};
use crate::Direction;
use bongsu_base::LogTime;
use bongsu_ledger::{Amount, Currency, Money};
use chrono::DateTime;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// The longest document that is read, in bytes.
const LONGEST: usize = 64 << 20;
/// Where the statement stands.
const STATEMENT: &str = "Document/BkToCstmrStmt/Stmt";

/// What stands in an element's children, by their path below it.
type Texts = BTreeMap<String, String>;

/// The first statement of the document.
pub fn read(xml: &[u8]) -> Result<Statement, Malformed> {
    let parts = take_apart(xml)?;
    let head = |path: &'static str| parts.head.get(path).ok_or(Malformed::Missing(path));
    let currency = head("Acct/Ccy")?;
    let currency: Currency = currency.parse().map_err(|_| value("Acct/Ccy", currency))?;
    let balance = |code: &'static str| {
        let found = parts
            .balances
            .iter()
            .find(|balance| balance.get("Tp/CdOrPrtry/Cd").map(String::as_str) == Some(code));
        signed(found.ok_or(Malformed::Missing(code))?, currency)
    };
    let entries: Result<Vec<Entry>, _> = parts
        .entries
        .iter()
        .filter(|entry| is_booked(entry))
        .map(|texts| entry(texts, currency))
        .collect();
    let statement = Statement {
        id: head("Id")?.clone(),
        account: parts
            .head
            .get("Acct/Id/IBAN")
            .or(parts.head.get("Acct/Id/Othr/Id"))
            .ok_or(Malformed::Missing("Acct/Id"))?
            .clone(),
        currency,
        from: time("FrToDt/FrDtTm", head("FrToDt/FrDtTm")?)?,
        to: time("FrToDt/ToDtTm", head("FrToDt/ToDtTm")?)?,
        opening: balance("OPBD")?,
        entries: entries?,
    };
    let (computed, said) = (statement.closing(), balance("CLBD")?);
    if computed != said {
        return Err(Malformed::Sum { computed, said });
    }
    Ok(statement)
}

/// The texts of a statement: its own, and those of each balance and entry.
#[derive(Default)]
struct Parts {
    head: Texts,
    balances: Vec<Texts>,
    entries: Vec<Texts>,
}

impl Parts {
    fn begin(&mut self, path: &str) {
        match path {
            "Bal" => self.balances.push(Texts::new()),
            "Ntry" => self.entries.push(Texts::new()),
            _ => {}
        }
    }

    /// Keeps the first text at each path.
    fn put(&mut self, path: &str, text: &str) {
        let within =
            |path: &'static str| move |rest: &str| rest.strip_prefix(path).map(str::to_owned);
        let (texts, path) = if let Some(rest) = within("Bal/")(path) {
            (self.balances.last_mut(), rest)
        } else if let Some(rest) = within("Ntry/")(path) {
            (self.entries.last_mut(), rest)
        } else {
            (Some(&mut self.head), path.to_owned())
        };
        if let Some(texts) = texts {
            texts.entry(path).or_insert_with(|| text.to_owned());
        }
    }
}

/// The texts of the first statement of `xml`.
fn take_apart(xml: &[u8]) -> Result<Parts, Malformed> {
    let broken = |error: &dyn std::fmt::Display| Malformed::Xml(error.to_string());
    if xml.len() > LONGEST {
        return Err(broken(&format!("it is longer than {LONGEST} bytes")));
    }
    let text = std::str::from_utf8(xml).map_err(|error| broken(&error))?;
    let mut reader = Reader::from_str(text);
    let mut parts = Parts::default();
    let (mut path, mut said) = (Vec::<String>::new(), String::new());
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                path.push(local(&start));
                said.clear();
                if let Some(below) = below(&path) {
                    parts.begin(&below);
                    currency(&start, &below, &mut parts).map_err(|error| broken(&error))?;
                }
            }
            Event::Text(part) => {
                said.push_str(&part.decode().map_err(|error| broken(&error))?);
            }
            Event::GeneralRef(name) => said.push(character(&name)?),
            Event::End(_) => {
                // Between elements stands white space.
                if let (Some(below), false) = (below(&path), said.trim().is_empty()) {
                    parts.put(&below, &said);
                }
                let ended = path.join("/") == STATEMENT;
                path.pop();
                said.clear();
                if ended {
                    return Ok(parts);
                }
            }
            Event::DocType(_) => return Err(broken(&"it has a document type")),
            Event::Eof => return Err(Malformed::Missing(STATEMENT)),
            _ => {}
        }
    }
}

/// An element's name without its namespace's prefix.
fn local(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

/// The path below the statement.
fn below(path: &[String]) -> Option<String> {
    let whole = path.join("/");
    let rest = whole.strip_prefix(STATEMENT)?.strip_prefix('/')?;
    Some(rest.to_owned())
}

/// Keeps the currency of an amount beside it.
fn currency(
    start: &BytesStart<'_>,
    below: &str,
    parts: &mut Parts,
) -> Result<(), quick_xml::Error> {
    if let Some(attribute) = start.try_get_attribute("Ccy")? {
        let code = String::from_utf8_lossy(&attribute.value).into_owned();
        parts.put(&format!("{below}@Ccy"), &code);
    }
    Ok(())
}

/// The character that a reference stands for: one of XML's five, or a number.
fn character(name: &quick_xml::events::BytesRef<'_>) -> Result<char, Malformed> {
    let broken = || Malformed::Xml("it has a reference that XML does not know".to_owned());
    if let Some(character) = name.resolve_char_ref().map_err(|_| broken())? {
        return Ok(character);
    }
    match &**name {
        b"amp" => Ok('&'),
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ => Err(broken()),
    }
}

/// Whether an entry has been booked, and is not merely announced.
fn is_booked(entry: &Texts) -> bool {
    let status = entry.get("Sts/Cd").or(entry.get("Sts"));
    status.map(String::as_str) == Some("BOOK")
}

fn entry(texts: &Texts, currency: Currency) -> Result<Entry, Malformed> {
    let need = |path: &'static str| texts.get(path).ok_or(Malformed::Missing(path));
    let signed = signed(texts, currency)?;
    let amount = Amount::new(signed.saturating_abs()).map_err(|_| value("Ntry/Amt", "0"))?;
    Ok(Entry {
        reference: need("AcctSvcrRef")?.clone(),
        order: need("NtryDtls/TxDtls/Refs/EndToEndId")?.clone(),
        direction: if signed < 0 {
            Direction::Pay
        } else {
            Direction::Collect
        },
        money: Money { amount, currency },
        at: time("BookgDt/DtTm", need("BookgDt/DtTm")?)?,
    })
}

/// The amount of a balance or an entry with its sign, in minor units of the account's currency.
fn signed(texts: &Texts, currency: Currency) -> Result<i64, Malformed> {
    let need = |path: &'static str| texts.get(path).ok_or(Malformed::Missing(path));
    let (amount, code) = (need("Amt")?, need("Amt@Ccy")?);
    if code != currency.code() {
        return Err(value("Amt@Ccy", code));
    }
    let minor = minor(amount, currency).and_then(|minor| i64::try_from(minor).ok());
    let minor = minor.ok_or_else(|| value("Amt", amount))?;
    match need("CdtDbtInd")?.as_str() {
        "CRDT" => Ok(minor),
        "DBIT" => Ok(-minor),
        other => Err(value("CdtDbtInd", other)),
    }
}

fn time(element: &'static str, text: &str) -> Result<LogTime, Malformed> {
    let moment = DateTime::parse_from_rfc3339(text).map_err(|_| value(element, text))?;
    Ok(LogTime(moment.timestamp_millis()))
}

fn value(element: &'static str, value: &str) -> Malformed {
    let value = value.chars().take(100).collect();
    Malformed::Value { element, value }
}
