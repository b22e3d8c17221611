//! Banks that are not one: that of the server itself, and one beside it that ends and comes back.

use crate::common::{Data, Server, bongsu, good, poll, run, text};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Stdio};

/// Asks for something in mina's name, under a key of its own.
fn pay(server: &Server, token: &str, key: &str, path: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", &*bearer),
        ("idempotency-key", key),
        ("content-type", "application/json"),
    ];
    let path = format!("/pay/v1/{path}");
    let answer = server.ask("POST", &path, &headers, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{path}: {}", answer.body());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Has a wallet opened whose money comes from `account`.
fn open(server: &Server, account: &str) -> String {
    let token = server.register("mina");
    pay(server, &token, "w1", "wallet", &json!({}));
    let account = json!({ "account": account });
    pay(server, &token, "w2", "wallet/bank-account", &account);
    token
}

fn state(server: &Server, token: &str, id: &str) -> String {
    let bearer = format!("Bearer {token}");
    let path = format!("/pay/v1/payments/{id}");
    let answer = server.ask("GET", &path, &[("authorization", &bearer)], b"");
    let found: Value = serde_json::from_slice(&answer.body).unwrap();
    found["state"].as_str().unwrap().to_owned()
}

/// The state of a payment once the bank has answered.
fn answered(server: &Server, token: &str, id: &str) -> String {
    poll("the bank answers", || {
        let state = state(server, token, id);
        (state != "at_bank").then_some(state)
    })
}

fn top_up(server: &Server, token: &str, key: &str) -> String {
    let asked = pay(server, token, key, "topups", &json!({ "amount": 5_000 }));
    asked["id"].as_str().unwrap().to_owned()
}

/// A bank that runs; it is killed when this is dropped.
struct Bank {
    child: Child,
    address: String,
}

impl Bank {
    fn start(dir: &str, listen: &str) -> Self {
        let file = Path::new(dir).join("listen.addr");
        let _ = std::fs::remove_file(&file);
        let child = bongsu(["bank", "--dir", dir, "--listen", listen])
            .args(["--answers-lost", "300", "--seed", "7"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let address = poll("the bank serves", || std::fs::read_to_string(&file).ok());
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_machine_has_a_bank_of_its_own_that_it_does_not_forget() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    let token = open(&server, "110-1");
    let id = top_up(&server, &token, "t1");
    assert_eq!(answered(&server, &token, &id), "paid");
    let account = json!({ "account": "110-9004" });
    pay(&server, &token, "w3", "wallet/bank-account", &account);
    let id = top_up(&server, &token, "t2");
    assert_eq!(answered(&server, &token, &id), "declined");
    let metrics = server.get("/metrics").body();
    let counted = "bongsu_pay_bank_orders_total{outcome=\"refused\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    let (status, said) = server.stop();
    assert!(status.success());
    assert_eq!(said.matches("no real money moves").count(), 1, "{said}");
    let server = Server::ready(&data.name(), &[]);
    let place = data.name();
    let asked = ["pay", "reconcile", "--json", "--data", &place];
    let report: Value = serde_json::from_str(&good(&asked)).unwrap();
    assert_eq!(report["reconciled"], true);
    let found = &report["statements"][0];
    assert_eq!(
        (&found["agree"], &found["at_bank"]),
        (&json!(1), &json!(5_000))
    );
    drop(server);
    // While no server runs, too; and what the bank never heard of is the exit status.
    good(&asked);
    std::fs::remove_file(data.path().join("bank.sqlite")).unwrap();
    let output = run(&["pay", "reconcile", "--data", &place]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("here_only"), "{said}");
    let none = data.beside("none.xml");
    for (content, expect) in [
        (None, "cannot be read"),
        (Some("<a/>"), "the statement lacks"),
    ] {
        if let Some(content) = content {
            std::fs::write(&none, content).unwrap();
        }
        let output = run(&["pay", "reconcile", "--statement", &none, "--data", &place]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(expect), "{said}");
    }
}

#[test]
fn a_bank_that_ends_and_comes_back_does_each_order_once() {
    let data = Data::new();
    let dir = data.beside("bank");
    let bank = Bank::start(&dir, "127.0.0.1:0");
    let address = bank.address.clone();
    let config = data.beside("bongsu.toml");
    let pays = format!("[pay.bank]\nkind = \"http\"\nurl = \"http://{address}\"\n");
    std::fs::write(&config, pays).unwrap();
    let server = Server::ready(&data.name(), &["--config", &config]);
    let token = open(&server, "110-1");
    let first = top_up(&server, &token, "t1");
    assert_eq!(answered(&server, &token, &first), "paid");
    bank.kill();
    let second = top_up(&server, &token, "t2");
    let asked = poll("the bank is asked in vain", || {
        let metrics = server.get("/metrics").body();
        let line = "bongsu_pay_bank_orders_total{outcome=\"unknown\"}";
        metrics.contains(line).then_some(metrics)
    });
    assert!(asked.contains("bongsu_pay_bank_oldest_seconds"));
    assert_eq!(state(&server, &token, &second), "at_bank");
    let bank = Bank::start(&dir, &address);
    assert_eq!(answered(&server, &token, &second), "paid");
    let place = data.name();
    let asked = ["pay", "reconcile", "--json", "--data", &place];
    let report: Value = serde_json::from_str(&good(&asked)).unwrap();
    assert_eq!(report["statements"][0]["bank_balance"], 10_000);
    drop(bank);
}
