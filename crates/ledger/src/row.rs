//! The history: one record of fixed size for each transfer, chained by hashes.

use crate::account::{Balance, Delta, Side};
use crate::bytes::{Reader, Writer, damaged};
use crate::trail::Back;
use crate::{AccountId, Amount, LedgerId, TransferId};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

/// How the chain's hashes are told from all others.
const KEY: &[u8; 32] = b"bongsu 2026-11 link of a ledger.";
/// Without the link.
const SIZE: usize = 199;
const WHOLE: usize = SIZE + 32;

/// How many lines of a long batch are written by one statement: each time a statement runs it looks for the end of the
/// table anew.
const TOGETHER: usize = 64;

/// A line as it stands in its table.
pub(crate) type Body = [u8; WHOLE];

/// The link of line `n`, which stands in its table as `body` does but for the link itself.
fn link_of(before: &[u8; 32], n: i64, body: &Body) -> [u8; 32] {
    let mut bytes = [0; 32 + 8 + SIZE];
    let mut to = Writer(&mut bytes);
    to.bytes(before);
    to.i64(n);
    to.bytes(&body[..SIZE]);
    *blake3::keyed_hash(KEY, &bytes).as_bytes()
}

/// What a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Money moved at once.
    Transfer = 1,
    /// Money is held: it is pending on both sides.
    Hold = 2,
    /// A hold ended, and what it held was moved, whole or in part; the rest is free again.
    Settle = 3,
    /// A hold ended, and nothing was moved.
    Void = 4,
    /// A hold ended by time, and nothing was moved.
    Expire = 5,
    /// Money moved back, whole or in part.
    Reverse = 6,
}

impl Kind {
    /// Whether it ends a hold.
    pub(crate) fn ends_hold(self) -> bool {
        matches!(self, Self::Settle | Self::Void | Self::Expire)
    }
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its number, from 1, without gaps over all ledgers.
    pub n: i64,
    /// What whoever asked called it. An expiry has the id of its hold.
    pub id: TransferId,
    /// When, by the log's time.
    pub time: LogTime,
    /// What it is.
    pub kind: Kind,
    /// In which ledger.
    pub ledger: LedgerId,
    /// The account that is debited.
    pub debit: AccountId,
    /// The account that is credited.
    pub credit: AccountId,
    /// How much was moved, held or given free.
    pub amount: Amount,
    /// Its reason, in the words of whoever uses the ledger.
    pub code: u16,
    /// Anything, for whoever asked.
    pub user_data: [u8; 16],
    /// The number of the hold that it ends or the transfer that it reverses.
    pub refers: Option<i64>,
    /// When a hold expires.
    pub expires: Option<LogTime>,
    /// The balance of the debited account after it.
    pub debit_after: Balance,
    /// The balance of the credited account after it.
    pub credit_after: Balance,
    /// The hash over this line and, through the one before it in its ledger, over all before.
    pub link: [u8; 32],
    pub(crate) fingerprint: [u8; 16],
    pub(crate) debit_back: Back,
    pub(crate) credit_back: Back,
}

impl Transfer {
    /// The side on which `account` is; `None` when it has no part in it.
    #[must_use]
    pub fn side(&self, account: AccountId) -> Option<Side> {
        if account == self.debit {
            Some(Side::Debit)
        } else {
            (account == self.credit).then_some(Side::Credit)
        }
    }

    /// The balance of the account on `side` after it.
    #[must_use]
    pub fn after(&self, side: Side) -> &Balance {
        match side {
            Side::Debit => &self.debit_after,
            Side::Credit => &self.credit_after,
        }
    }

    pub(crate) fn back(&self, side: Side) -> Back {
        match side {
            Side::Debit => self.debit_back,
            Side::Credit => self.credit_back,
        }
    }

    /// By how much it changes its accounts; `held` is what the hold has that it ends.
    pub(crate) fn delta(&self, held: i64) -> Delta {
        let amount = self.amount.minor();
        let (posted, pending) = match self.kind {
            Kind::Transfer | Kind::Reverse => (amount, 0),
            Kind::Hold => (0, amount),
            Kind::Settle => (amount, -held),
            Kind::Void | Kind::Expire => (0, -held),
        };
        Delta { posted, pending }
    }

