//! A small domain to try the simulation itself: money goes between accounts, and none is made or lost.

use crate::Dice;
use crate::workload::{Asked, Settled, Told, Workload};
use bongsu_lane::{Actor, Cx, Domain, Priority, Refusal, Topic};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

/// What each account has in the beginning.
const OPENING: i64 = 100;
const ACCOUNTS: i64 = 5;

/// A habit that a domain must not have.
pub trait Vice: Send + Sync + 'static {
    /// What it makes of a transfer's memo.
    fn taint(memo: i64) -> i64;
}

/// None.
#[derive(Debug)]
pub struct Sober;

impl Vice for Sober {
    fn taint(memo: i64) -> i64 {
        memo
    }
}

/// Accounts and transfers between them.
#[derive(Debug)]
pub struct Ledger<V = Sober>(PhantomData<V>);

/// Asks for a transfer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Transfer {
    /// Who pays.
    pub from: i64,
    /// Who is paid.
    pub to: i64,
    /// How much.
    pub amount: i64,
    /// Which transfer it is, for the payer.
    pub memo: i64,
}

/// What the payer has left.
pub type Left = i64;

/// The payer has too little.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("there are only {has}")]
pub struct TooLittle {
    has: i64,
}

/// A receipt is to be sent for the transfer with this memo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receipt(i64);

impl<V: Vice> Domain for Ledger<V> {
    const NAME: &'static str = "ledger";
    const VERSION: u32 = 1;
    const MIGRATIONS: &'static [&'static str] = &["
        CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
        CREATE TABLE transfer (position INTEGER PRIMARY KEY, memo INTEGER NOT NULL, amount INTEGER NOT NULL);
        INSERT INTO account VALUES (0, 100), (1, 100), (2, 100), (3, 100), (4, 100);"];
    type Command = Transfer;
    type Accepted = Left;
    type Rejected = TooLittle;
    type Effect = Receipt;

    fn apply(cx: &mut Cx<'_, Self>, transfer: Transfer) -> Result<Left, Refusal<TooLittle>> {
        let Transfer {
            from,
            to,
            amount,
            memo,
        } = transfer;
        let position = cx.position();
        cx.db()
            .prepare_cached("INSERT INTO transfer VALUES (?1, ?2, ?3)")?
            .execute((position.as_i64(), V::taint(memo), amount))?;
        let change = "UPDATE account SET balance = balance + ?2 WHERE id = ?1 RETURNING balance";
        let left: i64 = cx
            .db()
            .prepare_cached(change)?
            .query_row((from, -amount), |row| row.get(0))?;
        // Refused only after writing: the lane has to take it back.
        if left < 0 {
            return Err(Refusal::Rejected(TooLittle { has: left + amount }));
        }
        cx.db()
            .prepare_cached(change)?
            .query_row((to, amount), |row| row.get::<_, i64>(0))?;
        cx.effect(&Receipt(memo))?;
        cx.wake(Topic::of("account", &to.to_string()));
        Ok(left)
    }
}

/// Clients that pay one another.
pub struct Payers<V = Sober> {
    memos: i64,
    receipts: BTreeSet<i64>,
    vice: PhantomData<V>,
}

impl<V: Vice> Workload for Payers<V> {
    type Domain = Ledger<V>;

    fn new(_dice: &mut Dice, _clients: usize) -> Self {
        Self {
            memos: 0,
            receipts: BTreeSet::new(),
            vice: PhantomData,
        }
    }

    fn next(&mut self, _client: usize, dice: &mut Dice) -> Asked<Transfer> {
        self.memos += 1;
        let from = dice.i64(0..ACCOUNTS);
        let to = (from + dice.i64(1..ACCOUNTS)) % ACCOUNTS;
        let amount = dice.i64(1..=OPENING);
        Asked {
            actor: Actor::Nobody,
            priority: Priority::Normal,
            command: Transfer {
                from,
                to,
                amount,
                memo: self.memos,
            },
        }
    }

    fn effect(&mut self, receipt: &Receipt, dice: &mut Dice) -> Result<(), String> {
        if dice.u32(0..4) == 0 {
            return Err("the post is closed".into());
        }
        self.receipts.insert(receipt.0);
        Ok(())
    }

    fn check(&self, settled: &Settled<'_, Ledger<V>>) -> Result<(), String> {
        let read = |error: rusqlite::Error| error.to_string();
        let db = settled.view.db();
        let balances = "SELECT sum(balance), min(balance) FROM account";
        let (sum, least): (i64, i64) = db
            .query_row(balances, (), |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(read)?;
        if (sum, least >= 0) != (OPENING * ACCOUNTS, true) {
            return Err(format!("the accounts hold {sum}, one of them {least}"));
        }
        let mut times = BTreeMap::<i64, u32>::new();
        let memos = "SELECT memo FROM transfer ORDER BY position";
        let mut statement = db.prepare(memos).map_err(read)?;
        for memo in statement.query_map((), |row| row.get(0)).map_err(read)? {
            *times.entry(memo.map_err(read)?).or_default() += 1;
        }
        for Told {
            command, outcome, ..
        } in settled.told
        {
            let memo = V::taint(command.memo);
            let found = times.get(&memo).copied().unwrap_or_default();
            if found != u32::from(outcome.is_ok()) {
                return Err(format!(
                    "transfer {} was told {outcome:?} and stands there {found} times",
                    command.memo
                ));
            }
            if outcome.is_ok() && !self.receipts.contains(&command.memo) {
                return Err(format!("nobody sent a receipt for {}", command.memo));
            }
        }
        Ok(())
    }
}
