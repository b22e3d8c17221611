//! Accounts: what is known of one, and how it stands in its table.

use crate::bytes::{Reader, Writer, damaged};
use crate::trail::Trail;
use crate::{AccountId, LedgerId, Refused};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

/// What an account must never do; money that is held counts as moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// Nothing is forbidden.
    None = 0,
    /// Its debits must not exceed its credits: a wallet, which never owes.
    DebitsWithinCredits = 1,
    /// Its credits must not exceed its debits: a bank's account with us, which never gives what is not there.
    CreditsWithinDebits = 2,
}

/// Whether an account takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It does.
    Open = 0,
    /// Holds may be given back; nothing else moves, until it is open again.
    Frozen = 1,
    /// Nothing moves ever again.
    Closed = 2,
}

/// What an account has received and given since it was opened, in minor units, each 0 to 2^63 - 1.
/// Posted is what moved; pending is what is held, and may yet move or not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// All that left, for an account whose balance is its credits.
    pub debits_posted: i64,
    /// All that came.
    pub credits_posted: i64,
    /// What is held to leave.
    pub debits_pending: i64,
    /// What is held to come.
    pub credits_pending: i64,
}

/// What an account is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its number, from 1.
    pub id: AccountId,
    /// Its ledger.
    pub ledger: LedgerId,
    /// Its kind, in the chart of accounts of whoever uses the ledger.
    pub code: u16,
    /// What it must never do.
    pub limit: Limit,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it was opened with.
    pub opened: NewAccount,
    /// When it was opened.
    pub since: LogTime,
    /// Whether it takes part.
    pub standing: Standing,
    /// What it received and gave.
    pub balance: Balance,
    pub(crate) trail: Trail,
}

/// A side of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Where it is debited.
    Debit,
    /// Where it is credited.
    Credit,
}

/// By how much a side changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub posted: i64,
    pub pending: i64,
}

impl Balance {
    /// The numbers of one side: posted, pending.
    #[must_use]
    pub fn of(&self, side: Side) -> (i64, i64) {
        match side {
            Side::Debit => (self.debits_posted, self.debits_pending),
            Side::Credit => (self.credits_posted, self.credits_pending),
        }
    }

    /// The balance after `side` changed by `delta`; `None` when that cannot be written down.
    pub(crate) fn after(mut self, side: Side, delta: Delta) -> Option<Self> {
        let (posted, pending) = match side {
            Side::Debit => (&mut self.debits_posted, &mut self.debits_pending),
            Side::Credit => (&mut self.credits_posted, &mut self.credits_pending),
        };
        *posted = posted.checked_add(delta.posted)?;
        *pending = pending.checked_add(delta.pending)?;
        posted.checked_add(*pending)?;
        Some(self)
    }

    /// Whether it obeys `limit`.
    ///
    /// # Errors
    /// [`Refused::ExceedsCredits`] and [`Refused::ExceedsDebits`].
    pub fn within(&self, limit: Limit) -> Result<(), Refused> {
        let (debits, credits) = (self.of(Side::Debit), self.of(Side::Credit));
        match limit {
            Limit::DebitsWithinCredits if debits.0 + debits.1 > credits.0 => {
                Err(Refused::ExceedsCredits)
            }
            Limit::CreditsWithinDebits if credits.0 + credits.1 > debits.0 => {
                Err(Refused::ExceedsDebits)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        to.i64(self.debits_posted);
        to.i64(self.credits_posted);
        to.i64(self.debits_pending);
        to.i64(self.credits_pending);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            debits_posted: from.i64()?,
            credits_posted: from.i64()?,
            debits_pending: from.i64()?,
            credits_pending: from.i64()?,
        })
    }
}

impl Account {
    /// What changes with each movement, as it stands in the table.
    fn body(&self) -> Vec<u8> {
        let mut body = vec![0; 40 + 8 * self.trail.heads.len()];
        let mut to = Writer(&mut body);
        self.balance.write(&mut to);
        to.i64(self.trail.count);
        for head in &self.trail.heads {
            to.i64(*head);
        }
        body
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let limit = match row.get(3)? {
            0_i64 => Limit::None,
            1 => Limit::DebitsWithinCredits,
            2 => Limit::CreditsWithinDebits,
            _ => return Err(damaged("limit")),
        };
        let standing = match row.get(5)? {
            0_i64 => Standing::Open,
            1 => Standing::Frozen,
            2 => Standing::Closed,
            _ => return Err(damaged("standing")),
        };
        let mut body = Reader(row.get_ref(6)?.as_blob()?);
        let balance = Balance::read(&mut body).ok_or_else(|| damaged("account"))?;
        let count = body.i64().ok_or_else(|| damaged("account"))?;
        let mut heads = Vec::with_capacity(body.0.len() / 8 + 1);
        while let Some(head) = body.i64() {
            heads.push(head);
        }
        Ok(Self {
            opened: NewAccount {
                id: AccountId(row.get(0)?),
                ledger: LedgerId(row.get(1)?),
                code: row.get(2)?,
                limit,
            },
            since: LogTime(row.get(4)?),
            standing,
            balance,
            trail: Trail { count, heads },
        })
    }

    /// The account `id`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_id(db: &Connection, id: AccountId) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(
            "SELECT id, ledger, code, bound, since, standing, body FROM ledger_account WHERE id = ?1",
        )?
        .query_row([id.0], Self::from_row)
        .optional()
    }

    /// Up to `limit` accounts numbered above `after`, in the order of their numbers.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn page(db: &Connection, after: AccountId, limit: u32) -> rusqlite::Result<Vec<Self>> {
        db.prepare_cached(
            "SELECT id, ledger, code, bound, since, standing, body FROM ledger_account
             WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?
        .query_map((after.0, limit), Self::from_row)?
        .collect()
    }

    pub(crate) fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let opened = &self.opened;
        db.prepare_cached("INSERT INTO ledger_account VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute((
                opened.id.0,
                opened.ledger.0,
                opened.code,
                opened.limit as i64,
                self.since.0,
                self.standing as i64,
                self.body(),
            ))
            .map(drop)
    }

    pub(crate) fn update(&self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("UPDATE ledger_account SET standing = ?2, body = ?3 WHERE id = ?1")?
            .execute((self.opened.id.0, self.standing as i64, self.body()))
            .map(drop)
    }
}
