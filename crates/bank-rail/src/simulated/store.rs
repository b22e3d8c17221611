//! What the simulated bank has done, in SQLite: every order with what it was answered, for ever.

use crate::camt::Entry;
use crate::{Direction, Order, Reason, Said};
use bongsu_base::LogTime;
use bongsu_ledger::{Amount, Currency, Money};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use std::path::Path;
use std::time::Duration;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS bank_order (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    collects INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    refused  TEXT
);
CREATE INDEX IF NOT EXISTS bank_order_moved ON bank_order (currency, at, n) WHERE refused IS NULL;";

/// How long another process may take to close the file.
const PATIENCE: Duration = Duration::from_secs(1);

const COLUMNS: &str = "n, id, collects, account, amount, currency, at, refused";

/// The orders of one bank.
#[derive(Debug)]
pub struct Store(Connection);

impl Store {
    /// Those of this process alone.
    pub fn in_memory() -> rusqlite::Result<Self> {
        Self::prepared(Connection::open_in_memory()?)
    }

    /// Those of the file at `path`, which is made if it is missing. No other process can open it meanwhile.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Self::prepared(connection)
    }

    fn prepared(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(SCHEMA)?;
        Ok(Self(connection))
    }

    /// The order of this name and what it was answered.
    pub fn find(&self, id: &str) -> rusqlite::Result<Option<(Order, Said)>> {
        let sql = format!("SELECT {COLUMNS} FROM bank_order WHERE id = ?1");
        let mut found = self.0.prepare_cached(&sql)?;
        found.query_row([id], read).optional()
    }

    /// Keeps an order that is not there, and says what it is answered.
    pub fn keep(
        &self,
        order: &Order,
        refused: Option<Reason>,
        at: LogTime,
    ) -> rusqlite::Result<Said> {
        self.0
            .prepare_cached(
                "INSERT INTO bank_order (id, collects, account, amount, currency, at, refused)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                &order.id,
                order.direction == Direction::Collect,
                &order.account,
                order.money.amount.minor(),
                order.money.currency.code(),
                at.0,
                refused.map(Reason::code),
            ))?;
        Ok(said(self.0.last_insert_rowid(), refused, at))
    }

    /// What had moved before `from`, and what moved from then on and before `to`.
    pub fn moved(
        &self,
        currency: Currency,
        from: LogTime,
        to: LogTime,
    ) -> rusqlite::Result<(i64, Vec<Entry>)> {
        let opening = self.0.query_row(
            "SELECT coalesce(sum(CASE WHEN collects THEN amount ELSE -amount END), 0) FROM bank_order
             WHERE refused IS NULL AND currency = ?1 AND at < ?2",
            (currency.code(), from.0),
            |row| row.get(0),
        )?;
        let sql = format!(
            "SELECT {COLUMNS} FROM bank_order
             WHERE refused IS NULL AND currency = ?1 AND at >= ?2 AND at < ?3 ORDER BY n"
        );
        let mut entries = self.0.prepare_cached(&sql)?;
        let entries = entries.query_map((currency.code(), from.0, to.0), |row| {
            let (order, said) = read(row)?;
            let Said::Done { reference, at } = said else {
                return Err(damaged(7));
            };
            Ok(Entry {
                reference,
                order: order.id,
                direction: order.direction,
                money: order.money,
                at,
            })
        })?;
        Ok((opening, entries.collect::<rusqlite::Result<_>>()?))
    }
}

fn said(n: i64, refused: Option<Reason>, at: LogTime) -> Said {
    match refused {
        Some(reason) => Said::Refused { reason },
        None => Said::Done {
            reference: format!("SIM{n:012}"),
            at,
        },
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Order, Said)> {
    let collects: bool = row.get(2)?;
    let currency = row.get_ref(5)?.as_str()?.parse();
    let order = Order {
        id: row.get(1)?,
        direction: if collects {
            Direction::Collect
        } else {
            Direction::Pay
        },
        account: row.get(3)?,
        money: Money {
            amount: Amount::new(row.get(4)?).map_err(|_| damaged(4))?,
            currency: currency.map_err(|_| damaged(5))?,
        },
    };
    let refused: Option<String> = row.get(7)?;
    let refused = refused.map(|code| Reason::of_code(&code).ok_or_else(|| damaged(7)));
    let at = LogTime(row.get(6)?);
    Ok((order, said(row.get(0)?, refused.transpose()?, at)))
}

fn damaged(column: usize) -> rusqlite::Error {
    let text = "the bank's file is damaged".into();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, text)
}
