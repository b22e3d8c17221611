//! The golden log: entries of every command ever released, as they stand in logs. They must decode for ever and give
//! the same outcomes and the same state.
//!
//! `tests/golden/v1.log` is only ever appended to; a line is what it holds, its time and its bytes.

use bongsu_base::{LogTime, Millis, RecordId, Seed};
use bongsu_lane::{Actor, Applier, EntryBody, Payload, Record};
use bongsu_ledger::{Amount, Currency, Money};
use bongsu_log::Entry;
use bongsu_pay::{
    Act, Administer, Ask, Asker, BankSaid, BillId, Command, EventId, Hash, KeyName, Limits,
    NewBill, NewMerchant, NewSubscription, Ordered, Pay, PaymentId, Period, Refused, Rule,
    RuleKind, Salt, SubscriptionId, TopUpLimits, Tried, Verb,
};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const LOG: &str = include_str!("../golden/v1.log");

fn won(amount: i64) -> Money {
    let amount = Amount::new(amount).expect("an amount");
    let currency = Currency::KRW;
    Money { amount, currency }
}

/// The payment that the sample of this number begins.
fn begun(number: u8) -> PaymentId {
    PaymentId(seed(number.into()).derive("payment", 0))
}

fn seed(number: usize) -> Seed {
    Seed::from_bytes([u8::try_from(number).expect("few samples"); 32])
}

fn by_mina(verb: Verb) -> (Actor, Asker, Verb) {
    let mina = Actor::User {
        user: "@mina:bongsu.test".parse().expect("a user id"),
        device: "PHONE".parse().expect("a device id"),
    };
    (mina, Asker::Person, verb)
}

fn by_juno(verb: Verb) -> (Actor, Asker, Verb) {
    let juno = Actor::User {
        user: "@juno:bongsu.test".parse().expect("a user id"),
        device: "DESK".parse().expect("a device id"),
    };
    (juno, Asker::Person, verb)
}

fn by_shop(verb: Verb) -> (Actor, Asker, Verb) {
    let with = Hash::of_secret("bgm_shop");
    let id = "shop".parse().expect("an id");
    (Actor::Nobody, Asker::Merchant { id, with }, verb)
}

/// One of everything that may be asked under a key, from sample 2 on.
fn verbs() -> Vec<(Actor, Asker, Verb)> {
    let (to, note) = (
        "@juno:bongsu.test".parse().expect("a user id"),
        "lunch".to_owned(),
    );
    let ready = |payer| Verb::Ready {
        money: won(700),
        order: "A-1".into(),
        payer,
    };
    vec![
        by_mina(Verb::OpenWallet(Currency::KRW)),
        by_juno(Verb::OpenWallet(Currency::KRW)),
        by_mina(Verb::LinkBank("110-1".into())),
        by_mina(Verb::TopUp(won(5_000))),
        by_mina(Verb::Withdraw(won(1))),
        by_shop(ready(None)),
        by_mina(Verb::Accept(begun(8))),
        by_shop(Verb::Capture(begun(8))),
        by_shop(ready(Some("@mina:bongsu.test".parse().expect("a user id")))),
        by_mina(Verb::Decline(begun(11))),
        by_shop(Verb::Cancel {
            payment: begun(8),
            amount: Some(won(1).amount),
        }),
        by_mina(Verb::Transfer {
            to,
            money: won(9),
            note: note.clone(),
        }),
        by_mina(Verb::MakeLink {
            code: Hash([1; 32]),
            money: won(9),
            note: note.clone(),
        }),
        by_juno(Verb::ClaimLink(Hash([1; 32]))),
        by_mina(Verb::MakeLink {
            code: Hash([2; 32]),
            money: won(9),
            note,
        }),
        by_mina(Verb::CancelLink(Hash([2; 32]))),
        by_mina(Verb::ShowCode(Hash([3; 32]))),
        by_shop(Verb::Charge {
            code: Hash([3; 32]),
            money: won(50),
            order: "A-2".into(),
        }),
    ]
}

fn operator(act: Act) -> (Actor, Command) {
    let (by, reason) = (None, Some("asked to".into()));
    (
        Actor::Operator,
        Command::Administer(Administer { by, reason, act }),
    )
}

