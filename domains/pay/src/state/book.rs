//! Currencies, and the accounts that everybody shares in each.

use super::next_number;
use bongsu_base::LogTime;
use bongsu_ledger::{AccountId, Currency, LedgerId, Limit, NewAccount, open_account, open_ledger};
use rusqlite::{Connection, OptionalExtension};

/// The kinds of accounts.
pub mod code {
    /// A person's money.
    pub const WALLET: u16 = 1;
    /// What a merchant has earned.
    pub const PENDING: u16 = 2;
    /// What is on its way to a merchant's bank.
    pub const PAYABLE: u16 = 3;
    /// What merchants paid for being paid.
    pub const FEES: u16 = 4;
    /// What the bank holds for everybody; its debits are what came.
    pub const BANK: u16 = 5;
    /// What links hold.
    pub const SUSPENSE: u16 = 6;
}

/// A currency's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Book {
    /// Its ledger.
    pub ledger: LedgerId,
    /// What the bank holds.
    pub bank: AccountId,
    /// What merchants paid.
    pub fees: AccountId,
    /// What links hold.
    pub suspense: AccountId,
}

/// The book of `currency`, if anybody has an account in it.
pub fn find(db: &Connection, currency: Currency) -> rusqlite::Result<Option<Book>> {
    db.prepare_cached("SELECT ledger, bank, fees, suspense FROM currency WHERE code = ?1")?
        .query_row([currency.code()], |row| {
            Ok(Book {
                ledger: LedgerId(row.get(0)?),
                bank: AccountId(row.get(1)?),
                fees: AccountId(row.get(2)?),
                suspense: AccountId(row.get(3)?),
            })
        })
        .optional()
}

/// The book of `currency`, opened if there was none.
pub fn open(db: &Connection, time: LogTime, currency: Currency) -> rusqlite::Result<Book> {
    if let Some(found) = find(db, currency)? {
        return Ok(found);
    }
    let n = next_number(db, "ledger")?;
    let ledger = LedgerId(u32::try_from(n).expect("there are fewer than 200 currencies"));
    open_ledger(db, ledger, currency)?.expect("a ledger of a new number is new");
    let book = Book {
        ledger,
        bank: account(db, time, ledger, (code::BANK, Limit::None))?,
        fees: account(db, time, ledger, (code::FEES, Limit::DebitsWithinCredits))?,
        suspense: account(
            db,
            time,
            ledger,
            (code::SUSPENSE, Limit::DebitsWithinCredits),
        )?,
    };
    db.prepare_cached(
        "INSERT INTO currency (ledger, code, bank, fees, suspense) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        ledger.0,
        currency.code(),
        book.bank.0,
        book.fees.0,
        book.suspense.0,
    ))?;
    Ok(book)
}

/// A new account in `ledger`.
pub fn account(
    db: &Connection,
    time: LogTime,
    ledger: LedgerId,
    (code, limit): (u16, Limit),
) -> rusqlite::Result<AccountId> {
    let id = AccountId(next_number(db, "account")?);
    let new = NewAccount {
        id,
        ledger,
        code,
        limit,
    };
    open_account(db, time, new)?.expect("an account of a new number in an open ledger is new");
    Ok(id)
}
