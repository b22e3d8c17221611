//! Merchants, their keys, and what they were settled.

use super::{book, damaged};
use crate::answer::Merchant;
use crate::command::NewMerchant;
use crate::id::{Hash, MerchantId};
use bongsu_base::LogTime;
use bongsu_ledger::{AccountId, Currency, Limit};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

const COLUMNS: &str = "id, name, city, category, currency, fee, pending, payable, bank, frozen";

fn read(row: &Row<'_>) -> rusqlite::Result<Merchant> {
    let id = row.get_ref(0)?.as_str()?.parse();
    let currency = row.get_ref(4)?.as_str()?.parse();
    Ok(Merchant {
        id: id.map_err(|_| damaged("merchant"))?,
        name: row.get(1)?,
        city: row.get(2)?,
        category: row.get(3)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        fee: row.get(5)?,
        pending: AccountId(row.get(6)?),
        payable: AccountId(row.get(7)?),
        bank: row.get(8)?,
        frozen: row.get(9)?,
    })
}

/// The merchant `id`.
pub fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<Merchant>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM merchant WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// Up to `limit` merchants after `after`, by id.
pub fn list(db: &Connection, after: &str, limit: usize) -> rusqlite::Result<Vec<Merchant>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM merchant WHERE id > ?1 ORDER BY id LIMIT ?2"
    ))?
    .query_map((after, limit as i64), read)?
    .collect()
}

/// Adds one that is not there.
pub fn add(db: &Connection, time: LogTime, new: &NewMerchant) -> rusqlite::Result<()> {
    let ledger = book::open(db, time, new.currency)?.ledger;
    let account = |code| book::account(db, time, ledger, (code, Limit::DebitsWithinCredits));
    let (pending, payable) = (account(book::code::PENDING)?, account(book::code::PAYABLE)?);
    db.prepare_cached(&format!(
        "INSERT INTO merchant ({COLUMNS}, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10)"
    ))?
    .execute((
        new.id.as_str(),
        &new.name,
        &new.city,
        new.category,
        new.currency.code(),
        new.fee,
        pending.0,
        payable.0,
        &new.bank,
        time.0,
    ))?;
    add_key(db, &new.id, new.key)
}

/// Gives a merchant one more key.
pub fn add_key(db: &Connection, id: &MerchantId, key: Hash) -> rusqlite::Result<()> {
    let n: i64 = db
        .prepare_cached("SELECT coalesce(max(n), 0) FROM merchant_key WHERE merchant = ?1")?
        .query_row([id.as_str()], |row| row.get(0))?;
    db.prepare_cached(
        "INSERT INTO merchant_key (hash, merchant, n, until) VALUES (?1, ?2, ?3, NULL)",
    )?
    .execute((key.0, id.as_str(), n + 1))
    .map(drop)
}

/// Has the keys that a merchant has end at `until`, unless they end sooner.
pub fn end_keys(db: &Connection, id: &MerchantId, until: LogTime) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE merchant_key SET until = ?2 WHERE merchant = ?1 AND (until IS NULL OR until > ?2)",
    )?
    .execute((id.as_str(), until.0))
    .map(drop)
}

/// Whose key has this hash, and until when it is taken.
pub fn holder(db: &Connection, key: Hash) -> rusqlite::Result<Option<(String, Option<LogTime>)>> {
    db.prepare_cached("SELECT merchant, until FROM merchant_key WHERE hash = ?1")?
        .query_row([key.0], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(LogTime)))
        })
        .optional()
}

/// Freezes one, or lets it trade again.
pub fn freeze(db: &Connection, id: &MerchantId, frozen: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE merchant SET frozen = ?2 WHERE id = ?1")?
        .execute((id.as_str(), frozen))
        .map(drop)
}

/// A settlement. It stands in what a merchant is told: a field is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Its number.
    pub n: i64,
    /// To whom.
    pub merchant: String,
    /// How much.
    pub amount: i64,
    /// Of what.
    pub currency: String,
    /// 1 at the bank, 2 paid, 3 refused by the bank.
    pub state: i64,
    /// When it began.
    pub made: LogTime,
}

fn read_settlement(row: &Row<'_>) -> rusqlite::Result<Settlement> {
    Ok(Settlement {
        n: row.get(0)?,
        merchant: row.get(1)?,
        amount: row.get(2)?,
        currency: row.get(3)?,
        state: row.get(4)?,
        made: LogTime(row.get(5)?),
    })
}

/// Begins a settlement, and says its number.
pub fn settle(
    db: &Connection,
    time: LogTime,
    merchant: &Merchant,
    amount: i64,
) -> rusqlite::Result<i64> {
    let n = super::next_number(db, "settlement")?;
    db.prepare_cached("INSERT INTO settlement VALUES (?1, ?2, ?3, ?4, 1, ?5)")?
        .execute((
            n,
            merchant.id.as_str(),
            amount,
            merchant.currency.code(),
            time.0,
        ))?;
    Ok(n)
}

/// The settlement of this number.
pub fn settlement(db: &Connection, n: i64) -> rusqlite::Result<Option<Settlement>> {
    db.prepare_cached(
        "SELECT n, merchant, amount, currency, state, made FROM settlement WHERE n = ?1",
    )?
    .query_row([n], read_settlement)
    .optional()
}

/// Up to `limit` settlements of a merchant before number `before`, newest first.
pub fn settlements(
    db: &Connection,
    merchant: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Settlement>> {
    db.prepare_cached(
        "SELECT n, merchant, amount, currency, state, made FROM settlement
         WHERE merchant = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3",
    )?
    .query_map((merchant, before, limit as i64), read_settlement)?
    .collect()
}

/// When the oldest settlement was made of which the bank has said nothing.
pub fn oldest_at_bank(db: &Connection) -> rusqlite::Result<Option<LogTime>> {
    db.prepare_cached("SELECT min(made) FROM settlement WHERE state = 1")?
        .query_row([], |row| Ok(row.get::<_, Option<i64>>(0)?.map(LogTime)))
}

/// The numbers of all settlements of which the bank has said nothing, the oldest first.
pub fn at_bank(db: &Connection, currency: Currency) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT n FROM settlement WHERE state = 1 AND currency = ?1 ORDER BY made, n",
    )?
    .query_map([currency.code()], |row| row.get(0))?
    .collect()
}

/// Says how far a settlement is.
pub fn settled(db: &Connection, n: i64, state: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE settlement SET state = ?2 WHERE n = ?1")?
        .execute((n, state))
        .map(drop)
}
