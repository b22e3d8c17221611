//! What a batch works on. Nothing is written before its end, so that a chain that fails leaves nothing
//! behind and needs no savepoint, and an account in many transfers is written once.

mod post;
mod write;

pub(crate) use post::Movement;

use crate::account::Account;
use crate::block::{Block, BlockId};
use crate::book::Ledger;
use crate::known::{self, Known};
use crate::overlay::Overlay;
use crate::row::Transfer;
use crate::{AccountId, Act, Amount, Currency, Instruction, LedgerId, Money, Refused, TransferId};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension};
use std::borrow::Cow;

/// Why a verb stops.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refused),
    Storage(rusqlite::Error),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error)
    }
}

pub(crate) type Ruled<T> = Result<T, Stop>;

/// A refusal that is kept under its id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub id: TransferId,
    pub rule: Refused,
    pub fingerprint: [u8; 16],
}

/// An open hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub expires: Option<LogTime>,
}

pub(crate) struct Work<'a> {
    pub db: &'a Connection,
    pub time: LogTime,
    blocks: Overlay<BlockId, Block>,
    books: Overlay<LedgerId, Ledger>,
    /// By the number of the hold; `None` is over.
    holds: Overlay<i64, Option<Hold>>,
    /// How much of a transfer was reversed, by its number.
    reversed: Overlay<i64, i64>,
    /// All ids that the batch names.
    ids: Overlay<TransferId, Known>,
    rows: Vec<Transfer>,
    refusals: Vec<Refusal>,
    /// How many of the rows belong to chains that are good.
    kept: usize,
    last: i64,
    last_time: LogTime,
    refused: i64,
}

