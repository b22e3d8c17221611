//! The laws, over generated histories and beside a model that shares no code with the crate: nothing is made or lost,
//! nobody passes what they have, each key has one answer, and the same log gives the same state.

mod model;

use bongsu_base::{LogTime, Millis, RecordId, Seed};
use bongsu_lane::{Actor, Applier, EntryBody, Outcome, Payload, Record};
use bongsu_ledger::{Amount, Currency, Ledger, Money};
use bongsu_log::Entry;
use bongsu_pay::{
    Accepted, Act, Administer, Answer, Ask, Asker, BankSaid, BillId, Command, Hash, Kept, Limits,
    NewBill, NewMerchant, NewSubscription, Ordered, Pay, PaymentId, Period, Rule, Salt, State,
    SubscriptionId, Verb,
};
use model::{BILL_LASTS, DAY_LIMIT, HOUR, Model};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const PEOPLE: [&str; 3] = ["@a:s", "@b:s", "@c:s"];
const SHOP: &str = "shop";

/// One step of a history. Payments are named by how many were begun before them.
#[derive(Debug, Clone)]
enum Step {
    TopUp(usize, i64),
    Withdraw(usize, i64),
    BankSays(usize, bool),
    Transfer(usize, usize, i64),
    Link(usize, u8, i64),
    Claim(usize, u8),
    CancelLink(usize, u8),
    Ready(i64),
    Accept(usize, usize),
    Capture(usize),
    Cancel(usize, Option<i64>),
    /// Whoever asks, and for how much each.
    Bill(usize, [Option<i64>; 3]),
    PayShare(usize, usize),
    DeclineShare(usize, usize),
    CancelBill(usize, usize),
    /// How much now, and how much at most later.
    Subscribe(i64, i64),
    ChargeAgain(usize, i64),
    Revoke(usize, usize),
    /// From which amount on payments are looked at.
    Rule(Option<i64>),
    Decide(usize, bool),
    Pass(i64),
    /// The same request as before, under the same key.
    Again(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE.len();
    let much = || 1..900_i64;
    let which = || 0..12_usize;
    prop_oneof![
        3 => (who(), much()).prop_map(|(a, b)| Step::TopUp(a, b)),
        1 => (who(), much()).prop_map(|(a, b)| Step::Withdraw(a, b)),
        5 => (which(), prop::bool::weighted(0.8)).prop_map(|(a, b)| Step::BankSays(a, b)),
        3 => (who(), who(), much()).prop_map(|(a, b, c)| Step::Transfer(a, b, c)),
        1 => (who(), 0..4_u8, much()).prop_map(|(a, b, c)| Step::Link(a, b, c)),
        1 => (who(), 0..4_u8).prop_map(|(a, b)| Step::Claim(a, b)),
        1 => (who(), 0..4_u8).prop_map(|(a, b)| Step::CancelLink(a, b)),
        2 => much().prop_map(Step::Ready),
        3 => (who(), which()).prop_map(|(a, b)| Step::Accept(a, b)),
        3 => which().prop_map(Step::Capture),
        2 => (which(), prop::option::of(much())).prop_map(|(a, b)| Step::Cancel(a, b)),
        1 => (who(), prop::array::uniform3(prop::option::weighted(0.8, 1..300_i64)))
            .prop_map(|(a, b)| Step::Bill(a, b)),
        3 => (who(), 0..4_usize).prop_map(|(a, b)| Step::PayShare(a, b)),
        1 => (who(), 0..4_usize).prop_map(|(a, b)| Step::DeclineShare(a, b)),
        1 => (who(), 0..4_usize).prop_map(|(a, b)| Step::CancelBill(a, b)),
        1 => (much(), much()).prop_map(|(a, b)| Step::Subscribe(a, b)),
        2 => (0..3_usize, much()).prop_map(|(a, b)| Step::ChargeAgain(a, b)),
        1 => (who(), 0..3_usize).prop_map(|(a, b)| Step::Revoke(a, b)),
        1 => prop::option::of(much()).prop_map(Step::Rule),
        2 => (which(), any::<bool>()).prop_map(|(a, b)| Step::Decide(a, b)),
        2 => (1..90_000_000_i64).prop_map(Step::Pass),
        1 => which().prop_map(Step::Again),
    ]
}

/// The crate, and all that was asked of it.
struct Real {
    applier: Applier<Pay>,
    entries: Vec<Entry>,
    now: LogTime,
    ids: Vec<PaymentId>,
    bills: Vec<BillId>,
    subscriptions: Vec<SubscriptionId>,
    asked: Vec<(Actor, Command, Accepted)>,
}

fn krw(amount: i64) -> Money {
    let amount = Amount::new(amount).expect("an amount");
    let currency = Currency::KRW;
    Money { amount, currency }
}

fn person(who: usize) -> Actor {
    Actor::User {
        user: PEOPLE[who].parse().expect("a user id"),
        device: "D".parse().expect("a device id"),
    }
}

fn shop_key() -> Hash {
    Hash::of_secret("bgm_1")
}

impl Real {
    fn new() -> Self {
        let mut real = Self {
            applier: Applier::open(Path::new(":memory:")).expect("a view in memory"),
            entries: Vec::new(),
            now: LogTime(1_800_000_000_000),
            ids: Vec::new(),
            bills: Vec::new(),
            subscriptions: Vec::new(),
            asked: Vec::new(),
        };
        for who in 0..PEOPLE.len() {
            for verb in [
                Verb::OpenWallet(Currency::KRW),
                Verb::LinkBank("KR1".into()),
            ] {
                assert_eq!(real.person(who, verb), Ok(()));
            }
        }
        let limits = Limits {
            payment: DAY_LIMIT,
            day: DAY_LIMIT,
            month: i64::MAX,
        };
        for act in [
            Act::SetLimits {
                currency: Currency::KRW,
                level: 0,
                limits,
            },
            Act::AddMerchant(NewMerchant {
                id: SHOP.parse().expect("an id"),
                name: "Shop".into(),
                city: String::new(),
                category: 0,
                currency: Currency::KRW,
                fee: 200,
                bank: "KR2".into(),
                key: shop_key(),
            }),
            Act::SetWebhook {
                merchant: SHOP.parse().expect("an id"),
                url: Some("https://shop.example/".into()),
                salt: Salt([1; 24]),
            },
        ] {
            let (by, reason) = (None, None);
            let command = Command::Administer(Administer { by, reason, act });
            assert_eq!(real.apply(Actor::Operator, command), Accepted::Done);
        }
        real.asked.clear();
        real
    }