    fn body(&self) -> Body {
        let mut body = [0; WHOLE];
        let mut to = Writer(&mut body);
        to.bytes(&self.id.0);
        to.i64(self.time.0);
        to.bytes(&[self.kind as u8]);
        to.bytes(&self.ledger.0.to_le_bytes());
        to.i64(self.debit.0);
        to.i64(self.credit.0);
        to.i64(self.amount.minor());
        to.bytes(&self.code.to_le_bytes());
        to.bytes(&self.user_data);
        to.i64(self.refers.unwrap_or(0));
        to.i64(self.expires.map_or(i64::MAX, |at| at.0));
        to.bytes(&self.fingerprint);
        for back in [self.debit_back, self.credit_back] {
            to.i64(back.before);
            to.i64(back.jump);
        }
        self.debit_after.write(&mut to);
        self.credit_after.write(&mut to);
        to.bytes(&self.link);
        body
    }

    fn read(n: i64, body: &[u8]) -> Option<Self> {
        let mut from = Reader(body);
        let id = TransferId(from.bytes()?);
        let time = LogTime(from.i64()?);
        let kind = match from.bytes()? {
            [1] => Kind::Transfer,
            [2] => Kind::Hold,
            [3] => Kind::Settle,
            [4] => Kind::Void,
            [5] => Kind::Expire,
            [6] => Kind::Reverse,
            _ => return None,
        };
        let ledger = LedgerId(u32::from_le_bytes(from.bytes()?));
        let (debit, credit) = (AccountId(from.i64()?), AccountId(from.i64()?));
        let amount = Amount::new(from.i64()?).ok()?;
        let code = u16::from_le_bytes(from.bytes()?);
        let user_data = from.bytes()?;
        let refers = Some(from.i64()?).filter(|n| *n != 0);
        let expires = Some(from.i64()?).filter(|at| *at != i64::MAX).map(LogTime);
        let fingerprint = from.bytes()?;
        let mut back = || {
            let (before, jump) = (from.i64()?, from.i64()?);
            Some(Back { before, jump })
        };
        let (debit_back, credit_back) = (back()?, back()?);
        let debit_after = Balance::read(&mut from)?;
        let credit_after = Balance::read(&mut from)?;
        let link = from.bytes()?;
        from.0.is_empty().then_some(Self {
            n,
            id,
            time,
            kind,
            ledger,
            debit,
            credit,
            amount,
            code,
            user_data,
            refers,
            expires,
            debit_after,
            credit_after,
            link,
            fingerprint,
            debit_back,
            credit_back,
        })
    }

    /// The link that this line has after one with the link `before` in its ledger.
    pub(crate) fn link_after(&self, before: &[u8; 32]) -> [u8; 32] {
        link_of(before, self.n, &self.body())
    }

    /// How it stands in its table after a line with the link `before` in its ledger, and its link.
    pub(crate) fn linked(&self, before: &[u8; 32]) -> (Body, [u8; 32]) {
        let mut body = self.body();
        let link = link_of(before, self.n, &body);
        body[SIZE..].copy_from_slice(&link);
        (body, link)
    }

    pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body = row.get_ref(1)?.as_blob()?;
        Self::read(row.get(0)?, body).ok_or_else(|| damaged("transfer"))
    }

    /// The transfer numbered `n`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_number(db: &Connection, n: i64) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached("SELECT n, body FROM ledger_transfer WHERE n = ?1")?
            .query_row([n], Self::from_row)
            .optional()
    }

    pub(crate) fn insert(db: &Connection, bodies: &[(i64, Body)]) -> rusqlite::Result<()> {
        let (many, few) = bodies.as_chunks::<TOGETHER>();
        if !many.is_empty() {
            let values = ["(?, ?)"; TOGETHER].join(", ");
            let text = format!("INSERT INTO ledger_transfer VALUES {values}");
            let mut insert = db.prepare_cached(&text)?;
            for bodies in many {
                for (at, (n, body)) in bodies.iter().enumerate() {
                    insert.raw_bind_parameter(2 * at + 1, n)?;
                    insert.raw_bind_parameter(2 * at + 2, &body[..])?;
                }
                insert.raw_execute()?;
            }
        }
        let mut insert = db.prepare_cached("INSERT INTO ledger_transfer VALUES (?1, ?2)")?;
        for (n, body) in few {
            insert.execute((n, &body[..]))?;
        }
        Ok(())
    }
}
