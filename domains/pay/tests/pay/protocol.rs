//! The protocol, route by route, through the router that is served.

use crate::house::{House, TestLog};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bongsu_base::Millis;
use bongsu_fetch::{Fetcher, Rules};
use bongsu_lane::{Actor, Priority};
use bongsu_pay::http::{Api, AtBank, Invariants, Rates, Signing, TellerMetrics, admin, routes};
use bongsu_pay::{BankSaid, Command, Ordered};
use bongsu_web_kit::admin::admit_by_socket;
use bongsu_web_kit::{AuthError, Authenticate, Caller, Clock};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// Whose token is their name; `read:` before it is what a service has that may only look.
struct ByName;

#[async_trait]
impl Authenticate for ByName {
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        self.authenticate_for(token, &[]).await
    }

    async fn authenticate_for(&self, token: &str, scopes: &[&str]) -> Result<Caller, AuthError> {
        let (reads, name) = match token.strip_prefix("read:") {
            Some(name) => (true, name),
            None => (false, token),
        };
        if reads && !scopes.contains(&"pay:read") {
            return Err(AuthError::Scope);
        }
        let user = format!("@{name}:bongsu.test").parse();
        Ok(Caller {
            user: user.map_err(|_| AuthError::Unknown)?,
            device: "PHONE".parse().map_err(|_| AuthError::Unknown)?,
        })
    }
}

pub struct Said {
    pub status: StatusCode,
    headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Said {
    /// What a header says.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }

    /// The status, and the problem's name.
    pub fn problem(&self) -> (u16, String) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.body
        );
        (self.status.as_u16(), kind.replace("urn:bongsu:pay:", ""))
    }
}

/// What asks on this machine, too.
fn fetcher() -> Fetcher {
    Fetcher::new(Rules {
        ports: [80, 443].into_iter().chain(1024..=u16::MAX).collect(),
        allow_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Rules::default()
    })
}

/// An installation with two people and two merchants.
pub struct Town {
    pub house: House,
    pub api: Api,
    pub router: Router,
    pub keys: [String; 2],
    asked: std::cell::Cell<u32>,
}