    fn apply(&mut self, actor: Actor, command: Command) -> Accepted {
        self.outcome(actor, command).expect("accepted")
    }

    fn administer(&mut self, act: Act) -> Result<(), ()> {
        let (by, reason) = (None, None);
        let command = Command::Administer(Administer { by, reason, act });
        self.outcome(Actor::Operator, command).map(drop)
    }

    fn outcome(&mut self, actor: Actor, command: Command) -> Result<Accepted, ()> {
        let n = self.entries.len() as u64;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        let record = Record {
            id: RecordId::named(&["law"], &n.to_string()),
            actor,
            seed: Seed::from_bytes(seed),
            payload: Payload::Command(postcard::to_stdvec(&command).expect("plain data")),
        };
        let body = EntryBody {
            records: vec![record],
        }
        .encode();
        let next = self.applier.progress().chain.extend(self.now, &body);
        let entry = Entry {
            seq: next.seq,
            time: self.now,
            body: body.into(),
            link: next.link,
        };
        self.entries.push(entry.clone());
        let applied = self
            .applier
            .apply(&[entry])
            .expect("the view can be written");
        match applied
            .outcomes
            .into_iter()
            .next()
            .and_then(|(_, verdict)| verdict.outcome)
        {
            Some(Outcome::Accepted(accepted)) => Ok(accepted),
            Some(Outcome::Rejected(_)) => Err(()),
            other => panic!("no outcome of a rule: {other:?}"),
        }
    }

