//! Whatever differs between the bank and the books is found, and nothing else.

use crate::protocol::{Said, Town};
use axum::body::Body;
use bongsu_bank_rail::camt::{Entry, Statement};
use bongsu_bank_rail::{Bank, Direction, Faults, Simulated};
use bongsu_base::{LogTime, Millis, Seq, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_ledger::{Amount, Currency, Money};
use bongsu_pay::http::{Api, AtBank, admin};
use bongsu_pay::{Accepted, Answer, Ask, Asker, Command, Kept, Verb};
use bongsu_web_kit::admin::admit_by_socket;
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/admin/v1/pay/reconcile";
/// How long to wait for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

impl Town {
    async fn compare(&self, xml: impl Into<Body>) -> Said {
        let request = Request::post(PATH).body(xml.into()).expect("a request");
        self.send(request).await
    }

    /// Has the administration know `bank` too.
    fn knows(&mut self, bank: &Simulated) {
        let asked: Option<Arc<dyn Bank>> = Some(Arc::new(bank.clone()));
        let metrics = self.api.bank.metrics.clone();
        let bank = AtBank { asked, metrics };
        let api = Api {
            bank,
            ..self.api.clone()
        };
        self.router = admin::routes()
            .into_router(api)
            .route_layer(axum::middleware::from_fn(admit_by_socket))
            .merge(bongsu_pay::http::routes().into_router(self.api.clone()));
    }
}

/// The differences: which kind, of which amounts.
fn differences(said: &Said) -> Vec<(String, Value, Value)> {
    let all = said.body["differences"].as_array().expect("a list");
    let one = |found: &Value| {
        let kind = found["kind"].as_str().expect("a kind");
        (
            kind.to_owned(),
            found["bank"].clone(),
            found["here"].clone(),
        )
    };
    all.iter().map(one).collect()
}

async fn all(bank: &Simulated) -> Statement {
    let all = bank.statement(Currency::KRW, LogTime(0), LogTime(i64::MAX));
    all.await.expect("it has no faults")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_difference_is_listed() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    let orders = town.begin_orders(&bank);
    for (path, amount) in [
        ("topups", 100),
        ("topups", 200),
        ("topups", 300),
        ("withdrawals", 40),
    ] {
        let id = town.ask_bank("mina", path, amount).await;
        assert_eq!(town.answered("mina", &id).await, "paid");
    }
    orders.abort();
    let _ = orders.await;
    let refused = town.ask_bank("mina", "topups", 500).await;
    let said = json!({ "payment": refused, "refused": "no" });
    let path = "/admin/v1/pay/bank-said";
    assert_eq!(town.call("POST", path, &[], Some(&said)).await.status, 200);
    town.ask_bank("mina", "withdrawals", 60).await;
    let late = town.ask_bank("mina", "topups", 70).await;
    let mut statement = all(&bank).await;
    let by = |order: String, minor: i64| Entry {
        reference: "SIM9".to_owned(),
        order,
        direction: Direction::Collect,
        money: Money {
            amount: Amount::new(minor).expect("an amount"),
            currency: Currency::KRW,
        },
        at: town.house.log.now(),
    };
    let name = |id: &str| id.replace("pay_", "P");
    statement.entries.remove(1);
    statement.entries[1].money.amount = Amount::new(333).expect("an amount");
    let again = statement.entries[2].clone();
    statement.entries.push(again);
    statement.entries.push(by("FEE-1".to_owned(), 5));
    statement.entries.push(by(name(&refused), 500));
    statement.entries.push(by(name(&late), 70));
    let found = town.compare(statement.to_xml()).await;
    assert_eq!(found.status, 200, "{}", found.body);
    assert_eq!(found.body["reconciled"], false);
    let difference = |kind: &str, bank: Value, here: Value| (kind.to_owned(), bank, here);
    assert_eq!(
        differences(&found),
        [
            difference("amount_differs", json!(333), json!(300)),
            difference("twice", json!(-40), Value::Null),
            difference("at_bank_only", json!(5), Value::Null),
            difference("at_bank_only", json!(500), json!(500)),
            difference("waiting", json!(70), json!(70)),
            // What an operator told of, and what was taken out of the statement.
            difference("here_only", Value::Null, json!(10_000)),
            difference("here_only", Value::Null, json!(200)),
            difference("waiting", Value::Null, json!(-60)),
        ],
        "{}",
        found.body
    );
    let statement = &found.body["statements"][0];
    assert_eq!(
        (&statement["entries"], &statement["agree"]),
        (&json!(7), &json!(2))
    );
    assert_eq!(statement["at_bank"], 10_000 + 560);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_asked_agrees_from_when_on_it_was_asked() {
    let mut town = Town::new().await;
    let bank = town.bank(Faults::default());
    let none = town.call("GET", PATH, &[], None).await;
    assert_eq!(none.status, 409, "{}", none.body);
    town.knows(&bank);
    let early = town.call("GET", PATH, &[], None).await;
    // What there was in the beginning came by an operator's word.
    let here_only = ("here_only".to_owned(), Value::Null, json!(10_000));
    assert_eq!(differences(&early), [here_only]);
    town.house.log.pass(Millis::seconds(1));
    let from = town.house.log.now().0;
    let orders = town.begin_orders(&bank);
    for path in ["topups", "withdrawals"] {
        let id = town.ask_bank("mina", path, 900).await;
        assert_eq!(town.answered("mina", &id).await, "paid");
    }
    let path = format!("{PATH}?from_ms={from}");
    let found = town.call("GET", &path, &[], None).await;
    assert_eq!(found.body["reconciled"], true, "{}", found.body);
    assert_eq!(found.body["statements"][0]["agree"], 2);
    let path = format!("{PATH}?to_ms={from}");
    let before = town.call("GET", &path, &[], None).await;
    assert_eq!(before.body["statements"][0]["entries"], 0);
    bank.misbehave(Faults {
        entries_doubled: 1_000,
        ..Faults::default()
    });
    let path = format!("{PATH}?from_ms={from}");
    let doubled = town.call("GET", &path, &[], None).await;
    let kinds: Vec<_> = differences(&doubled).into_iter().map(|one| one.0).collect();
    assert_eq!(kinds, ["twice", "twice"]);
    orders.abort();
    let _ = orders.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_statement_is_refused_in_words() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    let xml = String::from_utf8(all(&bank).await.to_xml()).expect("text");
    for (file, expect) in [
        (String::new(), "the statement lacks"),
        ("no xml".to_owned(), "the statement lacks"),
        ("<a></b>".to_owned(), "not well-formed"),
        (xml.replace("CLBD", "XLBD"), "the statement lacks CLBD"),
        (
            xml.replace("<Ccy>KRW", "<Ccy>WON"),
            "Acct/Ccy of the statement cannot be read: WON",
        ),
    ] {
        let said = town.compare(file).await;
        assert_eq!(said.status, 400);
        let detail = said.body["detail"].as_str().expect("words");
        assert!(detail.contains(expect), "{detail}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_books_refuse_is_set_aside_and_other_orders_go_on() {
    let mut town = Town::new().await;
    let bank = town.bank(Faults::default());
    town.knows(&bank);
    let much = i64::MAX - 5_000;
    // As it stands in logs from before top-ups had limits.
    let money = Money {
        amount: Amount::new(much).expect("an amount"),
        currency: Currency::KRW,
    };
    let (by, key, verb) = (Asker::Person, "before".to_owned(), Verb::TopUp(money));
    let actor = Actor::User {
        user: "@mina:bongsu.test".parse::<UserId>().expect("a user id"),
        device: "PHONE".parse().expect("a device id"),
    };
    let ask = Command::Ask(Ask { by, key, verb });
    let lane = town.house.lane.clone();
    let decision = lane.submit(lane.request(actor, Priority::Vital, ask)).await;
    let Ok(Accepted::Answered {
        answer: Kept::Done(Answer::Payment(asked)),
        ..
    }) = decision.expect("applied").outcome
    else {
        panic!("it was not asked for")
    };
    let orders = town.begin_orders(&bank);
    let small = town.ask_bank("juno", "topups", 70).await;
    assert_eq!(town.answered("juno", &small).await, "paid");
    let aside = loop {
        let seq = lane.progress().chain.seq;
        let found = town.call("GET", PATH, &[], None).await;
        let all = found.body["differences"].as_array().expect("a list");
        if let Some(aside) = all.iter().find(|one| one["kind"] == "set_aside") {
            break aside.clone();
        }
        let more = lane.reach(Seq(seq.0 + 1), PATIENCE).await;
        more.expect("something happens");
    };
    assert_eq!(
        (&aside["bank"], &aside["here"]),
        (&json!(much), &json!(much))
    );
    let detail = aside["detail"].as_str().expect("a text");
    assert!(detail.contains("amount-too-large"), "{detail}");
    let waits = town.get("mina", &format!("payments/{}", asked.id)).await;
    assert_eq!(waits.body["state"], "at_bank");
    orders.abort();
    let _ = orders.await;
    drop(lane);
    town.close().await;
}