impl Town {
    pub async fn new() -> Self {
        let house = House::over(TestLog::empty()).await;
        let log = house.log.clone();
        let api = Api {
            lane: house.lane.clone(),
            authenticator: Arc::new(ByName),
            secret: [7; 32],
            clock: Clock::new(move || log.now()),
            rates: Rates::default(),
            signing: Signing::new(vec![([1; 8], [1; 32])]),
            fetcher: fetcher(),
            told: TellerMetrics::default(),
            bank: AtBank::default(),
            invariants: Invariants::default(),
        };
        let administration = admin::routes()
            .into_router(api.clone())
            .route_layer(axum::middleware::from_fn(admit_by_socket));
        let mut town = Self {
            house,
            router: routes().into_router(api.clone()).merge(administration),
            api,
            keys: Default::default(),
            asked: std::cell::Cell::default(),
        };
        for (n, id) in ["bakery", "cinema"].into_iter().enumerate() {
            let body = json!({ "merchant": id, "name": id, "bank_account": "1", "fee": 100 });
            let made = town
                .call("POST", "/admin/v1/pay/merchants", &[], Some(&body))
                .await;
            assert_eq!(made.status, 201, "{}", made.body);
            town.keys[n] = made.body["secret_key"].as_str().expect("a key").to_owned();
        }
        for name in ["mina", "juno"] {
            assert_eq!(town.post(name, "wallet", &json!({})).await.status, 200);
            let account = json!({ "account": "110-1" });
            assert_eq!(
                town.post(name, "wallet/bank-account", &account)
                    .await
                    .status,
                200
            );
        }
        town.top_up("mina", 10_000).await;
        town
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Said {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).expect("a request")).await
    }

    pub async fn send(&self, request: Request<Body>) -> Said {
        let response = self.router.clone().oneshot(request).await.expect("answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("arrives")
            .to_bytes()
            .to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Said {
            status,
            headers,
            bytes,
            body,
        }
    }

    pub async fn get(&self, token: &str, path: &str) -> Said {
        let bearer = format!("Bearer {token}");
        self.call(
            "GET",
            &format!("/pay/v1/{path}"),
            &[("authorization", &bearer)],
            None,
        )
        .await
    }

    pub async fn keyed(&self, token: &str, key: &str, path: &str, body: &Value) -> Said {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", &*bearer), ("idempotency-key", key)];
        self.call("POST", &format!("/pay/v1/{path}"), &headers, Some(body))
            .await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Said {
        self.asked.set(self.asked.get() + 1);
        let key = format!("fresh-{}", self.asked.get());
        self.keyed(token, &key, path, body).await
    }

    pub async fn top_up(&self, name: &str, amount: i64) {
        let asked = self
            .post(name, "topups", &json!({ "amount": amount }))
            .await;
        assert_eq!(asked.body["state"], "at_bank", "{}", asked.body);
        let id = asked.body["id"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("an id");
        let said = BankSaid::Done {
            reference: "B1".into(),
        };
        let order = Ordered::Payment(id);
        let command = Command::BankSaid { order, said };
        let request = self
            .house
            .lane
            .request(Actor::Platform, Priority::Vital, command);
        self.house.lane.submit(request).await.expect("applied");
    }

    pub async fn balance(&self, name: &str) -> i64 {
        let wallets = self.get(name, "wallet").await;
        wallets.body[0]["available"].as_i64().expect("a wallet")
    }

    pub async fn close(mut self) {
        drop((self.router, self.api));
        self.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_goes_from_ready_to_paid_and_back() {
    let town = Town::new().await;
    let [bakery, cinema] = &town.keys;
    let ready = json!({ "amount": 3_000, "order": "A-1" });
    let ready = town.post(bakery, "merchant/ready", &ready).await;
    let id = ready.body["id"].as_str().expect("an id");
    assert_eq!(
        ready.body["approve_url"],
        format!("bongsu://pay/approvals/{id}")
    );
    let asked = town.get("mina", &format!("approvals/{id}")).await;
    assert_eq!(
        (&asked.body["state"], &asked.body["payee"]),
        (&json!("ready"), &json!("bakery"))
    );
    let approve = town
        .post("mina", &format!("approvals/{id}/approve"), &json!({}))
        .await;
    assert_eq!(approve.body["state"], "held");
    assert_eq!(town.balance("mina").await, 7_000);
    let take = json!({ "id": id });
    let stolen = town.post(cinema, "merchant/approve", &take).await;
    assert_eq!(stolen.problem(), (404, "no-such-payment".into()));
    let taken = town.post(bakery, "merchant/approve", &take).await;
    assert_eq!(
        (&taken.body["state"], &taken.body["fee"]),
        (&json!("paid"), &json!(30))
    );
    for (body, expect) in [
        (json!({ "id": id, "amount": 3_001 }), Err("exceeds-payment")),
        (json!({ "id": id, "amount": 1_000 }), Ok("paid")),
        (json!({ "id": id }), Ok("canceled")),
        (json!({ "id": id }), Err("wrong-state")),
    ] {
        let said = town.post(bakery, "merchant/cancel", &body).await;
        match expect {
            Ok(state) => assert_eq!(said.body["state"], state),
            Err(name) => assert_eq!(said.problem(), (409, name.into())),
        }
    }
    assert_eq!(town.balance("mina").await, 10_000);
    assert_eq!(
        town.get(cinema, &format!("merchant/order/{id}"))
            .await
            .status,
        404
    );
    assert_eq!(
        town.get(cinema, "merchant/payments").await.body["items"],
        json!([])
    );
    let lines = town.get(bakery, "merchant/statement?limit=2").await;
    assert_eq!(lines.body["items"].as_array().map(Vec::len), Some(2));
    let cursor = lines.body["next"].as_i64().expect("there is more");
    let other = town
        .get(cinema, &format!("merchant/statement?cursor={cursor}"))
        .await;
    assert_eq!(other.problem(), (400, "invalid-query".into()));
    let proof = town.call("GET", "/admin/v1/pay/proof", &[], None).await;
    assert_eq!(proof.body["sound"], true, "{}", proof.body);
    assert_eq!(proof.body["ledgers"][0]["at_bank"], "10000");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_bytes_however_late() {
    let town = Town::new().await;
    let pay = json!({ "to": "@juno:bongsu.test", "amount": 400, "note": "점심" });
    let first = town.keyed("mina", "k1", "transfers", &pay).await;
    assert_eq!(first.status, 200);
    let poor = json!({ "to": "@mina:bongsu.test", "amount": 90_000 });
    let refused = town.keyed("juno", "k1", "transfers", &poor).await;
    assert_eq!(refused.problem(), (409, "insufficient-funds".into()));
    town.top_up("juno", 100_000).await;
    let link = json!({ "amount": 10 });
    let linked = town.keyed("mina", "k2", "links", &link).await;
    // Longer than the lane remembers outcomes.
    town.house.log.pass(Millis::hours(24 * 40));
    for (who, key, path, body, before) in [
        ("mina", "k1", "transfers", &pay, &first),
        ("juno", "k1", "transfers", &poor, &refused),
        ("mina", "k2", "links", &link, &linked),
    ] {
        let again = town.keyed(who, key, path, body).await;
        assert_eq!((again.status, &again.bytes), (before.status, &before.bytes));
    }
    let same =
        json!({ "note": "점심", "currency": "KRW", "amount": 400, "to": "@juno:bongsu.test" });
    assert_eq!(
        town.keyed("mina", "k1", "transfers", &same).await.bytes,
        first.bytes
    );
    for (path, body) in [
        (
            "transfers",
            json!({ "to": "@juno:bongsu.test", "amount": 401, "note": "점심" }),
        ),
        ("withdrawals", json!({ "amount": 400 })),
    ] {
        let other = town.keyed("mina", "k1", path, &body).await;
        assert_eq!(other.problem(), (422, "idempotency-key-reused".into()));
    }
    let happened = town.get("mina", "requests/k1").await;
    assert_eq!(
        happened.body,
        json!({ "state": "done", "answer": first.body })
    );
    let happened = town.get("mina", "requests/k2").await;
    assert_eq!(happened.body["answer"], linked.body);
    let happened = town.get("juno", "requests/k1").await;
    assert_eq!(
        happened.body,
        json!({ "state": "refused", "problem": refused.body })
    );
    assert_eq!(
        town.get("juno", "requests/k2").await.body,
        json!({ "state": "not_yet" })
    );
    let closed = town.post("juno", "requests/k2/close", &json!({})).await;
    assert_eq!(closed.body, json!({ "state": "never" }));
    let late = town.keyed("juno", "k2", "transfers", &poor).await;
    assert_eq!(late.problem(), (409, "request-closed".into()));
    assert_eq!(
        town.get("juno", "requests/k2").await.body,
        json!({ "state": "never" })
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_links_code_is_told_to_whoever_made_it_and_opens_it_once() {
    let town = Town::new().await;
    let made = town
        .post("mina", "links", &json!({ "amount": 500, "note": "gift" }))
        .await;
    let code = made.body["code"].as_str().expect("a code").to_owned();
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let stranger = town.get("juno", &format!("payments/{id}")).await;
    assert_eq!(stranger.problem(), (404, "no-such-payment".into()));
    let claimed = town
        .post("juno", &format!("links/{code}/claim"), &json!({}))
        .await;
    assert_eq!(
        (&claimed.body["state"], &claimed.body["code"]),
        (&json!("paid"), &Value::Null)
    );
    let twice = town
        .post("juno", &format!("links/{code}/claim"), &json!({}))
        .await;
    assert_eq!(twice.problem(), (409, "wrong-state".into()));
    let none = town.post("juno", "links/AAAA/claim", &json!({})).await;
    assert_eq!(none.problem(), (404, "no-such-link".into()));
    assert_eq!(
        (town.balance("mina").await, town.balance("juno").await),
        (9_500, 500)
    );
    let lines = town.get("juno", "wallet/statement").await;
    let line = &lines.body["items"][0];
    assert_eq!(
        (&line["change"], &line["other"]),
        (&json!(500), &json!("@mina:bongsu.test"))
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_code_is_charged_once() {
    let town = Town::new().await;
    let shown = town.keyed("mina", "c1", "code", &json!({})).await;
    let again = town.keyed("mina", "c1", "code", &json!({})).await;
    assert_eq!(shown.bytes, again.bytes);
    let charge = json!({ "code": shown.body["code"], "amount": 700, "order": "A-1" });
    let paid = town
        .keyed(&town.keys[0], "o1", "merchant/charge-code", &charge)
        .await;
    assert_eq!(
        (&paid.body["state"], &paid.body["payer"]),
        (&json!("paid"), &json!("@mina:bongsu.test"))
    );
    let twice = town
        .post(&town.keys[1], "merchant/charge-code", &charge)
        .await;
    assert_eq!(twice.problem(), (404, "no-such-code".into()));
    assert_eq!(town.balance("mina").await, 9_300);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_by_name_and_leaves_no_trace() {
    let town = Town::new().await;
    let pay = |amount: Value| json!({ "to": "@juno:bongsu.test", "amount": amount });
    for (body, expect) in [
        (pay(json!(0)), (422, "amount-zero")),
        (pay(json!(-1)), (422, "amount-negative")),
        (pay(json!(1.5)), (422, "amount-fractional")),
        (
            pay(json!(9_007_199_254_740_992_i64)),
            (422, "amount-too-large"),
        ),
        (pay(json!("1")), (400, "invalid-body")),
        (
            json!({ "to": "@juno:bongsu.test", "amount": 1, "currency": "QQQ" }),
            (422, "unknown-currency"),
        ),
        (
            json!({ "to": "@juno:bongsu.test", "amount": 1, "currency": "USD" }),
            (404, "no-wallet"),
        ),
        (json!({ "to": "juno", "amount": 1 }), (400, "invalid-user")),
        (
            json!({ "to": "@juno:bongsu.test", "amount": 1, "tip": 1 }),
            (400, "invalid-body"),
        ),
        (
            json!({ "to": "@juno:bongsu.test", "amount": 1, "note": "a\u{0}b" }),
            (400, "invalid-text"),
        ),
        (json!([]), (400, "invalid-body")),
        (
            json!(["@juno:bongsu.test", 5, "KRW", "", null]),
            (400, "invalid-body"),
        ),
    ] {
        // What was found by looking at what there is, the key keeps.
        let (key, state) = match expect.0 {
            404 => ("in-vain", "refused"),
            _ => ("bad", "not_yet"),
        };
        let said = town.keyed("mina", key, "transfers", &body).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()), "{body}");
        let found = town.get("mina", &format!("requests/{key}")).await;
        assert_eq!(found.body["state"], state, "{body}");
    }
    let euros = json!({ "amount": 1, "currency": "EUR" });
    let said = town.post(&town.keys[0], "merchant/ready", &euros).await;
    assert_eq!(said.problem(), (422, "wrong-currency".into()));
    let long = "x".repeat(256);
    for key in ["", "a b", &long] {
        let said = town.keyed("mina", key, "wallet", &json!({})).await;
        assert_eq!(
            said.problem(),
            (400, "idempotency-key-invalid".into()),
            "{key}"
        );
    }
    for path in [
        "wallet/statement?limit=0",
        "wallet/statement?limit=501",
        "wallet/statement?cursor=x",
        "wallet/statement?cursor=99999999999999999999",
    ] {
        assert_eq!(
            town.get("mina", path).await.problem(),
            (400, "invalid-query".into())
        );
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_lets_each_do_what_is_theirs() {
    let town = Town::new().await;
    let body = json!({});
    let bearer = |token: &str| format!("Bearer {token}");
    let path = "/pay/v1/wallet";
    let nobody = town
        .call("POST", path, &[("idempotency-key", "k")], Some(&body))
        .await;
    assert_eq!(nobody.problem(), (401, "not-authenticated".into()));
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    let keyless = town
        .call(
            "POST",
            path,
            &[("authorization", &bearer("mina"))],
            Some(&body),
        )
        .await;
    assert_eq!(keyless.problem(), (400, "idempotency-key-missing".into()));
    let reads = town.post("read:mina", "wallet", &body).await;
    assert_eq!(reads.problem(), (403, "insufficient-scope".into()));
    assert_eq!(town.get("read:mina", "wallet").await.status, 200);
    for (token, path) in [
        ("mina", "merchant/payments"),
        ("bgm_no", "merchant/payments"),
    ] {
        assert_eq!(
            town.get(token, path).await.problem(),
            (401, "not-authenticated".into())
        );
    }
    let headers = [
        ("authorization", &*bearer("mina")),
        ("idempotency-key", "k"),
        ("content-type", "text/plain"),
    ];
    let plain = town.call("POST", path, &headers, None).await;
    assert_eq!(plain.problem(), (415, "not-json".into()));
    let wrong = town.call("DELETE", path, &[], None).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.headers["allow"]),
        (405, &"GET, POST".parse().expect("a header"))
    );
    let rotate = json!({ "overlap_seconds": 0 });
    let rotated = town
        .call(
            "POST",
            "/admin/v1/pay/merchants/bakery/rotate",
            &[],
            Some(&rotate),
        )
        .await;
    let new = rotated.body["secret_key"].as_str().expect("a key");
    assert_eq!(
        town.get(&town.keys[0], "merchant/payments").await.status,
        401
    );
    assert_eq!(town.get(new, "merchant/payments").await.status, 200);
    town.close().await;
}