impl<'a> Work<'a> {
    pub fn begin(db: &'a Connection, time: LogTime) -> rusqlite::Result<Self> {
        let (last, last_time, refused) = db
            .prepare_cached("SELECT last, time, refused FROM ledger_state")?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Self {
            db,
            time,
            blocks: Overlay::new(),
            books: Overlay::new(),
            holds: Overlay::new(),
            reversed: Overlay::new(),
            ids: Overlay::new(),
            rows: Vec::new(),
            refusals: Vec::new(),
            kept: 0,
            last,
            last_time: LogTime(last_time),
            refused,
        })
    }

    /// Whether the last transfer is of a later time.
    pub fn runs_back(&self) -> bool {
        self.time < self.last_time
    }

    /// Reads what is about to be asked for: the ids, and the accounts, both in their order, since neighbours stand in the
    /// same page. No other id may be asked for.
    pub fn look_ahead(&mut self, instructions: &[Instruction]) -> rusqlite::Result<()> {
        let named = instructions.iter().map(|asked| asked.id);
        let referred = instructions.iter().filter_map(|asked| match asked.act {
            Act::Settle { hold, .. } | Act::Void { hold } => Some(hold),
            Act::Reverse { original, .. } => Some(original),
            Act::Transfer(_) | Act::Hold { .. } => None,
        });
        self.ids.expect(instructions.len());
        for (id, known) in known::find(self.db, named.chain(referred))? {
            self.ids.read(id, known);
        }
        let mut blocks: Vec<BlockId> = instructions
            .iter()
            .filter_map(|asked| match &asked.act {
                Act::Transfer(between) | Act::Hold { between, .. } => Some(between),
                _ => None,
            })
            .flat_map(|between| [between.debit, between.credit].map(BlockId::of))
            .collect();
        blocks.sort_unstable();
        blocks.dedup();
        self.rows.reserve(instructions.len());
        for id in blocks {
            self.blocks.read(id, Block::by_id(self.db, id)?);
        }
        Ok(())
    }

    /// Where the answer of `id` stands.
    pub fn place(&self, id: TransferId) -> Option<i64> {
        self.ids.seen(id)?.place
    }

    fn set_place(&mut self, id: TransferId, place: i64) {
        self.ids.change(id, |known| known.place = Some(place));
    }

    /// The transfer called `id`.
    pub fn called(&self, id: TransferId) -> Ruled<Transfer> {
        match self.place(id) {
            Some(n) if n > 0 => Ok(self.numbered(n)?.into_owned()),
            _ => Err(Refused::NoSuchTransfer.into()),
        }
    }

    /// The transfer numbered `n`, which exists.
    pub fn numbered(&self, n: i64) -> rusqlite::Result<Cow<'_, Transfer>> {
        if n > self.last {
            let at = usize::try_from(n - self.last - 1).expect("n is larger");
            return Ok(Cow::Borrowed(&self.rows[at]));
        }
        let row = Transfer::by_number(self.db, n)?;
        row.map(Cow::Owned)
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// The refusal numbered `n`, which exists.
    pub fn refusal(&self, n: i64) -> rusqlite::Result<Refusal> {
        if n > self.refused {
            let at = usize::try_from(n - self.refused - 1).expect("n is larger");
            return Ok(self.refusals[at]);
        }
        self.db
            .prepare_cached("SELECT id, rule, fingerprint FROM ledger_refused WHERE n = ?1")?
            .query_row([n], |row| {
                let rule = Refused::from_number(row.get(1)?);
                Ok(Refusal {
                    id: TransferId(row.get(0)?),
                    rule: rule.ok_or_else(|| crate::bytes::damaged("rule"))?,
                    fingerprint: row.get(2)?,
                })
            })
    }

    /// The account `id`.
    pub fn account(&mut self, id: AccountId) -> Ruled<&Account> {
        let db = self.db;
        let block = BlockId::of(id);
        let load = || Block::by_id(db, block).map(Some);
        let block = self.blocks.get(block, load)?;
        let account = block.and_then(|block| block.get(id));
        account.ok_or(Refused::NoSuchAccount.into())
    }

    /// The currency of `ledger`, which exists.
    pub fn currency(&mut self, ledger: LedgerId) -> rusqlite::Result<Currency> {
        self.book(ledger).map(|book| book.currency)
    }

    /// The amount of `money`, or `whole` when none is named, of the ledger's currency.
    pub fn part(
        &mut self,
        ledger: LedgerId,
        money: Option<Money>,
        whole: impl FnOnce() -> Result<Amount, Refused>,
    ) -> Ruled<Amount> {
        let Some(money) = money else {
            return Ok(whole()?);
        };
        if money.currency != self.currency(ledger)? {
            return Err(Refused::OtherCurrency.into());
        }
        Ok(money.amount)
    }

    fn book(&mut self, id: LedgerId) -> rusqlite::Result<&Ledger> {
        let db = self.db;
        let book = self.books.get(id, || Ledger::by_id(db, id))?;
        book.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// The hold numbered `n`, unless it is over.
    pub fn hold(&mut self, n: i64) -> Ruled<Hold> {
        let db = self.db;
        let load = || {
            db.prepare_cached("SELECT expires FROM ledger_hold WHERE n = ?1")?
                .query_row([n], |row| {
                    let expires = row.get::<_, Option<i64>>(0)?.map(LogTime);
                    Ok(Some(Hold { expires }))
                })
                .optional()
        };
        let hold = self.holds.get(n, load)?.copied().flatten();
        let on = hold.filter(|hold| hold.expires.is_none_or(|at| at > self.time));
        on.ok_or(Refused::HoldIsOver.into())
    }

    /// A hold begins or, with `None`, is over.
    pub fn set_hold(&mut self, n: i64, hold: Option<Hold>) {
        self.holds.set(n, hold);
    }

    /// How much of the transfer numbered `n` was reversed, in minor units.
    pub fn reversed(&mut self, n: i64) -> rusqlite::Result<i64> {
        let db = self.db;
        let load = || {
            db.prepare_cached("SELECT amount FROM ledger_reversed WHERE n = ?1")?
                .query_row([n], |row| row.get(0))
                .optional()
        };
        Ok(self.reversed.get(n, load)?.copied().unwrap_or(0))
    }

    pub fn set_reversed(&mut self, n: i64, amount: i64) {
        self.reversed.set(n, amount);
    }

    /// Keeps a refusal under its id. No chain is under way.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
        let place = self.refused + self.refusals.len() as i64;
        self.set_place(refusal.id, -place);
        self.ids.keep();
    }

    /// A chain begins, of several instructions or of one.
    pub fn begin_chain(&mut self, several: bool) {
        self.blocks.begin(several);
        self.books.begin(several);
        self.holds.begin(several);
        self.reversed.begin(several);
        self.ids.begin(several);
    }

    /// The chain is good.
    pub fn keep(&mut self) {
        self.blocks.keep();
        self.books.keep();
        self.holds.keep();
        self.reversed.keep();
        self.ids.keep();
        self.kept = self.rows.len();
    }

    /// The chain is not: nothing of it was done.
    pub fn take_back(&mut self) {
        self.blocks.take_back();
        self.books.take_back();
        self.holds.take_back();
        self.reversed.take_back();
        self.ids.take_back();
        self.rows.truncate(self.kept);
    }
}
