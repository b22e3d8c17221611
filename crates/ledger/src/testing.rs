//! What the tests of the verbs begin with: Mina has 1,000 won, which came from the bank.

use crate::account::{Limit, NewAccount};
use crate::check::Broken;
use crate::{
    AccountId, Amount, Between, Currency, Instruction, LedgerId, MIGRATIONS, Money, TransferId,
    apply, apply_one, migrated, open_account, open_ledger,
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
    db.execute_batch(&MIGRATIONS.concat())
        .expect("a valid schema");
    migrated(&db).expect("nothing to move");
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

/// A hundred won from Mina to Jun.
pub(crate) fn mina_to_jun() -> Between {
    Between {
        debit: MINA,
        credit: JUN,
        money: won(100),
    }
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

/// Transfers 1 to 4: money comes, moves, is held, and a part of it goes back.
pub(crate) fn books() -> Connection {
    let db = bench();
    let batch = [
        Instruction::transfer(id(2), mina_to_jun()),
        Instruction::hold(id(3), mina_to_jun(), None),
        Instruction::reverse(id(4), id(2), Some(won(10))),
    ];
    let answers = apply(&db, LogTime(2), &batch).expect("applied");
    assert!(answers.iter().all(Result::is_ok));
    db
}

/// What somebody might do to [`books`] behind our back, and what is the first thing that is broken then.
pub(crate) const HARM: [(&str, Broken); 13] = [
    (
        "DELETE FROM ledger_transfer WHERE n = 2",
        Broken::Transfer(2),
    ),
    (
        "DELETE FROM ledger_transfer WHERE n = 4",
        Broken::Transfer(4),
    ),
    ("DELETE FROM derived_ledger_page", Broken::Transfer(1)),
    (
        "INSERT INTO ledger_transfer SELECT 5, body FROM ledger_transfer WHERE n = 2",
        Broken::Transfer(5),
    ),
    (
        "UPDATE ledger_book SET transfers = 3",
        Broken::Ledger(LedgerId(1)),
    ),
    (
        "UPDATE ledger_book SET proof = zeroblob(64)",
        Broken::Ledger(LedgerId(1)),
    ),
    // All accounts are in one block: Mina's is the second, of 81 bytes, and Jun's the third, of 73.
    (
        "UPDATE ledger_block SET body = CAST(substr(body, 1, 106) || zeroblob(8) || substr(body, 115) AS BLOB)",
        Broken::Account(MINA),
    ),
    (
        "UPDATE ledger_block SET body = CAST(substr(body, 1, 154) || substr(body, 228) AS BLOB)",
        Broken::Account(JUN),
    ),
    ("DELETE FROM ledger_hold", Broken::Hold(3)),
    ("INSERT INTO ledger_hold VALUES (2, NULL)", Broken::Hold(2)),
    ("UPDATE ledger_reversed SET amount = 9", Broken::Reversed(2)),
    ("DELETE FROM ledger_reversed", Broken::Reversed(2)),
    (
        "UPDATE ledger_block SET body = CAST(substr(body, 1, 14) || x'01' || substr(body, 16) AS BLOB)",
        Broken::Limit(BANK),
    ),
];
