//! Rules of operators, and the payments that wait for one.

use super::{damaged, next_number};
use crate::answer::Payment;
use crate::id::PaymentId;
use crate::rule::{Rule, RuleKind, Then};
use crate::state::payment;
use bongsu_base::{Millis, RoomId};
use bongsu_ledger::Currency;
use rusqlite::{Connection, OptionalExtension, Row};

fn kind(number: i64) -> rusqlite::Result<RuleKind> {
    match number {
        1 => Ok(RuleKind::Amount),
        2 => Ok(RuleKind::Count),
        3 => Ok(RuleKind::NewPayee),
        _ => Err(damaged("kind")),
    }
}

fn read_rule(row: &Row<'_>) -> rusqlite::Result<(Currency, Rule)> {
    let currency = row.get_ref(0)?.as_str()?.parse();
    let amount: i64 = row.get(2)?;
    let rule = match kind(row.get(1)?)? {
        RuleKind::Amount => Rule::Amount(amount),
        RuleKind::Count => Rule::Count {
            most: u32::try_from(amount).map_err(|_| damaged("amount"))?,
            within: Millis(row.get(3)?),
        },
        RuleKind::NewPayee => Rule::NewPayee(amount),
    };
    Ok((currency.map_err(|_| damaged("currency"))?, rule))
}

/// All rules, by currency and kind.
pub fn rules(db: &Connection) -> rusqlite::Result<Vec<(Currency, Rule)>> {
    db.prepare_cached("SELECT currency, kind, amount, within FROM rule ORDER BY currency, kind")?
        .query_map((), read_rule)?
        .collect()
}

/// The rules for a currency, by kind.
pub fn rules_of(db: &Connection, currency: Currency) -> rusqlite::Result<Vec<Rule>> {
    db.prepare_cached(
        "SELECT currency, kind, amount, within FROM rule WHERE currency = ?1 ORDER BY kind",
    )?
    .query_map([currency.code()], |row| {
        read_rule(row).map(|(_, rule)| rule)
    })?
    .collect()
}

/// Puts a rule into force, in the place of another of its kind.
pub fn set(db: &Connection, currency: Currency, rule: Rule) -> rusqlite::Result<()> {
    let (amount, within) = match rule {
        Rule::Amount(least) | Rule::NewPayee(least) => (least, 0),
        Rule::Count { most, within } => (most.into(), within.0),
    };
    db.prepare_cached(
        "INSERT INTO rule (currency, kind, amount, within) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET amount = ?3, within = ?4",
    )?
    .execute((currency.code(), rule.kind() as i64, amount, within))
    .map(drop)
}

/// Takes a rule out of force; whether there was one.
pub fn unset(db: &Connection, currency: Currency, kind: RuleKind) -> rusqlite::Result<bool> {
    let gone = db
        .prepare_cached("DELETE FROM rule WHERE currency = ?1 AND kind = ?2")?
        .execute((currency.code(), kind as i64))?;
    Ok(gone > 0)
}

/// Why a payment waits, and what becomes of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// By which rule.
    pub rule: RuleKind,
    /// What becomes of it when it is released.
    pub then: Then,
    /// Where it is shown then.
    pub room: Option<RoomId>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Review> {
    let room: Option<String> = row.get(2)?;
    Ok(Review {
        rule: kind(row.get(0)?)?,
        then: match row.get(1)? {
            1_i64 => Then::Move,
            2 => Then::Link,
            3 => Then::Capture,
            4 => Then::Take,
            _ => return Err(damaged("next")),
        },
        room: room
            .map(|room| room.parse())
            .transpose()
            .map_err(|_| damaged("room"))?,
    })
}

/// Has a payment wait.
pub fn insert(db: &Connection, id: PaymentId, review: &Review) -> rusqlite::Result<()> {
    let n = next_number(db, "review")?;
    db.prepare_cached(
        "INSERT INTO review (payment, n, rule, next, room) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        id.0,
        n,
        review.rule as i64,
        review.then as i64,
        review.room.as_ref().map(RoomId::as_str),
    ))
    .map(drop)
}

/// Why a payment waits, if it does.
pub fn find(db: &Connection, id: PaymentId) -> rusqlite::Result<Option<Review>> {
    db.prepare_cached("SELECT rule, next, room FROM review WHERE payment = ?1")?
        .query_row([id.0], read)
        .optional()
}

/// Has it be shown somewhere when it is released.
pub fn show_in(db: &Connection, id: PaymentId, room: &RoomId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE review SET room = ?2 WHERE payment = ?1")?
        .execute((id.0, room.as_str()))
        .map(drop)
}

/// Has it wait no longer.
pub fn remove(db: &Connection, id: PaymentId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM review WHERE payment = ?1")?
        .execute([id.0])
        .map(drop)
}

/// Up to `limit` payments that wait after number `after`, the oldest first, with their numbers and why.
pub fn waiting(
    db: &Connection,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Payment, RuleKind)>> {
    let rows: Vec<(i64, [u8; 16], i64)> = db
        .prepare_cached("SELECT n, payment, rule FROM review WHERE n > ?1 ORDER BY n LIMIT ?2")?
        .query_map((after, limit as i64), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let whole = |(n, id, rule): (i64, [u8; 16], i64)| {
        let found = payment::find(db, PaymentId(id))?;
        Ok((n, found.ok_or_else(|| damaged("payment"))?, kind(rule)?))
    };
    rows.into_iter().map(whole).collect()
}
