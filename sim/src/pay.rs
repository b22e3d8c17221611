//! People who pay each other and a shop, repeat their keys, and a bank that may say twice what it did.

use crate::Dice;
use crate::workload::{Asked, Settled, Told, Workload};
use bongsu_base::{DeviceId, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_ledger::{AccountId, Amount, Currency, Money, balance};
use bongsu_pay::{
    Accepted, Act, Administer, Answer, Ask, Asker, BankSaid, Command, Effect, Hash, Kept, Kind,
    NewMerchant, Ordered, Pay, PaymentId, State, Verb,
};
use std::collections::BTreeMap;

const PEOPLE: usize = 4;
const SHOP: &str = "shop";
const SECRET: &str = "bgm_shop";
/// What a payment costs the shop, in hundredths of a percent.
const FEE: u16 = 300;

/// What the clients know of one another.
pub struct Town {
    /// How far each client has opened its person's wallet.
    begun: Vec<usize>,
    keys: u64,
    asked: Vec<(Actor, Ask)>,
    payments: Vec<PaymentId>,
    codes: u64,
    /// What the bank was asked, as often as it was.
    orders: Vec<Ordered>,
}

fn user(n: usize) -> UserId {
    let id = format!("@person{n}:bongsu.test");
    id.parse().expect("a well-formed id")
}

fn person(n: usize) -> Actor {
    let device: DeviceId = "PHONE".parse().expect("a well-formed id");
    Actor::User {
        user: user(n),
        device,
    }
}

fn won(dice: &mut Dice) -> Money {
    Money {
        amount: Amount::new(dice.i64(1..60_000)).expect("an amount"),
        currency: Currency::KRW,
    }
}

fn by_shop() -> Asker {
    Asker::Merchant {
        id: SHOP.parse().expect("a well-formed id"),
        with: Hash::of_secret(SECRET),
    }
}

/// What the bank does with an order: always the same, however often it is asked.
fn at_bank(order: &Ordered) -> BankSaid {
    let refused = match order {
        Ordered::Payment(id) => id.0[0] < 32,
        Ordered::Settlement(n) => n % 8 == 0,
    };
    if refused {
        let reason = "the account is closed".to_owned();
        return BankSaid::Refused { reason };
    }
    let reference = format!("{order:?}");
    BankSaid::Done { reference }
}

impl Town {
    fn code(&mut self, dice: &mut Dice, new: bool) -> Hash {
        self.codes += u64::from(new);
        let n = if new {
            self.codes
        } else {
            dice.u64(0..=self.codes)
        };
        Hash::of_secret(&format!("code {n}"))
    }

    fn payment(&self, dice: &mut Dice) -> PaymentId {
        let known = dice.choice(&self.payments);
        known.copied().unwrap_or(PaymentId([0; 16]))
    }

    fn of_person(&mut self, n: usize, dice: &mut Dice) -> Verb {
        let note = "supper".to_owned();
        match dice.u32(0..16) {
            0 | 1 => Verb::TopUpWithin(won(dice)),
            2 => Verb::Withdraw(won(dice)),
            3..=6 => Verb::Transfer {
                to: user((n + dice.usize(1..PEOPLE)) % PEOPLE),
                money: won(dice),
                note,
            },
            7 => Verb::MakeLink {
                code: self.code(dice, true),
                money: won(dice),
                note,
            },
            8 => Verb::ClaimLink(self.code(dice, false)),
            9 => Verb::CancelLink(self.code(dice, false)),
            10 => Verb::ShowCode(self.code(dice, true)),
            11 => Verb::PayMerchant {
                merchant: SHOP.parse().expect("a well-formed id"),
                money: won(dice),
                note,
            },
            12 => Verb::Decline(self.payment(dice)),
            _ => Verb::Accept(self.payment(dice)),
        }
    }

    fn of_shop(&mut self, dice: &mut Dice) -> Verb {
        let order = "order".to_owned();
        match dice.u32(0..8) {
            0..=2 => Verb::Ready {
                money: won(dice),
                order,
                payer: dice.bool().then(|| user(dice.usize(0..PEOPLE))),
            },
            3 | 4 => Verb::Capture(self.payment(dice)),
            5 => Verb::Charge {
                code: self.code(dice, false),
                money: won(dice),
                order,
            },
            _ => Verb::Cancel {
                payment: self.payment(dice),
                amount: dice.bool().then(|| won(dice).amount),
            },
        }
    }

    /// A request under a new key, or one that was made before, under its own.
    fn ask(&mut self, client: usize, dice: &mut Dice) -> (Actor, Ask) {
        if dice.u32(0..6) == 0
            && let Some(again) = dice.choice(&self.asked)
        {
            return again.clone();
        }
        self.keys += 1;
        let n = client % PEOPLE;
        self.begun[client] += 1;
        let (actor, by, verb) = match self.begun[client] {
            1 => (person(n), Asker::Person, Verb::OpenWallet(Currency::KRW)),
            2 => (person(n), Asker::Person, Verb::LinkBank(format!("KR{n}"))),
            3 => (person(n), Asker::Person, Verb::TopUpWithin(won(dice))),
            _ if dice.u32(0..3) == 0 => (Actor::Nobody, by_shop(), self.of_shop(dice)),
            _ => {
                let n = dice.usize(0..PEOPLE);
                (person(n), Asker::Person, self.of_person(n, dice))
            }
        };
        let key = format!("key {}", self.keys);
        let ask = Ask { by, key, verb };
        self.asked.push((actor.clone(), ask.clone()));
        (actor, ask)
    }
}

/// The operator's first act.
fn add_shop() -> Command {
    Command::Administer(Administer {
        by: None,
        reason: None,
        act: Act::AddMerchant(NewMerchant {
            id: SHOP.parse().expect("a well-formed id"),
            name: "Shop".to_owned(),
            city: "Seoul".to_owned(),
            category: 5_812,
            currency: Currency::KRW,
            fee: FEE,
            bank: "KR-SHOP".to_owned(),
            key: Hash::of_secret(SECRET),
        }),
    })
}

impl Workload for Town {
    type Domain = Pay;

    fn new(_dice: &mut Dice, clients: usize) -> Self {
        Self {
            begun: vec![0; clients],
            keys: 0,
            asked: Vec::new(),
            payments: Vec::new(),
            codes: 0,
            orders: Vec::new(),
        }
    }

    fn next(&mut self, client: usize, dice: &mut Dice) -> Asked<Command> {
        let (actor, command) = match dice.u32(0..12) {
            0 => (Actor::Operator, add_shop()),
            1 => (Actor::Platform, Command::Sweep { most: 10 }),
            2..=4 if !self.orders.is_empty() => {
                let order = self.orders[dice.usize(0..self.orders.len())].clone();
                let said = at_bank(&order);
                (Actor::Platform, Command::BankSaid { order, said })
            }
            5 if !self.asked.is_empty() => {
                let (actor, ask) = self.asked[dice.usize(0..self.asked.len())].clone();
                let (by, key) = (ask.by, ask.key);
                (actor, Command::Close { by, key })
            }
            _ => {
                let (actor, ask) = self.ask(client, dice);
                (actor, Command::Ask(ask))
            }
        };
        Asked {
            actor,
            priority: Priority::Vital,
            command,
        }
    }

    fn heard(&mut self, _client: usize, told: &Told<Pay>) {
        if let Ok(Accepted::Answered { answer, .. }) = &told.outcome
            && let Kept::Done(Answer::Payment(payment)) = answer
        {
            self.payments.push(payment.id);
        }
    }

    fn effect(&mut self, effect: &Effect, dice: &mut Dice) -> Result<(), String> {
        if dice.u32(0..4) == 0 {
            return Err("the bank does not answer".into());
        }
        if let Effect::Bank { order, .. } = effect {
            self.orders.push(order.clone());
        }
        Ok(())
    }

    fn check(&self, settled: &Settled<'_, Pay>) -> Result<(), String> {
        one_answer_a_key(settled.told)?;
        let db = settled.view.db();
        let sql = |error: rusqlite::Error| error.to_string();
        let broken = bongsu_ledger::check(db).map_err(sql)?.err();
        if let Some(broken) = broken {
            return Err(broken.to_string());
        }
        let mut books = Books::default();
        for payment in payments(db).map_err(sql)? {
            books.take(&payment);
        }
        books.compare(db).map_err(sql)?
    }
}

/// Whether each key was answered the same whenever and wherever it was asked or closed.
fn one_answer_a_key(told: &[Told<Pay>]) -> Result<(), String> {
    let mut answers: BTreeMap<&str, &Kept> = BTreeMap::new();
    for told in told {
        let (Command::Ask(Ask { key, .. }) | Command::Close { key, .. }) = &told.command else {
            continue;
        };
        let Ok(Accepted::Answered { answer, .. }) = &told.outcome else {
            continue;
        };
        let first = *answers.entry(key).or_insert(answer);
        if first != answer {
            return Err(format!("{key} was answered {first:?}, then {answer:?}"));
        }
    }
    Ok(())
}

/// What became of a payment, as far as money goes.
struct Found {
    kind: i64,
    state: i64,
    payer: String,
    payee: String,
    amount: i64,
    fee: i64,
    refunded: i64,
    fee_back: i64,
}

fn payments(db: &rusqlite::Connection) -> rusqlite::Result<Vec<Found>> {
    let mut statement = db.prepare(
        "SELECT kind, state, payer, payee, amount, fee, refunded, fee_back FROM payment ORDER BY n",
    )?;
    let found = statement.query_map((), |row| {
        Ok(Found {
            kind: row.get(0)?,
            state: row.get(1)?,
            payer: row.get(2)?,
            payee: row.get(3)?,
            amount: row.get(4)?,
            fee: row.get(5)?,
            refunded: row.get(6)?,
            fee_back: row.get(7)?,
        })
    })?;
    found.collect()
}

/// What everybody must have, by what became of the payments.
#[derive(Default)]
struct Books {
    /// By owner: what they have, with what is held, and what is held.
    people: BTreeMap<String, (i64, i64)>,
    shop: i64,
}

impl Books {
    fn add(&mut self, owner: &str, has: i64, held: i64) {
        let (had, was_held) = self.people.entry(owner.to_owned()).or_default();
        *had += has;
        *was_held += held;
    }

    fn take(&mut self, found: &Found) {
        let (kind, state) = (found.kind, found.state);
        let is = |wanted: State| state == wanted as i64;
        if is(State::Paid) {
            let moved = found.amount - found.refunded;
            if kind != Kind::TopUp as i64 {
                self.add(&found.payer, -moved, 0);
            }
            if kind == Kind::Purchase as i64 {
                self.shop += moved - (found.fee - found.fee_back);
            } else if kind != Kind::Withdrawal as i64 {
                self.add(&found.payee, moved, 0);
            }
        } else if is(State::Held)
            || is(State::Review)
            || (is(State::AtBank) && kind == Kind::Withdrawal as i64)
        {
            self.add(&found.payer, 0, found.amount);
        }
    }

    fn compare(mut self, db: &rusqlite::Connection) -> rusqlite::Result<Result<(), String>> {
        let mut statement = db.prepare("SELECT owner, account FROM wallet ORDER BY owner")?;
        let wallets = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for wallet in wallets {
            let (owner, account): (String, i64) = wallet?;
            let found = has(db, account)?;
            let expect = self.people.remove(&owner).unwrap_or_default();
            if found != expect {
                return Ok(Err(format!("{owner} has {found:?}, not {expect:?}")));
            }
        }
        self.people.retain(|_, has| *has != (0, 0));
        if !self.people.is_empty() {
            return Ok(Err(format!("no wallets have {:?}", self.people)));
        }
        let mut statement = db.prepare("SELECT pending FROM merchant")?;
        let accounts = statement.query_map((), |row| row.get(0))?;
        for account in accounts {
            let found = has(db, account?)?;
            if found != (self.shop, 0) {
                return Ok(Err(format!("the shop has {found:?}, not {}", self.shop)));
            }
        }
        Ok(Ok(()))
    }
}

/// What an account has, with what is held, and what is held.
fn has(db: &rusqlite::Connection, account: i64) -> rusqlite::Result<(i64, i64)> {
    let found = balance(db, AccountId(account))?.unwrap_or_default();
    let has = found.credits_posted - found.debits_posted;
    Ok((has, found.debits_pending))
}
