//! Merchants are told what happens: by a receiver that is told, and by the routes about it.

use crate::protocol::{Said, Town};
use bongsu_base::{Millis, Seq};
use bongsu_fetch::{Fetcher, Limits, RootCertStore, Rules, SystemResolver};
use bongsu_pay::http::Api;
use bongsu_webhooks::{Refused, Secret};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long to wait for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that a merchant was told.
struct Told {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Told {
    fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Verifies it as a merchant does that has only this `secret`.
    fn verify(&self, secret: &str, town: &Town) -> Result<(), Refused> {
        let seconds = self.headers["webhook-timestamp"].parse().expect("seconds");
        let now = town.house.log.now().0 / 1_000;
        let signed = (self.id(), seconds, &*self.body);
        let secret = Secret::parse(secret).expect("a secret");
        secret.verify(signed, &self.headers["webhook-signature"], now)
    }
}

/// Where a merchant is told.
struct Receiver(TcpListener);

impl Receiver {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn url(&self) -> String {
        let address = self.0.local_addr().expect("an address");
        format!("http://{address}/told")
    }

    /// The next that is told; it is answered with `status`, or not at all.
    async fn take(&self, status: Option<&str>) -> Told {
        let accepted = tokio::time::timeout(PATIENCE, self.0.accept()).await;
        let (mut stream, _) = accepted.expect("in time").expect("a connection");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(stream.read_u8().await.expect("a request")));
        }
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> = lines
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers["content-length"].parse().expect("a number");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("the body");
        if let Some(status) = status {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            let sent = stream.write_all(answer.as_bytes()).await;
            sent.expect("it is read");
        }
        Told { headers, body }
    }
}

impl Town {
    fn begin_telling(&self) -> JoinHandle<()> {
        tokio::spawn(Api::keep_told(self.api.clone()))
    }

    /// The merchant's newest delivery, once it is as it should be.
    async fn newest(&self, key: &str, sound: impl Fn(&Value) -> bool) -> Value {
        loop {
            let seq = self.house.lane.progress().chain.seq;
            let all = self.get(key, "merchant/deliveries").await;
            let newest = &all.body["items"][0];
            if sound(newest) {
                return newest.clone();
            }
            let more = self.house.lane.reach(Seq(seq.0 + 1), PATIENCE).await;
            more.expect("something happens");
        }
    }

    /// Lets time pass, and has the log know it.
    async fn pass(&self, span: Millis) {
        self.house.log.pass(span);
        let said = self.post("juno", "wallet", &json!({})).await;
        assert_eq!(said.status, 200);
    }

    async fn set(&self, key: &str, url: &str) -> Said {
        let body = json!({ "url": url });
        self.post(key, "merchant/webhook", &body).await
    }

    /// Has mina let a payment be that the merchant asks for; its id.
    async fn approved(&self, key: &str) -> String {
        let ready = json!({ "amount": 100, "order": "A-1" });
        let ready = self.post(key, "merchant/ready", &ready).await;
        let id = ready.body["id"].as_str().expect("an id").to_owned();
        let path = format!("approvals/{id}/approve");
        let approved = self.post("mina", &path, &json!({})).await;
        assert_eq!(approved.body["state"], "held");
        id
    }
}