    fn keyed(&mut self, actor: Actor, by: Asker, verb: Verb) -> Result<(), ()> {
        let key = format!("k{}", self.entries.len());
        let command = Command::Ask(Ask { by, key, verb });
        let accepted = self.apply(actor.clone(), command.clone());
        self.asked.push((actor, command, accepted.clone()));
        let Accepted::Answered { answer, .. } = accepted else {
            panic!("no answer")
        };
        match answer {
            Kept::Done(Answer::Payment(payment)) => {
                if !self.ids.contains(&payment.id) {
                    self.ids.push(payment.id);
                }
                Ok(())
            }
            Kept::Done(Answer::Prepared {
                payment,
                subscription,
            }) => {
                self.ids.push(payment.id);
                self.subscriptions.push(subscription.id);
                Ok(())
            }
            Kept::Done(Answer::Bill(bill)) => {
                if !self.bills.contains(&bill.id) {
                    self.bills.push(bill.id);
                }
                Ok(())
            }
            Kept::Done(_) => Ok(()),
            Kept::Refused(_) | Kept::Never => Err(()),
        }
    }

    fn person(&mut self, who: usize, verb: Verb) -> Result<(), ()> {
        self.keyed(person(who), Asker::Person, verb)
    }

    fn shop(&mut self, verb: Verb) -> Result<(), ()> {
        let by = Asker::Merchant {
            id: SHOP.parse().expect("an id"),
            with: shop_key(),
        };
        self.keyed(Actor::Nobody, by, verb)
    }

    fn id(&self, n: usize) -> PaymentId {
        self.ids.get(n).copied().unwrap_or(PaymentId([255; 16]))
    }

    fn bill(&self, n: usize) -> BillId {
        self.bills.get(n).copied().unwrap_or(BillId([255; 16]))
    }

    fn subscription(&self, n: usize) -> SubscriptionId {
        let none = SubscriptionId([255; 16]);
        self.subscriptions.get(n).copied().unwrap_or(none)
    }

    fn sums(&self) -> BTreeMap<i64, i64> {
        let db = self.applier.db();
        let all = bongsu_ledger::Account::page(db, bongsu_ledger::AccountId(0), 100);
        let mut sums = BTreeMap::new();
        for account in all.expect("readable") {
            let balance = account.balance;
            *sums.entry(account.opened.code.into()).or_default() +=
                balance.credits_posted - balance.debits_posted;
        }
        sums
    }

