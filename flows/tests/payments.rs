//! Payments in conversations, over both lanes, with each effect carried out twice.

use bongsu_base::{RoomId, Seed, UserId};
use bongsu_flows::PayFlows;
use bongsu_lane::{Actor, Domain, EffectError, EffectHandler, EffectId, Lane, Options, Priority};
use bongsu_ledger::{Amount, Currency, Money};
use bongsu_log::memory::{Faults, MemoryLog};
use bongsu_pay::{
    Accepted, Answer, Ask, Asker, BankMetrics, BankOrders, BankSaid, Command, Effect, Kept,
    Ordered, Pay, Payment, Verb,
};
use bongsu_talk::Talk;
use bongsu_talk::command::{Action, Command as Say, CreateRoom, Membership, Profile};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Does everything twice, and says when something was shown, or not.
struct Twice {
    flows: PayFlows,
    done: mpsc::UnboundedSender<()>,
}

#[async_trait::async_trait]
impl EffectHandler<Pay> for Twice {
    async fn run(&self, id: EffectId, effect: Effect) -> Result<(), EffectError> {
        if let Effect::Show { .. } = &effect {
            self.flows.run(id, effect.clone()).await?;
            self.flows.run(id, effect).await?;
            self.done.send(()).expect("somebody waits");
        }
        Ok(())
    }
}

async fn open<D: Domain>(folder: &Path) -> Lane<D> {
    let log = MemoryLog::new(Seed::from_bytes([7; 32]), Faults::NONE);
    let mut options = Options::new(folder.join(D::NAME));
    options.canary_every = Duration::from_millis(50);
    options.durable_view = false;
    let (lane, runner, _) = Lane::<D>::open(Arc::new(log), options)
        .await
        .expect("the lane opens");
    runner.start().expect("a thread");
    lane
}

async fn ask<D: Domain>(lane: &Lane<D>, actor: Actor, command: D::Command) -> D::Accepted
where
    D::Rejected: std::fmt::Debug,
{
    let request = lane.request(actor, Priority::Vital, command);
    let decision = lane.submit(request).await.expect("applied");
    decision.outcome.expect("accepted")
}

fn user(name: &str) -> UserId {
    format!("@{name}:test").parse().expect("a user id")
}

fn person(name: &str) -> Actor {
    Actor::User {
        user: user(name),
        device: "PHONE".parse().expect("a device id"),
    }
}

fn room() -> RoomId {
    "!tea:test".parse().expect("a room id")
}

fn krw(amount: i64) -> Money {
    let amount = Amount::new(amount).expect("an amount");
    let currency = Currency::KRW;
    Money { amount, currency }
}

/// Both lanes, mina with money, and a room in which mina and juno are.
struct Town {
    pay: Lane<Pay>,
    talk: Lane<Talk>,
    asked: u32,
    shown: mpsc::UnboundedReceiver<()>,
    _folder: tempfile::TempDir,
}

