//! What the tests of rules share: a view in memory, to which they apply one command at a time.

use crate::Pay;
use crate::answer::{Answer, Kept, Payment, Refused};
use crate::command::{
    Accepted, Act, Administer, Ask, Asker, BankSaid, Command, NewMerchant, Ordered, Rejected, Verb,
};
use crate::id::Hash;
use crate::state::{merchant, wallet};
use bongsu_base::{LogTime, Millis, RecordId, Seed, UserId};
use bongsu_lane::{Actor, Applier, EntryBody, Outcome, Payload, Record};
use bongsu_ledger::{Amount, Currency, Ledger, Money, balance};
use bongsu_log::Entry;
use std::cell::{Cell, RefCell};
use std::path::Path;

/// An installation in memory.
pub struct Bench {
    applier: RefCell<Applier<Pay>>,
    now: Cell<LogTime>,
    asked: Cell<u64>,
}

impl Bench {
    /// An empty installation.
    pub fn new() -> Self {
        Self {
            applier: RefCell::new(Applier::open(Path::new(":memory:")).expect("a view in memory")),
            now: Cell::new(LogTime(1_800_000_000_000)),
            asked: Cell::new(0),
        }
    }

    /// An installation in which these people have so much.
    pub fn with_wallets(people: &[(&str, i64)]) -> Self {
        let bench = Self::new();
        for (name, amount) in people {
            bench
                .verb(name, Verb::OpenWallet(Currency::KRW))
                .expect("opened");
            bench
                .verb(name, Verb::LinkBank("KR1".into()))
                .expect("linked");
            if *amount > 0 {
                bench.top_up(name, *amount);
            }
        }
        bench
    }

    /// As before, and the merchant `shop`, for which a payment costs three in a hundred.
    pub fn with_shop(people: &[(&str, i64)]) -> Self {
        let bench = Self::with_wallets(people);
        bench.administer(Act::AddMerchant(shop()));
        bench
    }

