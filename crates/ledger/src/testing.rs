//! What the tests of the verbs begin with: Mina has 1,000 won, which came from the bank.

use crate::account::{Limit, NewAccount};
use crate::{
    AccountId, Amount, Between, Currency, Instruction, LedgerId, Money, SCHEMA, TransferId,
    apply_one, open_account, open_ledger,
};
use bongsu_base::LogTime;
use rusqlite::Connection;

pub(crate) const BANK: AccountId = AccountId(1);
pub(crate) const MINA: AccountId = AccountId(2);
pub(crate) const JUN: AccountId = AccountId(3);
/// In another ledger of the same currency, and in one of another.
pub(crate) const SECOND: AccountId = AccountId(4);
pub(crate) const EUROS: AccountId = AccountId(5);

pub(crate) fn id(n: u32) -> TransferId {
    TransferId(u128::from(n).to_be_bytes())
}

pub(crate) fn won(minor: i64) -> Money {
    let amount = Amount::new(minor).expect("an amount");
    let currency = Currency::KRW;
    Money { amount, currency }
}

pub(crate) fn usd(minor: i64) -> Money {
    let currency = "USD".parse().expect("a currency");
    Money {
        currency,
        ..won(minor)
    }
}

pub(crate) fn bench() -> Connection {
    let db = Connection::open_in_memory().expect("opens");
    db.execute_batch(SCHEMA).expect("a valid schema");
    for (ledger, currency) in [(1, "KRW"), (2, "KRW"), (3, "EUR")] {
        let currency = currency.parse().expect("a currency");
        open_ledger(&db, LedgerId(ledger), currency)
            .expect("written")
            .expect("opened");
    }
    for (account, ledger, limit) in [
        (BANK, 1, Limit::None),
        (MINA, 1, Limit::DebitsWithinCredits),
        (JUN, 1, Limit::DebitsWithinCredits),
        (SECOND, 2, Limit::None),
        (EUROS, 3, Limit::None),
    ] {
        let account = NewAccount {
            id: account,
            ledger: LedgerId(ledger),
            code: 1,
            limit,
        };
        open_account(&db, LogTime(0), account)
            .expect("written")
            .expect("opened");
    }
    let between = Between {
        debit: BANK,
        credit: MINA,
        money: won(1_000),
    };
    apply_one(&db, LogTime(0), Instruction::transfer(id(1), between))
        .expect("applied")
        .expect("done");
    db
}

/// Debits posted, credits posted, debits pending, credits pending.
pub(crate) fn balance(db: &Connection, account: AccountId) -> (i64, i64, i64, i64) {
    let balance = crate::balance(db, account)
        .expect("readable")
        .expect("there");
    (
        balance.debits_posted,
        balance.credits_posted,
        balance.debits_pending,
        balance.credits_pending,
    )
}
