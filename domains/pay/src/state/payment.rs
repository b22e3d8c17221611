//! Payments, and the links that hold some of them.

use super::{damaged, next_number};
use crate::answer::{Kind, Payment, State};
use crate::id::{Hash, PaymentId};
use bongsu_base::LogTime;
use bongsu_ledger::Currency;
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str = "id, kind, state, payer, payee, amount, currency, fee, refunded, fee_back, note, made, \
                       changed, expires, n";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Payment)> {
    let kind = match row.get(1)? {
        1_i64 => Kind::TopUp,
        2 => Kind::Withdrawal,
        3 => Kind::Transfer,
        4 => Kind::Link,
        5 => Kind::Purchase,
        _ => return Err(damaged("kind")),
    };
    let state = match row.get(2)? {
        1_i64 => State::AtBank,
        2 => State::Ready,
        3 => State::Held,
        4 => State::Paid,
        5 => State::Declined,
        6 => State::Canceled,
        7 => State::Expired,
        8 => State::Review,
        _ => return Err(damaged("state")),
    };
    let currency = row.get_ref(6)?.as_str()?.parse();
    let payment = Payment {
        id: PaymentId(row.get(0)?),
        kind,
        state,
        payer: row.get(3)?,
        payee: row.get(4)?,
        amount: row.get(5)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        fee: row.get(7)?,
        refunded: row.get(8)?,
        fee_back: row.get(9)?,
        note: row.get(10)?,
        made: LogTime(row.get(11)?),
        changed: LogTime(row.get(12)?),
        expires: row.get::<_, Option<i64>>(13)?.map(LogTime),
    };
    Ok((row.get(14)?, payment))
}

/// The payment `id`.
pub fn find(db: &Connection, id: PaymentId) -> rusqlite::Result<Option<Payment>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM payment WHERE id = ?1"))?
        .query_row([id.0], |row| read(row).map(|(_, payment)| payment))
        .optional()
}

/// Up to `limit` payments to `payee` before number `before`, newest first, with their numbers.
pub fn to(
    db: &Connection,
    payee: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Payment)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM payment WHERE payee = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?
    .query_map((payee, before, limit as i64), read)?
    .collect()
}

/// When the payment began that is the `nth` newest, from 1, of those that `payer` made and that were not called off.
pub fn nth_newest(db: &Connection, payer: &str, nth: u32) -> rusqlite::Result<Option<LogTime>> {
    db.prepare_cached(
        "SELECT made FROM payment INDEXED BY payment_payer
         WHERE payer = ?1 AND kind IN (3, 4, 5) AND state IN (3, 4, 8) ORDER BY n DESC LIMIT 1 OFFSET ?2",
    )?
    .query_row((payer, i64::from(nth) - 1), |row| row.get(0).map(LogTime))
    .optional()
}

/// Whether `payer` has ever paid `payee`.
pub fn has_paid(db: &Connection, payer: &str, payee: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM payment INDEXED BY payment_payer
                        WHERE payer = ?1 AND payee = ?2 AND state IN (4, 6))",
    )?
    .query_row((payer, payee), |row| row.get(0))
}

/// Up to `most` payments whose time has run out at `time`, the earliest first.
pub fn due(db: &Connection, time: LogTime, most: u32) -> rusqlite::Result<Vec<Payment>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM payment WHERE expires <= ?1 ORDER BY expires, n LIMIT ?2"
    ))?
    .query_map((time.0, most), |row| read(row).map(|(_, payment)| payment))?
    .collect()
}

/// When the oldest was made of which the bank has said nothing.
pub fn oldest_at_bank(db: &Connection) -> rusqlite::Result<Option<LogTime>> {
    db.prepare_cached("SELECT min(made) FROM payment WHERE state = 1")?
        .query_row([], |row| Ok(row.get::<_, Option<i64>>(0)?.map(LogTime)))
}

/// All of which the bank has said nothing, the oldest first.
pub fn at_bank(db: &Connection, currency: Currency) -> rusqlite::Result<Vec<PaymentId>> {
    db.prepare_cached("SELECT id FROM payment WHERE state = 1 AND currency = ?1 ORDER BY made, n")?
        .query_map([currency.code()], |row| row.get(0).map(PaymentId))?
        .collect()
}

/// Writes a new payment.
pub fn insert(db: &Connection, payment: &Payment) -> rusqlite::Result<()> {
    let n = next_number(db, "payment")?;
    db.prepare_cached(&format!(
        "INSERT INTO payment ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    ))?
    .execute((
        payment.id.0,
        payment.kind as i64,
        payment.state as i64,
        &payment.payer,
        &payment.payee,
        payment.amount,
        payment.currency.code(),
        payment.fee,
        payment.refunded,
        payment.fee_back,
        &payment.note,
        payment.made.0,
        payment.changed.0,
        payment.expires.map(|at| at.0),
        n,
    ))
    .map(drop)
}

/// Writes what changes of a payment.
pub fn update(db: &Connection, payment: &Payment) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE payment SET state = ?2, payer = ?3, payee = ?4, fee = ?5, refunded = ?6, fee_back = ?7,
             note = ?8, changed = ?9, expires = ?10 WHERE id = ?1",
    )?
    .execute((
        payment.id.0,
        payment.state as i64,
        &payment.payer,
        &payment.payee,
        payment.fee,
        payment.refunded,
        payment.fee_back,
        &payment.note,
        payment.changed.0,
        payment.expires.map(|at| at.0),
    ))
    .map(drop)
}

/// The payment that a code opens.
pub fn linked(db: &Connection, code: Hash) -> rusqlite::Result<Option<PaymentId>> {
    db.prepare_cached("SELECT payment FROM link WHERE hash = ?1")?
        .query_row([code.0], |row| row.get(0).map(PaymentId))
        .optional()
}

/// Lets a code open a payment.
pub fn link(db: &Connection, code: Hash, payment: PaymentId) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO link (hash, payment) VALUES (?1, ?2)")?
        .execute((code.0, payment.0))
        .map(drop)
}