    /// Applies a command in an entry of its own.
    pub fn ask(&self, actor: Actor, command: Command) -> Result<Accepted, Rejected> {
        let mut applier = self.applier.borrow_mut();
        let (chain, time) = (applier.progress().chain, self.now.get());
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&chain.seq.0.to_le_bytes());
        let record = Record {
            id: RecordId::named(&["test"], &chain.seq.to_string()),
            actor,
            seed: Seed::from_bytes(seed),
            payload: Payload::Command(postcard::to_stdvec(&command).expect("plain data")),
        };
        let body = EntryBody {
            records: vec![record],
        }
        .encode();
        let next = chain.extend(time, &body);
        let entry = Entry {
            seq: next.seq,
            time,
            body: body.into(),
            link: next.link,
        };
        let applied = applier.apply(&[entry]).expect("the view can be written");
        let (_, verdict) = applied.outcomes.into_iter().next().expect("one record");
        match verdict.outcome {
            Some(Outcome::Accepted(accepted)) => Ok(accepted),
            Some(Outcome::Rejected(rejected)) => Err(rejected),
            other => panic!("no outcome of a rule: {other:?}"),
        }
    }

    /// Asks under a key.
    pub fn keyed(&self, name: &str, key: &str, verb: Verb) -> Accepted {
        let (by, key) = (Asker::Person, key.to_owned());
        let ask = Command::Ask(Ask { by, key, verb });
        self.ask(as_user(name), ask).expect("accepted")
    }

    /// Asks as nobody, or as a merchant.
    pub fn ask_by(&self, by: Asker, key: &str, verb: Verb) -> Result<Accepted, Rejected> {
        let key = key.to_owned();
        self.ask(Actor::Nobody, Command::Ask(Ask { by, key, verb }))
    }

    fn fresh(&self) -> String {
        self.asked.set(self.asked.get() + 1);
        format!("fresh {}", self.asked.get())
    }

    /// Asks as a person, under a new key.
    pub fn verb(&self, name: &str, verb: Verb) -> Result<Answer, Refused> {
        kept(self.keyed(name, &self.fresh(), verb))
    }

    /// Asks as the merchant `shop`, under a new key.
    pub fn shop(&self, verb: Verb) -> Result<Answer, Refused> {
        kept(
            self.ask_by(by_shop(), &self.fresh(), verb)
                .expect("accepted"),
        )
    }

    /// The payment that was answered.
    pub fn payment(answer: Answer) -> Payment {
        match answer {
            Answer::Payment(payment) => payment,
            other => panic!("no payment: {other:?}"),
        }
    }

    /// Has the bank bring so much.
    pub fn top_up(&self, name: &str, amount: i64) {
        let asked = self.verb(name, Verb::TopUp(krw(amount))).expect("asked");
        let said = BankSaid::Done {
            reference: "B".into(),
        };
        let order = Ordered::Payment(Self::payment(asked).id);
        let told = self.ask(Actor::Platform, Command::BankSaid { order, said });
        assert_eq!(told, Ok(Accepted::Done));
    }

    /// Buys something of the merchant `shop`.
    pub fn buy(&self, name: &str, amount: i64) {
        let (money, order) = (krw(amount), "A".to_owned());
        let ready = self.shop(Verb::Ready {
            money,
            order,
            payer: None,
        });
        let id = Self::payment(ready.expect("prepared")).id;
        self.verb(name, Verb::Accept(id)).expect("held");
        self.shop(Verb::Capture(id)).expect("paid");
    }

    /// Does what an operator does.
    pub fn try_administer(&self, act: Act) -> Result<Accepted, Rejected> {
        let (by, reason) = (None, None);
        let command = Administer { by, reason, act };
        self.ask(Actor::Operator, Command::Administer(command))
    }

    /// Does what an operator may do.
    pub fn administer(&self, act: Act) {
        assert_eq!(self.try_administer(act), Ok(Accepted::Done));
    }

    /// The time.
    pub fn now(&self) -> LogTime {
        self.now.get()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Millis) {
        self.now.set(self.now.get() + span);
    }

    /// Looks at the view.
    pub fn look<T>(&self, look: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> T {
        look(self.applier.borrow().db()).expect("the view is readable")
    }

    /// What somebody has, with what is held.
    pub fn balances<const N: usize>(&self, names: &[&str; N]) -> [i64; N] {
        names.map(|name| self.shown(name).balance)
    }

    /// What somebody has and does not hold.
    pub fn available(&self, name: &str) -> i64 {
        let shown = self.shown(name);
        shown.balance - shown.held
    }

    fn shown(&self, name: &str) -> crate::Wallet {
        let owner = user(name);
        let now = self.now();
        self.look(|db| {
            let purse = wallet::find(db, owner.as_str(), Currency::KRW)?;
            purse.expect("a wallet").shown(db, now)
        })
    }

    /// What the merchant `shop` has earned and was not settled.
    pub fn pending(&self) -> i64 {
        self.look(|db| {
            let shop = merchant::find(db, "shop")?.expect("there");
            let found = balance(db, shop.pending)?.expect("an account");
            Ok(found.credits_posted - found.debits_posted)
        })
    }

    /// Sees that the books are in order.
    pub fn prove(&self) {
        let broken = self.look(bongsu_ledger::check);
        assert!(broken.is_ok(), "{broken:?}");
        for ledger in self.look(Ledger::all) {
            assert!(ledger.proof.balances(), "{ledger:?}");
        }
    }
}

fn kept(accepted: Accepted) -> Result<Answer, Refused> {
    match accepted {
        Accepted::Answered {
            answer: Kept::Done(answer),
            ..
        } => Ok(answer),
        Accepted::Answered {
            answer: Kept::Refused(refused),
            ..
        } => Err(refused),
        other => panic!("no answer: {other:?}"),
    }
}

/// The merchant `shop`.
fn shop() -> NewMerchant {
    NewMerchant {
        id: "shop".parse().expect("an id"),
        name: "Shop".into(),
        city: "Seoul".into(),
        category: 5_411,
        currency: Currency::KRW,
        fee: 300,
        bank: "KR2".into(),
        key: Hash::of_secret("bgm_shop"),
    }
}

/// The merchant `shop`, with its key.
pub fn by_shop() -> Asker {
    Asker::Merchant {
        id: "shop".parse().expect("an id"),
        with: Hash::of_secret("bgm_shop"),
    }
}

/// A person.
pub fn as_user(name: &str) -> Actor {
    Actor::User {
        user: user(name),
        device: "PHONE".parse().expect("a device id"),
    }
}

/// The user id with this localpart.
pub fn user(name: &str) -> UserId {
    format!("@{name}:bongsu.test").parse().expect("a user id")
}

/// So many won.
pub fn krw(amount: i64) -> Money {
    Money {
        amount: Amount::new(amount).expect("an amount"),
        currency: Currency::KRW,
    }
}
