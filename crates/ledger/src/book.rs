//! Ledgers: their currency, the end of their history, and the running proof.

use crate::account::{Balance, Side};
use crate::bytes::{Reader, Writer, damaged};
use crate::{Currency, LedgerId};
use rusqlite::{Connection, OptionalExtension, Row};

/// The sums over all accounts of a ledger, in minor units. In double entry debits equal credits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// What was debited.
    pub debits_posted: u128,
    /// What was credited.
    pub credits_posted: u128,
    /// What is held to be debited.
    pub debits_pending: u128,
    /// What is held to be credited.
    pub credits_pending: u128,
}

impl Proof {
    /// Whether debits equal credits.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.debits_posted == self.credits_posted && self.debits_pending == self.credits_pending
    }

    /// An account's balance is now `after` and was `before`.
    pub(crate) fn change(&mut self, before: &Balance, after: &Balance) {
        let change = |sum: &mut u128, side, posted: bool| {
            let pick = |(a, b): (i64, i64)| if posted { a } else { b };
            let by = i128::from(pick(after.of(side))) - i128::from(pick(before.of(side)));
            *sum = sum.wrapping_add_signed(by);
        };
        change(&mut self.debits_posted, Side::Debit, true);
        change(&mut self.debits_pending, Side::Debit, false);
        change(&mut self.credits_posted, Side::Credit, true);
        change(&mut self.credits_pending, Side::Credit, false);
    }

    fn body(&self) -> [u8; 64] {
        let mut body = [0; 64];
        let mut to = Writer(&mut body);
        for sum in [
            self.debits_posted,
            self.credits_posted,
            self.debits_pending,
            self.credits_pending,
        ] {
            to.bytes(&sum.to_le_bytes());
        }
        body
    }

    fn read(body: &[u8]) -> Option<Self> {
        let mut from = Reader(body);
        let mut sum = || from.bytes().map(u128::from_le_bytes);
        Some(Self {
            debits_posted: sum()?,
            credits_posted: sum()?,
            debits_pending: sum()?,
            credits_pending: sum()?,
        })
    }
}

/// A ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// What it is called.
    pub id: LedgerId,
    /// Its currency.
    pub currency: Currency,
    /// How many transfers its history has, holds and their ends included.
    pub transfers: i64,
    /// The hash of the last, and through it of all.
    pub link: [u8; 32],
    /// The running proof.
    pub proof: Proof,
}

impl Ledger {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let currency = row.get_ref(1)?.as_str()?.parse();
        let proof = Proof::read(row.get_ref(4)?.as_blob()?);
        Ok(Self {
            id: LedgerId(row.get(0)?),
            currency: currency.map_err(|_| damaged("currency"))?,
            transfers: row.get(2)?,
            link: row.get(3)?,
            proof: proof.ok_or_else(|| damaged("proof"))?,
        })
    }

    /// The ledger `id`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_id(db: &Connection, id: LedgerId) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(
            "SELECT id, currency, transfers, link, proof FROM ledger_book WHERE id = ?1",
        )?
        .query_row([id.0], Self::from_row)
        .optional()
    }

    /// All ledgers, in the order of their ids.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn all(db: &Connection) -> rusqlite::Result<Vec<Self>> {
        db.prepare_cached(
            "SELECT id, currency, transfers, link, proof FROM ledger_book ORDER BY id",
        )?
        .query_map((), Self::from_row)?
        .collect()
    }

    pub(crate) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let body = self.proof.body();
        db.prepare_cached(
            "INSERT INTO ledger_book VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
             SET transfers = excluded.transfers, link = excluded.link, proof = excluded.proof",
        )?
        .execute((
            self.id.0,
            self.currency.code(),
            self.transfers,
            self.link,
            body,
        ))
        .map(drop)
    }
}