fn acts() -> Vec<Act> {
    let shop = || "shop".parse().expect("an id");
    let owner = || "@mina:bongsu.test".parse().expect("a user id");
    let limits = Limits {
        payment: 1,
        day: 2,
        month: 3,
    };
    vec![
        Act::Rotate {
            merchant: shop(),
            key: Hash([9; 32]),
            until: LogTime(1),
        },
        Act::Settle(shop()),
        Act::FreezeMerchant {
            merchant: shop(),
            frozen: true,
        },
        Act::FreezeWallet {
            owner: owner(),
            frozen: true,
        },
        Act::SetLevel {
            owner: owner(),
            level: 2,
        },
        Act::SetLimits {
            currency: Currency::KRW,
            level: 2,
            limits,
        },
    ]
}

/// What merchants ask to be told what happens, and a payment of which one is.
fn told_verbs() -> Vec<Verb> {
    let key = KeyName([5; 8]);
    let event = EventId::of("payment.canceled", &begun(31).to_string(), 0);
    vec![
        Verb::SetWebhook {
            url: "https://shop.example/told".into(),
            key,
        },
        Verb::Ready {
            money: won(700),
            order: "A-3".into(),
            payer: None,
        },
        Verb::Cancel {
            payment: begun(31),
            amount: None,
        },
        Verb::RotateWebhook { key },
        Verb::TellAgain(event),
        Verb::RemoveWebhook,
    ]
}

/// What was added with telling merchants, from sample 29 on.
fn telling() -> Vec<(Actor, Command)> {
    let shop = || "shop".parse().expect("an id");
    let frozen = false;
    let (merchant, with) = (shop(), Hash([9; 32]));
    let mut all = vec![operator(Act::FreezeMerchant { merchant, frozen })];
    let tried = |before, status| {
        let all = vec![Tried {
            n: 1,
            before,
            status,
        }];
        (Actor::Platform, Command::Tried(all))
    };
    for (n, verb) in told_verbs().into_iter().enumerate() {
        let (id, key) = (shop(), format!("telling {n}"));
        let by = Asker::Merchant { id, with };
        let again = matches!(verb, Verb::TellAgain(_));
        all.push((Actor::Nobody, Command::Ask(Ask { by, key, verb })));
        if again {
            all.extend([tried(0, None), tried(1, Some(500)), tried(2, Some(204))]);
        }
    }
    for url in [Some("https://shop.example/other".into()), None] {
        let (merchant, salt) = (shop(), Salt([4; 24]));
        all.push(operator(Act::SetWebhook {
            merchant,
            url,
            salt,
        }));
    }
    all.push(operator(Act::RemoveWebhook(shop())));
    all
}

/// What people ask of each other, from sample 42 on.
fn asked_verbs() -> Vec<(Actor, Asker, Verb)> {
    let bill = |number| BillId(seed(number).derive("bill", 0));
    let share = |name: &str, amount| {
        let person = format!("@{name}:bongsu.test").parse();
        (person.expect("a user id"), won(amount).amount)
    };
    let new = |shares| {
        Verb::MakeBill(NewBill {
            note: "dinner".into(),
            currency: Currency::KRW,
            shares,
            lasts: Millis::hours(1),
        })
    };
    let three = vec![share("juno", 4), share("mina", 3), share("dain", 3)];
    vec![
        by_juno(new(three)),
        by_mina(Verb::PayShare(bill(42))),
        by_mina(new(vec![share("juno", 1)])),
        by_juno(Verb::DeclineShare(bill(44))),
        by_juno(Verb::CancelBill(bill(42))),
    ]
}

/// Charging again and again, from sample 47 on.
fn recurring_verbs() -> Vec<(Actor, Asker, Verb)> {
    let id = SubscriptionId(seed(47).derive("subscription", 0));
    let with = Hash([9; 32]);
    let shop = |verb| {
        let id = "shop".parse().expect("an id");
        (Actor::Nobody, Asker::Merchant { id, with }, verb)
    };
    let (money, order) = (won(2), "A-4".to_owned());
    let new = NewSubscription {
        money,
        order: order.clone(),
        payer: None,
        max: money.amount,
        period: Period::Day,
        until: LogTime(1_800_009_000_000),
    };
    vec![
        shop(Verb::ReadyRecurring(new)),
        by_juno(Verb::Accept(begun(47))),
        shop(Verb::ChargeSubscription { id, money, order }),
        shop(Verb::EndSubscription(id)),
        by_juno(Verb::Revoke(id)),
        by_juno(Verb::PayMerchant {
            merchant: "shop".parse().expect("an id"),
            money,
            note: "bread".into(),
        }),
        by_juno(Verb::TransferIn {
            room: "!tea:bongsu.test".parse().expect("a room id"),
            to: "@mina:bongsu.test".parse().expect("a user id"),
            money,
            note: "tea".into(),
        }),
        by_juno(Verb::Dispute {
            payment: begun(52),
            reason: "stale".into(),
        }),
        shop(Verb::AnswerDispute {
            payment: begun(52),
            answer: "it was fresh".into(),
        }),
    ]
}