fn secret(said: &Said) -> String {
    let secret = said.body["secret"].as_str();
    secret.expect("a secret").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_is_told_by_one_id_until_it_has_taken_it_and_can_verify_it() {
    let (town, receiver) = (Town::new().await, Receiver::new().await);
    let bakery = &town.keys[0];
    let secret = secret(&town.set(bakery, &receiver.url()).await);
    let telling = town.begin_telling();
    let payment = town.approved(bakery).await;
    let shown = town.get(bakery, &format!("merchant/order/{payment}")).await;
    let mut ids = Vec::new();
    for (status, attempts, pause) in [
        (Some("500 Not now"), 1, 5),
        (None, 2, 30),
        (Some("302 Elsewhere"), 3, 120),
        (Some("204 Taken"), 4, 0),
    ] {
        let told = receiver.take(status).await;
        assert_eq!(told.verify(&secret, &town), Ok(()));
        assert_eq!(told.headers["content-type"], "application/json");
        let event = told.event();
        assert_eq!(event["id"], told.id());
        assert_eq!(event["type"], "payment.approved");
        assert_eq!(event["data"], shown.body);
        assert_eq!(event["time_ms"], shown.body["changed_ms"]);
        ids.push(told.id().to_owned());
        let newest = town.newest(bakery, |one| one["attempts"] == attempts).await;
        let delivered = status.is_some_and(|status| status.starts_with('2'));
        let state = if delivered { "delivered" } else { "waiting" };
        assert_eq!(newest["state"], state, "{newest}");
        let number = status.map(|status| status[..3].parse::<u16>().expect("a status"));
        assert_eq!(newest["last_status"], json!(number));
        town.pass(Millis::seconds(pause)).await;
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // The next thing that the merchant is told is another: what it took is not repeated.
    let take = json!({ "id": payment });
    town.post(bakery, "merchant/approve", &take).await;
    let told = receiver.take(Some("200 OK")).await;
    assert_eq!(told.event()["type"], "payment.paid");
    town.newest(bakery, |one| one["state"] == "delivered").await;
    let (mut registry, mut text) = (Registry::default(), String::new());
    town.api.told.register(&mut registry);
    encode(&mut text, &registry).expect("it is written");
    for line in [
        "bongsu_pay_webhook_attempts_total{outcome=\"failed\"} 3",
        "bongsu_pay_webhook_attempts_total{outcome=\"delivered\"}",
        "bongsu_pay_webhook_oldest_seconds",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("whsec_"));
    telling.abort();
    let _ = telling.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_the_one_before_it_signs_for_a_day() {
    let (town, receiver) = (Town::new().await, Receiver::new().await);
    let bakery = &town.keys[0];
    let body = json!({ "url": receiver.url() });
    let set = town.keyed(bakery, "k1", "merchant/webhook", &body).await;
    let again = town.keyed(bakery, "k1", "merchant/webhook", &body).await;
    assert_eq!(set.bytes, again.bytes, "a lost answer can be had again");
    let first = secret(&set);
    let happened = town.get(bakery, "requests/k1").await;
    assert_eq!(happened.body, json!({ "state": "done", "answer": body }));
    assert_eq!(town.get(bakery, "merchant/webhook").await.body, body);
    let path = "merchant/webhook/rotate";
    let second = secret(&town.post(bakery, path, &json!({})).await);
    let path = "/admin/v1/pay/merchants/bakery/webhook/rotate";
    let third = town.call("POST", path, &[], Some(&json!({}))).await;
    assert_eq!(third.body["url"], body["url"], "{}", third.body);
    let third = secret(&third);
    let telling = town.begin_telling();
    town.approved(bakery).await;
    let told = receiver.take(Some("200 OK")).await;
    for (secret, sound) in [(&first, false), (&second, true), (&third, true)] {
        assert_eq!(told.verify(secret, &town).is_ok(), sound);
    }
    town.pass(Millis::hours(24)).await;
    town.approved(bakery).await;
    let told = receiver.take(Some("200 OK")).await;
    for (secret, sound) in [(&first, false), (&second, false), (&third, true)] {
        assert_eq!(told.verify(secret, &town).is_ok(), sound);
    }
    telling.abort();
    let _ = telling.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_address_is_told_nothing_and_another_merchant_sees_nothing() {
    let (town, receiver) = (Town::new().await, Receiver::new().await);
    let [bakery, cinema] = &town.keys;
    let nowhere = town.get(bakery, "merchant/webhook").await;
    assert_eq!(nowhere.problem(), (404, "no-webhook".into()));
    town.set(bakery, &receiver.url()).await;
    for _ in 0..2 {
        town.approved(bakery).await;
    }
    let path = "merchant/deliveries?limit=1";
    let page = town.get(bakery, path).await;
    assert_eq!(page.body["items"][0]["state"], "waiting", "{}", page.body);
    let next = page.body["next"].as_i64().expect("there is more");
    let page = town.get(bakery, &format!("{path}&cursor={next}")).await;
    assert_eq!(page.body["next"], Value::Null);
    let event = page.body["items"][0]["id"].as_str().expect("an id");
    let again = format!("merchant/deliveries/{event}/again");
    let none = town.get(cinema, "merchant/deliveries").await;
    assert_eq!(none.body["items"], json!([]));
    town.set(cinema, &receiver.url()).await;
    let others = town.post(cinema, &again, &json!({})).await;
    assert_eq!(others.problem(), (404, "no-such-event".into()));
    let path = "merchant/webhook/remove";
    let removed = town.post(bakery, path, &json!({})).await;
    assert_eq!(removed.body, json!({}));
    let telling = town.begin_telling();
    let refused = town.post(bakery, &again, &json!({})).await;
    assert_eq!(refused.problem(), (404, "no-webhook".into()));
    town.newest(bakery, |one| one["state"] == "stopped").await;
    let path = "/admin/v1/pay/merchants/bakery/webhook";
    let body = json!({ "url": receiver.url() });
    let set = town.call("POST", path, &[], Some(&body)).await;
    let again = town.post(bakery, &again, &json!({})).await;
    assert_eq!(again.body, json!({ "event": event }));
    // Of what was stopped nothing comes but what was asked for.
    let told = receiver.take(Some("200 OK")).await;
    assert_eq!(told.id(), event);
    assert_eq!(told.verify(&secret(&set), &town), Ok(()));
    let path = "/admin/v1/pay/merchants/bakery/webhook/remove";
    let removed = town.call("POST", path, &[], Some(&json!({}))).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    let nowhere = town.get(bakery, "merchant/webhook").await;
    assert_eq!(nowhere.problem(), (404, "no-webhook".into()));
    telling.abort();
    let _ = telling.await;
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_one_that_may_be_told() {
    let town = Town::new().await;
    let bakery = &town.keys[0];
    let long = format!("https://shop.example/{}", "x".repeat(2_000));
    for url in [
        "",
        "shop.example",
        "ftp://shop.example/",
        "http://shop.example/",
        "https://mina:dog@shop.example/",
        "https://shop.example/#there",
        "https://shop.example:22/",
        "https://10.0.0.1/",
        "https://[::1]/",
        &long,
    ] {
        let said = town.set(bakery, url).await;
        assert_eq!(said.problem(), (422, "webhook-address".into()), "{url}");
        let path = "/admin/v1/pay/merchants/bakery/webhook";
        let body = json!({ "url": url });
        let said = town.call("POST", path, &[], Some(&body)).await;
        assert_eq!(said.status, 400, "{url}");
    }
    for url in ["https://shop.example/told?by=us", "http://localhost:8080/"] {
        assert_eq!(town.set(bakery, url).await.status, 200, "{url}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_that_does_not_answer_keeps_no_other_waiting() {
    let (mut town, silent, receiver) = (
        Town::new().await,
        Receiver::new().await,
        Receiver::new().await,
    );
    let limits = Limits {
        patience: 60 * PATIENCE,
        ..Limits::default()
    };
    let rules = Rules {
        ports: (1024..=u16::MAX).collect(),
        allow_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Rules::default()
    };
    let resolver = Arc::new(SystemResolver::default());
    town.api.fetcher = Fetcher::with(rules, limits, resolver, RootCertStore::empty());
    let [bakery, cinema] = &town.keys;
    town.set(bakery, &silent.url()).await;
    for _ in 0..70 {
        town.approved(bakery).await;
    }
    let secret = secret(&town.set(cinema, &receiver.url()).await);
    town.approved(cinema).await;
    let telling = town.begin_telling();
    let told = receiver.take(Some("200 OK")).await;
    assert_eq!(told.verify(&secret, &town), Ok(()));
    town.newest(cinema, |one| one["state"] == "delivered").await;
    let waiting = town.newest(bakery, |one| one["attempts"] == 0).await;
    assert_eq!(waiting["state"], "waiting");
    telling.abort();
    let _ = telling.await;
    town.close().await;
}