impl Town {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (pay, talk) = (open::<Pay>(folder.path()).await, open(folder.path()).await);
        let (done, shown) = mpsc::unbounded_channel();
        let flows = PayFlows {
            talk: talk.clone(),
            orders: BankOrders::new(pay.clone(), None, BankMetrics::default()),
        };
        tokio::spawn(pay.clone().run_effects(Twice { flows, done }));
        let mut town = Self {
            pay,
            talk,
            asked: 0,
            shown,
            _folder: folder,
        };
        town.make_room().await;
        for name in ["mina", "juno", "dain"] {
            town.verb(name, Verb::OpenWallet(Currency::KRW)).await;
        }
        town.verb("mina", Verb::LinkBank("KR1".into())).await;
        let Answer::Payment(up) = town.verb("mina", Verb::TopUp(krw(1_000))).await else {
            panic!("no payment")
        };
        let order = Ordered::Payment(up.id);
        let reference = "B1".into();
        let said = BankSaid::Done { reference };
        ask(
            &town.pay,
            Actor::Platform,
            Command::BankSaid { order, said },
        )
        .await;
        town
    }

    async fn make_room(&self) {
        let rule = r#"{"join_rule":"public"}"#;
        let new = CreateRoom {
            room: room(),
            version: "11".into(),
            create: "{}".into(),
            profile: Profile::default(),
            power_levels: r#"{"users":{"@mina:test":100}}"#.into(),
            state: vec![("m.room.join_rules".into(), String::new(), rule.into())],
            alias: None,
            invite: Vec::new(),
            is_direct: false,
            listed: false,
        };
        ask(&self.talk, person("mina"), Say::CreateRoom(new)).await;
        self.moves("juno", Action::Join).await;
    }

    async fn moves(&self, name: &str, action: Action) {
        let membership = Membership {
            room: room(),
            user: user(name),
            action,
            reason: None,
            profile: Profile::default(),
            is_direct: false,
        };
        ask(&self.talk, person(name), Say::Membership(membership)).await;
    }

    async fn verb(&mut self, name: &str, verb: Verb) -> Answer {
        self.asked += 1;
        let (by, key) = (Asker::Person, self.asked.to_string());
        let command = Command::Ask(Ask { by, key, verb });
        match ask(&self.pay, person(name), command).await {
            Accepted::Answered {
                answer: Kept::Done(answer),
                ..
            } => answer,
            other => panic!("not done: {other:?}"),
        }
    }

    /// Mina pays somebody in the room.
    async fn pays(&mut self, to: &str, amount: i64) -> Payment {
        let verb = Verb::TransferIn {
            room: room(),
            to: user(to),
            money: krw(amount),
            note: "tea".into(),
        };
        let Answer::Payment(paid) = self.verb("mina", verb).await else {
            panic!("no payment")
        };
        self.shown.recv().await.expect("effects are carried out");
        paid
    }

    /// Who has sent which payments to the room.
    async fn in_room(&self) -> Vec<(String, Value)> {
        let find =
            "SELECT sender, content FROM event WHERE type = 'kr.bongsu.payment' ORDER BY position";
        let look = self.talk.read(|view| {
            let mut find = view.db().prepare(find)?;
            let rows = find.query_map((), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            rows.collect::<Result<Vec<(String, String)>, _>>()
        });
        let found = look.await.expect("readable").into_iter();
        let parsed = found.map(|(who, content)| (who, serde_json::from_str(&content)));
        parsed
            .map(|(who, content)| (who, content.expect("JSON")))
            .collect()
    }

    /// What somebody has.
    async fn has(&self, name: &str) -> i64 {
        let find = "SELECT account FROM wallet WHERE owner = ?1";
        let look = self.pay.read(|view| {
            let account = view
                .db()
                .query_row(find, [user(name).as_str()], |row| row.get(0))?;
            bongsu_ledger::balance(view.db(), bongsu_ledger::AccountId(account))
        });
        let found = look.await.expect("readable").expect("an account");
        found.credits_posted - found.debits_posted
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_shown_once_in_a_room_that_both_are_in_and_moved_all_the_same() {
    let mut town = Town::new().await;
    let paid = town.pays("juno", 300).await;
    let expect = json!({
        "amount": 300, "body": "KRW 300 → @juno:test", "currency": "KRW", "note": "tea",
        "payee": "@juno:test", "payment": paid.id.to_string(),
    });
    let shown = vec![("@mina:test".to_owned(), expect)];
    assert_eq!(town.in_room().await, shown);
    town.pays("dain", 200).await;
    assert_eq!(town.in_room().await, shown);
    town.moves("mina", Action::Leave).await;
    town.pays("juno", 100).await;
    assert_eq!(town.in_room().await, shown);
    let has = [
        town.has("mina").await,
        town.has("juno").await,
        town.has("dain").await,
    ];
    assert_eq!(has, [400, 400, 200]);
}
