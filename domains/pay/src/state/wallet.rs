//! People's wallets, their bank accounts, and what may leave wallets.

use super::{book, damaged};
use crate::answer::Wallet;
use crate::command::Limits;
use crate::limits;
use bongsu_base::LogTime;
use bongsu_ledger::{AccountId, Currency, Limit, balance};
use rusqlite::{Connection, OptionalExtension, Row};

/// A wallet's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    /// Whose: a user id.
    pub owner: String,
    /// In which currency.
    pub currency: Currency,
    /// Its account.
    pub account: AccountId,
    /// How well the owner is known.
    pub level: u8,
    /// Whether it is frozen.
    pub frozen: bool,
    /// The day for which `day_used` is counted.
    pub day: i64,
    /// What left it in that day.
    pub day_used: i64,
    /// The month for which `month_used` is counted.
    pub month: i64,
    /// What left it in that month.
    pub month_used: i64,
}

const COLUMNS: &str = "owner, currency, account, level, frozen, day, day_used, month, month_used";

fn read(row: &Row<'_>) -> rusqlite::Result<Purse> {
    let currency = row.get_ref(1)?.as_str()?.parse();
    Ok(Purse {
        owner: row.get(0)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        account: AccountId(row.get(2)?),
        level: row.get(3)?,
        frozen: row.get(4)?,
        day: row.get(5)?,
        day_used: row.get(6)?,
        month: row.get(7)?,
        month_used: row.get(8)?,
    })
}

/// The wallet of `owner` in `currency`.
pub fn find(db: &Connection, owner: &str, currency: Currency) -> rusqlite::Result<Option<Purse>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM wallet WHERE owner = ?1 AND currency = ?2"
    ))?
    .query_row((owner, currency.code()), read)
    .optional()
}

/// All wallets of `owner`, by currency.
pub fn of(db: &Connection, owner: &str) -> rusqlite::Result<Vec<Purse>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM wallet WHERE owner = ?1 ORDER BY currency"
    ))?
    .query_map([owner], read)?
    .collect()
}

/// Opens a wallet where there is none.
pub fn open(
    db: &Connection,
    time: LogTime,
    owner: &str,
    currency: Currency,
) -> rusqlite::Result<Purse> {
    if let Some(found) = find(db, owner, currency)? {
        return Ok(found);
    }
    let ledger = book::open(db, time, currency)?.ledger;
    let others = of(db, owner)?;
    let kind = (book::code::WALLET, Limit::DebitsWithinCredits);
    let purse = Purse {
        owner: owner.to_owned(),
        currency,
        account: book::account(db, time, ledger, kind)?,
        level: others.first().map_or(0, |other| other.level),
        frozen: others.iter().any(|other| other.frozen),
        day: 0,
        day_used: 0,
        month: 0,
        month_used: 0,
    };
    db.prepare_cached(&format!(
        "INSERT INTO wallet ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0)"
    ))?
    .execute((
        owner,
        currency.code(),
        purse.account.0,
        purse.level,
        purse.frozen,
    ))?;
    Ok(purse)
}

impl Purse {
    /// What has left it today and this month, at `time`.
    #[must_use]
    pub fn used(&self, time: LogTime) -> (i64, i64) {
        let (day, month) = limits::day_and_month(time);
        let of = |counted, now, used| if counted == now { used } else { 0 };
        (
            of(self.day, day, self.day_used),
            of(self.month, month, self.month_used),
        )
    }

    /// Counts what leaves it, or takes back what was counted at `made`, as far as that is of today or this month.
    pub fn count(&mut self, time: LogTime, made: LogTime, amount: i64) {
        let (day_used, month_used) = self.used(time);
        let (now, then) = (limits::day_and_month(time), limits::day_and_month(made));
        (self.day, self.month) = now;
        self.day_used = day_used + if now.0 == then.0 { amount } else { 0 };
        self.month_used = month_used + if now.1 == then.1 { amount } else { 0 };
    }

    /// Writes what changes.
    pub fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE wallet SET level = ?3, frozen = ?4, day = ?5, day_used = ?6, month = ?7, month_used = ?8
             WHERE owner = ?1 AND currency = ?2",
        )?
        .execute((
            &self.owner,
            self.currency.code(),
            self.level,
            self.frozen,
            self.day,
            self.day_used,
            self.month,
            self.month_used,
        ))
        .map(drop)
    }

    /// The wallet as it is shown at `time`.
    pub fn shown(&self, db: &Connection, time: LogTime) -> rusqlite::Result<Wallet> {
        let found = balance(db, self.account)?.ok_or_else(|| damaged("account"))?;
        let (day_used, month_used) = self.used(time);
        Ok(Wallet {
            currency: self.currency,
            balance: found.credits_posted - found.debits_posted,
            held: found.debits_pending,
            level: self.level,
            frozen: self.frozen,
            limits: limits_of(db, self.currency, self.level)?,
            day_used,
            month_used,
        })
    }
}

/// What may leave wallets in `currency` of people of `level`.
pub fn limits_of(db: &Connection, currency: Currency, level: u8) -> rusqlite::Result<Limits> {
    let found = db
        .prepare_cached(
            "SELECT payment, day, month FROM limits WHERE currency = ?1 AND level = ?2",
        )?
        .query_row((currency.code(), level), |row| {
            Ok(Limits {
                payment: row.get(0)?,
                day: row.get(1)?,
                month: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or(limits::usual(level)))
}

/// Sets that.
pub fn set_limits(
    db: &Connection,
    (currency, level): (Currency, u8),
    limits: &Limits,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO limits VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
         SET payment = excluded.payment, day = excluded.day, month = excluded.month",
    )?
    .execute((
        currency.code(),
        level,
        limits.payment,
        limits.day,
        limits.month,
    ))
    .map(drop)
}

/// The bank account of `owner`.
pub fn bank_account(db: &Connection, owner: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT account FROM bank_account WHERE owner = ?1")?
        .query_row([owner], |row| row.get(0))
        .optional()
}

/// Sets that.
pub fn link_bank(db: &Connection, owner: &str, account: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO bank_account VALUES (?1, ?2) ON CONFLICT DO UPDATE SET account = excluded.account",
    )?
    .execute((owner, account))
    .map(drop)
}
