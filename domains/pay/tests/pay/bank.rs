//! Orders are carried out by a bank that loses, repeats and refuses them, each once.

use crate::protocol::Town;
use bongsu_bank_rail::{Bank, Direction, Faults, Simulated};
use bongsu_base::{LogTime, Seq};
use bongsu_lane::{EffectError, EffectHandler, EffectId};
use bongsu_ledger::Currency;
use bongsu_pay::{BankOrders, Effect, Pay};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long to wait for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);
const ALWAYS: (LogTime, LogTime) = (LogTime(0), LogTime(i64::MAX));

/// How often an order is tried before the lane is told that it failed.
const TRIES: usize = 64;

/// Carries out orders alone. One that failed is tried again at once: the lane would pause twice as long after each failure,
/// minutes for an order with little luck.
struct Orders(BankOrders);

#[async_trait::async_trait]
impl EffectHandler<Pay> for Orders {
    async fn run(&self, id: EffectId, effect: Effect) -> Result<(), EffectError> {
        match effect {
            Effect::Bank {
                order,
                collect,
                account,
                money,
            } => {
                let mut done = Ok(());
                for _ in 0..TRIES {
                    let of = (account.clone(), money);
                    done = self.0.carry_out(id, order.clone(), collect, of).await;
                    if done.is_ok() {
                        break;
                    }
                }
                done
            }
            Effect::Show { .. } => Ok(()),
        }
    }
}

impl Town {
    /// A bank whose time is the log's.
    pub fn bank(&self, faults: Faults) -> Simulated {
        let log = self.house.log.clone();
        Simulated::in_memory(move || log.now(), faults, 7)
    }

    /// Gives orders to `bank` from now on.
    pub fn begin_orders(&self, bank: &Simulated) -> JoinHandle<()> {
        let lane = self.house.lane.clone();
        let metrics = self.api.bank.metrics.clone();
        let bank = Some(Arc::new(bank.clone()) as Arc<dyn Bank>);
        let orders = Orders(BankOrders::new(lane.clone(), bank, metrics));
        tokio::spawn(lane.run_effects(orders))
    }

    /// Asks for something of the bank; the payment's id.
    pub async fn ask_bank(&self, name: &str, path: &str, amount: i64) -> String {
        let asked = self.post(name, path, &json!({ "amount": amount })).await;
        assert_eq!(asked.body["state"], "at_bank", "{}", asked.body);
        asked.body["id"].as_str().expect("an id").to_owned()
    }

    /// The payment's state once the bank has answered.
    pub async fn answered(&self, name: &str, id: &str) -> String {
        loop {
            let seq = self.house.lane.progress().chain.seq;
            let found = self.get(name, &format!("payments/{id}")).await;
            let state = found.body["state"].as_str().expect("a state");
            if state != "at_bank" {
                return state.to_owned();
            }
            let more = self.house.lane.reach(Seq(seq.0 + 1), PATIENCE).await;
            more.expect("something happens");
        }
    }