/// One of every command, in an order in which they mean something.
fn samples() -> Vec<(Actor, Command)> {
    let shop = NewMerchant {
        id: "shop".parse().expect("an id"),
        name: "Shop".into(),
        city: "Seoul".into(),
        category: 5_411,
        currency: Currency::KRW,
        fee: 250,
        bank: "110-2".into(),
        key: Hash::of_secret("bgm_shop"),
    };
    let sweep = (Actor::Platform, Command::Sweep { most: 10 });
    let mut all = vec![sweep, operator(Act::AddMerchant(shop))];
    for (n, (actor, by, verb)) in verbs().into_iter().enumerate() {
        let key = format!("key {n}");
        let tops_up = matches!(verb, Verb::TopUp(_));
        all.push((actor, Command::Ask(Ask { by, key, verb })));
        if tops_up {
            let order = Ordered::Payment(begun(5));
            let said = BankSaid::Done {
                reference: "B1".into(),
            };
            all.push((Actor::Platform, Command::BankSaid { order, said }));
        }
    }
    let (mina, by, _) = by_mina(Verb::Capture(begun(0)));
    let key = "key 99".into();
    all.push((mina, Command::Close { by, key }));
    all.extend(acts().into_iter().map(operator));
    let order = Ordered::Settlement(1);
    let said = BankSaid::Refused {
        reason: "closed".into(),
    };
    all.push((Actor::Platform, Command::BankSaid { order, said }));
    all.extend(telling());
    let asked = asked_verbs().into_iter().chain(recurring_verbs());
    for (n, (actor, by, verb)) in asked.enumerate() {
        let key = format!("asked {n}");
        all.push((actor, Command::Ask(Ask { by, key, verb })));
    }
    let (payment, refund) = (begun(52), true);
    all.push(operator(Act::Decide { payment, refund }));
    all.extend(reviewed());
    all.extend(limited());
    all
}

/// Payments that are looked at, from sample 57 on.
fn reviewed() -> Vec<(Actor, Command)> {
    let currency = Currency::KRW;
    let set = |rule| operator(Act::SetRule { currency, rule });
    let (most, within) = (9, Millis::minutes(1));
    let pay = |n: u8, verb| {
        let (actor, by, verb) = by_juno(verb);
        let key = format!("reviewed {n}");
        (actor, Command::Ask(Ask { by, key, verb }))
    };
    let to = |n| {
        let (to, money, note) = ("@mina:bongsu.test".parse(), won(1), "tea".to_owned());
        let to = to.expect("a user id");
        pay(n, Verb::Transfer { to, money, note })
    };
    let review = |payment, release| operator(Act::Review { payment, release });
    let frozen = false;
    let owner = "@mina:bongsu.test".parse().expect("a user id");
    vec![
        operator(Act::FreezeWallet { owner, frozen }),
        set(Rule::Amount(1)),
        set(Rule::Count { most, within }),
        set(Rule::NewPayee(1)),
        to(1),
        to(2),
        review(begun(61), true),
        review(begun(62), false),
        operator(Act::RemoveRule {
            currency,
            kind: RuleKind::Amount,
        }),
    ]
}

/// Top-ups within limits, from sample 66 on.
fn limited() -> Vec<(Actor, Command)> {
    let limits = TopUpLimits {
        top_up: 10,
        balance: 1_000_000,
    };
    let set = Act::SetTopUpLimits {
        currency: Currency::KRW,
        level: 2,
        limits,
    };
    let up = |n: u8, amount| {
        let (actor, by, verb) = by_mina(Verb::TopUpWithin(won(amount)));
        let key = format!("limited {n}");
        (actor, Command::Ask(Ask { by, key, verb }))
    };
    let order = || Ordered::Payment(begun(68));
    let said = || BankSaid::Done {
        reference: "B2".into(),
    };
    let aside = Command::SetAside {
        order: order(),
        said: said(),
        why: Refused::TooLarge,
    };
    let (order, said) = (order(), said());
    let told = Command::BankSaid { order, said };
    vec![
        operator(set),
        up(1, 11),
        up(2, 10),
        (Actor::Platform, aside),
        (Actor::Platform, told),
    ]
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Ask(_) => "Ask",
        Command::Close { .. } => "Close",
        Command::Administer(_) => "Administer",
        Command::BankSaid { .. } => "BankSaid",
        Command::Sweep { .. } => "Sweep",
        Command::Tried(_) => "Tried",
        Command::SetAside { .. } => "SetAside",
    }
}