    fn wallet(&self, who: usize) -> (i64, i64) {
        let find = "SELECT account FROM wallet WHERE owner = ?1";
        let db = self.applier.db();
        let account = db
            .query_row(find, [PEOPLE[who]], |row| row.get(0))
            .expect("a wallet");
        let found = bongsu_ledger::balance(db, bongsu_ledger::AccountId(account));
        let found = found.expect("readable").expect("an account");
        (
            found.credits_posted - found.debits_posted,
            found.debits_pending,
        )
    }
}

type Both = (Result<(), ()>, Result<(), ()>);

/// Nothing that could be refused.
const DONE: Both = (Ok(()), Ok(()));

/// Takes a step in both; whether it was done.
fn take(real: &mut Real, model: &mut Model, step: &Step) -> Both {
    let now = real.now;
    match *step {
        Step::BankSays(n, yes) => {
            bank_says(real, model, n, yes);
            DONE
        }
        Step::Pass(span) => {
            real.now = LogTime(now.0 + span);
            real.apply(Actor::Platform, Command::Sweep { most: 1_000 });
            model.sweep(real.now);
            DONE
        }
        Step::Again(n) => {
            if let Some((actor, command, first)) = real.asked.get(n).cloned() {
                assert_eq!(real.apply(actor, command), first);
            }
            DONE
        }
        Step::Ready(amount) => {
            model.begin('p', State::Ready, None, amount, now);
            let n = model.deals.len() - 1;
            model.deals[n].expires = Some(LogTime(now.0 + HOUR / 4));
            let (money, payer, order) = (krw(amount), None, String::new());
            (
                real.shop(Verb::Ready {
                    money,
                    order,
                    payer,
                }),
                Ok(()),
            )
        }
        Step::Capture(n) => (real.shop(Verb::Capture(real.id(n))), model.capture(n, now)),
        Step::Cancel(n, amount) => {
            let expect = model.cancel(n, amount, now);
            let (payment, amount) = (real.id(n), amount.map(|amount| krw(amount).amount));
            (real.shop(Verb::Cancel { payment, amount }), expect)
        }
        Step::Bill(..) | Step::PayShare(..) | Step::DeclineShare(..) | Step::CancelBill(..) => {
            bill(real, model, step)
        }
        Step::Rule(least) => {
            model.rule = least;
            let (currency, rule) = (Currency::KRW, Rule::Amount(least.unwrap_or(i64::MAX)));
            (real.administer(Act::SetRule { currency, rule }), Ok(()))
        }
        Step::Decide(n, release) => {
            let expect = model.decide(n, release, now);
            let payment = real.id(n);
            (real.administer(Act::Review { payment, release }), expect)
        }
        Step::Subscribe(..) | Step::ChargeAgain(..) | Step::Revoke(..) => {
            subscribe(real, model, step)
        }
        _ => ask(real, model, step),
    }
}

/// What people ask of each other.
fn bill(real: &mut Real, model: &mut Model, step: &Step) -> Both {
    let now = real.now;
    let (who, verb, expect) = match *step {
        Step::Bill(who, shares) => {
            let expect = model.bill(who, shares, now);
            let asked = (0..).zip(shares);
            let asked = asked.filter_map(|(n, amount): (usize, _)| {
                let person = PEOPLE[n].parse().expect("a user id");
                Some((person, krw(amount?).amount))
            });
            let new = NewBill {
                note: String::new(),
                currency: Currency::KRW,
                shares: asked.collect(),
                lasts: Millis(BILL_LASTS),
            };
            (who, Verb::MakeBill(new), expect)
        }
        Step::PayShare(who, n) => {
            let expect = model.pay_share(who, n, now);
            (who, Verb::PayShare(real.bill(n)), expect)
        }
        Step::DeclineShare(who, n) => {
            let expect = model.decline_share(who, n, now);
            (who, Verb::DeclineShare(real.bill(n)), expect)
        }
        Step::CancelBill(who, n) => {
            let expect = model.cancel_bill(who, n, now);
            (who, Verb::CancelBill(real.bill(n)), expect)
        }
        ref other => panic!("this is of no bill: {other:?}"),
    };
    (real.person(who, verb), expect)
}

/// What merchants charge again and again.
fn subscribe(real: &mut Real, model: &mut Model, step: &Step) -> Both {
    let now = real.now;
    match *step {
        Step::Subscribe(amount, max) => {
            let expect = model.subscribe(amount, max, now);
            let new = NewSubscription {
                money: krw(amount),
                order: String::new(),
                payer: None,
                max: krw(max).amount,
                period: Period::Day,
                until: LogTime(now.0 + 24 * 366 * HOUR),
            };
            (real.shop(Verb::ReadyRecurring(new)), expect)
        }
        Step::ChargeAgain(n, amount) => {
            let expect = model.charge_again(n, amount, now);
            let (id, money) = (real.subscription(n), krw(amount));
            let order = String::new();
            let verb = Verb::ChargeSubscription { id, money, order };
            (real.shop(verb), expect)
        }
        Step::Revoke(who, n) => {
            let expect = model.revoke(who, n);
            let verb = Verb::Revoke(real.subscription(n));
            (real.person(who, verb), expect)
        }
        ref other => panic!("this is of no subscription: {other:?}"),
    }
}

/// Shares are paid with the payments that they name, each once.
fn shares_agree(real: &Real, model: &Model) {
    let db = real.applier.db();
    let paid = "SELECT count(*), count(DISTINCT share.payment), coalesce(sum(share.amount), 0)
                FROM share JOIN payment ON payment.id = share.payment AND payment.amount = share.amount
                    AND payment.payer = share.person AND payment.state = 4
                WHERE share.state = 2";
    let found: (i64, i64, i64) = db
        .query_row(paid, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("readable");
    let paid = model.bills.iter().flat_map(|bill| &bill.shares);
    let paid: Vec<i64> = paid
        .filter(|share| share.state == 'p')
        .map(|share| share.amount)
        .collect();
    let count = paid.len() as i64;
    assert_eq!(found, (count, count, paid.iter().sum()));
}

fn bank_says(real: &mut Real, model: &mut Model, n: usize, yes: bool) {
    if n >= real.ids.len() {
        return;
    }
    let said = if yes {
        let reference = "B".into();
        BankSaid::Done { reference }
    } else {
        let reason = "no".into();
        BankSaid::Refused { reason }
    };
    let order = Ordered::Payment(real.id(n));
    real.apply(Actor::Platform, Command::BankSaid { order, said });
    model.bank_says(n, yes, real.now);
}

/// What people ask.
fn ask(real: &mut Real, model: &mut Model, step: &Step) -> Both {
    let (now, note) = (real.now, String::new());
    let (who, verb, expect) = match *step {
        Step::TopUp(who, amount) => {
            model.begin('t', State::AtBank, Some(who), amount, now);
            (who, Verb::TopUp(krw(amount)), Ok(()))
        }
        Step::Withdraw(who, amount) => {
            let expect = model.withdraw(who, amount, now);
            (who, Verb::Withdraw(krw(amount)), expect)
        }
        Step::Transfer(from, to, amount) => {
            let expect = model.transfer(from, to, amount, now);
            let to = PEOPLE[to].parse().expect("a user id");
            let money = krw(amount);
            (from, Verb::Transfer { to, money, note }, expect)
        }
        Step::Link(who, code, amount) => {
            let expect = model.link(who, code, amount, now);
            let (code, money) = (Hash([code; 32]), krw(amount));
            (who, Verb::MakeLink { code, money, note }, expect)
        }
        Step::Claim(who, code) => {
            let expect = model.claim(who, code, now);
            (who, Verb::ClaimLink(Hash([code; 32])), expect)
        }
        Step::CancelLink(who, code) => {
            let expect = model.cancel_link(who, code, now);
            (who, Verb::CancelLink(Hash([code; 32])), expect)
        }
        Step::Accept(who, n) => {
            let expect = model.accept(who, n, now);
            (who, Verb::Accept(real.id(n)), expect)
        }
        ref other => panic!("people do not ask for {other:?}"),
    };
    (real.person(who, verb), expect)
}

fn agree(real: &Real, model: &Model) {
    for who in 0..PEOPLE.len() {
        assert_eq!(real.wallet(who), (model.has[who], model.held[who]), "{who}");
        assert!(model.held[who] >= 0 && model.held[who] <= model.has[who]);
    }
    let sums = real.sums();
    assert_eq!(sums.values().sum::<i64>(), 0);
    let of = |code: i64| sums.get(&code).copied().unwrap_or(0);
    let expect = [
        model.has.iter().sum(),
        model.shop,
        model.fees,
        -model.came,
        0,
    ];
    assert_eq!([of(1), of(2), of(4), of(5), of(6)], expect);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_agrees_with_the_model(steps in prop::collection::vec(step(), 1..40)) {
        let (mut real, mut model) = (Real::new(), Model::default());
        for step in &steps {
            let (found, expect) = take(&mut real, &mut model, step);
            prop_assert_eq!(found, expect, "{:?}", step);
            agree(&real, &model);
            shares_agree(&real, &model);
        }
        let db = real.applier.db();
        prop_assert!(bongsu_ledger::check(db).expect("readable").is_ok());
        for ledger in Ledger::all(db).expect("readable") {
            prop_assert!(ledger.proof.balances());
        }
        let mut again = Applier::<Pay>::open(Path::new(":memory:")).expect("a view in memory");
        let applied = again.apply(&real.entries).expect("the view can be written");
        prop_assert_eq!(applied.progress.digest, real.applier.progress().digest);
    }
}