    /// What the bank holds by the books.
    pub async fn at_bank(&self) -> i64 {
        let proof = self.call("GET", "/admin/v1/pay/proof", &[], None).await;
        assert_eq!(proof.body["sound"], true, "{}", proof.body);
        let at_bank = proof.body["ledgers"][0]["at_bank"].as_str();
        at_bank.expect("a sum").parse().expect("a number")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_done_once_whatever_is_lost_on_the_way() {
    let town = Town::new().await;
    let bank = town.bank(Faults {
        answers_lost: 300,
        orders_lost: 200,
        orders_repeated: 300,
        slow: 100,
        delay: Duration::from_millis(20),
        ..Faults::default()
    });
    let (told, begun) = (town.at_bank().await, town.balance("mina").await);
    let mut asked = Vec::new();
    for _ in 0..12 {
        asked.push(town.ask_bank("mina", "topups", 700).await);
        asked.push(town.ask_bank("mina", "withdrawals", 50).await);
    }
    let orders = town.begin_orders(&bank);
    for id in &asked {
        assert_eq!(town.answered("mina", id).await, "paid");
    }
    assert_eq!(town.balance("mina").await, begun + 12 * 650);
    let statement = bank.statement(Currency::KRW, ALWAYS.0, ALWAYS.1).await;
    let statement = statement.expect("it has no faults");
    assert_eq!(statement.closing(), town.at_bank().await - told);
    let names: BTreeSet<_> = statement.entries.iter().map(|one| &one.order).collect();
    assert_eq!((names.len(), statement.entries.len()), (24, 24));
    let (mut registry, mut text) = (Registry::default(), String::new());
    town.api.bank.metrics.register(&mut registry);
    encode(&mut text, &registry).expect("it is written");
    for line in [
        "bongsu_pay_bank_orders_total{outcome=\"done\"} 24",
        "bongsu_pay_bank_orders_total{outcome=\"unknown\"}",
        "bongsu_pay_bank_oldest_seconds 0",
    ] {
        assert!(text.contains(line), "{text}");
    }
    orders.abort();
    let _ = orders.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_refuses_is_given_back_with_its_reason() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    let orders = town.begin_orders(&bank);
    let begun = town.balance("mina").await;
    for (account, path, reason) in [
        ("110-9001", "withdrawals", "AC01"),
        ("110-9004", "topups", "AC04"),
        ("110-9006", "withdrawals", "AG01"),
        ("110-9007", "topups", "AM04"),
    ] {
        let link = json!({ "account": account });
        town.post("mina", "wallet/bank-account", &link).await;
        let id = town.ask_bank("mina", path, 100).await;
        assert_eq!(town.answered("mina", &id).await, "declined");
        let found = town.get("mina", &format!("payments/{id}")).await;
        let note = found.body["note"].as_str().expect("a note");
        assert!(note.starts_with(reason), "{note}");
        assert_eq!(town.balance("mina").await, begun);
    }
    orders.abort();
    let _ = orders.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_is_paid_by_the_bank() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    let (told, bakery) = (town.at_bank().await, &town.keys[0]);
    let ready = json!({ "amount": 1_000, "order": "A-1" });
    let ready = town.post(bakery, "merchant/ready", &ready).await;
    let id = ready.body["id"].as_str().expect("an id").to_owned();
    let approve = format!("approvals/{id}/approve");
    town.post("mina", &approve, &json!({})).await;
    let take = json!({ "id": id });
    town.post(bakery, "merchant/approve", &take).await;
    let path = "/admin/v1/pay/merchants/bakery/settle";
    let settled = town.call("POST", path, &[], Some(&json!({}))).await;
    assert_eq!(settled.status, 200, "{}", settled.body);
    let orders = town.begin_orders(&bank);
    loop {
        let seq = town.house.lane.progress().chain.seq;
        let all = town.get(bakery, "merchant/settlements").await;
        if all.body["items"][0]["state"] == "paid" {
            break;
        }
        let more = town.house.lane.reach(Seq(seq.0 + 1), PATIENCE).await;
        more.expect("something happens");
    }
    let statement = bank.statement(Currency::KRW, ALWAYS.0, ALWAYS.1).await;
    let entries = statement.expect("it has no faults").entries;
    let found: Vec<_> = entries
        .iter()
        .map(|one| (&*one.order, one.direction, one.money.amount.minor()))
        .collect();
    assert_eq!(found, [("S1", Direction::Pay, 990)]);
    assert_eq!(town.at_bank().await, told - 990);
    orders.abort();
    let _ = orders.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_has_told_of_is_not_ordered() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    // What is in the wallet at the beginning came by an operator's word.
    assert_eq!(town.balance("mina").await, 10_000);
    let orders = town.begin_orders(&bank);
    let id = town.ask_bank("mina", "topups", 100).await;
    assert_eq!(town.answered("mina", &id).await, "paid");
    let statement = bank.statement(Currency::KRW, ALWAYS.0, ALWAYS.1).await;
    assert_eq!(statement.expect("it has no faults").closing(), 100);
    orders.abort();
    let _ = orders.await;
    town.close().await;
}