/// The line that a sample has in the golden log.
fn line(number: usize, (actor, command): &(Actor, Command)) -> String {
    let record = Record {
        id: RecordId::named(&["golden"], &number.to_string()),
        actor: actor.clone(),
        seed: seed(number),
        payload: Payload::Command(postcard::to_stdvec(command).expect("plain data")),
    };
    let bytes = EntryBody {
        records: vec![record],
    }
    .encode();
    let time = 1_800_000_000_000 + 1000 * number as i64;
    format!("{} {time} {}", name(command), HEXLOWER.encode(&bytes))
}

fn parse(line: &str) -> (&str, LogTime, Vec<u8>) {
    let parts: Vec<&str> = line.split(' ').collect();
    let [name, time, bytes] = parts[..] else {
        panic!("not a line of a golden log: {line}")
    };
    let bytes = HEXLOWER.decode(bytes.as_bytes()).expect("hexadecimal");
    (name, LogTime(time.parse().expect("milliseconds")), bytes)
}

#[test]
fn every_command_is_in_the_golden_log_as_it_is_encoded_today() {
    let lines: Vec<&str> = LOG.lines().collect();
    let samples = samples();
    let all = samples
        .iter()
        .enumerate()
        .map(|(n, sample)| line(n, sample));
    let missing: Vec<String> = all.filter(|line| !lines.contains(&line.as_str())).collect();
    assert!(
        missing.is_empty(),
        "tests/golden/v1.log lacks these entries. If the commands are new, append the lines; if they were \
         released, their encoding has changed, which must not be:\n{}",
        missing.join("\n")
    );
}

/// The numbers of the variants of `T`, each of which is the beginning of one.
fn variants<T: serde::de::DeserializeOwned>() -> BTreeSet<u8> {
    let exists = |number: &u8| {
        // One that has nothing in it is whole.
        let why = postcard::from_bytes::<T>(&[*number]).err();
        why.is_none_or(|why| why == postcard::Error::DeserializeUnexpectedEnd)
    };
    (0..).take_while(exists).collect()
}

#[test]
fn every_variant_has_a_sample() {
    let first = |bytes: Vec<u8>| bytes[0];
    let commands = samples();
    let commands = commands
        .iter()
        .map(|(_, command)| first(postcard::to_stdvec(command).expect("plain data")));
    assert_eq!(commands.collect::<BTreeSet<_>>(), variants::<Command>());
    let verbs = verbs().into_iter().chain(asked_verbs());
    let verbs = verbs.chain(recurring_verbs());
    let verbs = verbs.map(|(_, _, verb)| verb);
    let verbs = verbs
        .chain(told_verbs())
        .chain([Verb::TopUpWithin(won(1))])
        .map(|verb| first(postcard::to_stdvec(&verb).expect("plain data")));
    assert_eq!(verbs.collect::<BTreeSet<_>>(), variants::<Verb>());
}

#[test]
fn the_golden_log_gives_the_same_outcomes_and_the_same_state() {
    let mut applier = Applier::<Pay>::open(Path::new(":memory:")).expect("a view in memory");
    let mut report = String::new();
    for (name, time, body) in LOG.lines().map(parse) {
        let next = applier.progress().chain.extend(time, &body);
        let entry = Entry {
            seq: next.seq,
            time,
            body: body.into(),
            link: next.link,
        };
        let applied = applier.apply(&[entry]).expect("a golden entry applies");
        for (_, verdict) in applied.outcomes {
            let outcome = verdict.outcome.expect("a command has an outcome");
            writeln!(report, "{name}: {outcome:?}").expect("writes to memory");
        }
        writeln!(report, "  {}", applied.progress.digest).expect("writes to memory");
    }
    insta::assert_snapshot!("v1", report);
}
