//! Charging again and again, through the router that is served.

use crate::protocol::Town;
use bongsu_base::Millis;
use serde_json::{Value, json};

const DAY: Millis = Millis::hours(24);

/// A payment with which mina consents to `max` a day.
fn recurring(town: &Town, amount: i64, max: i64) -> Value {
    let until = town.house.log.now().0 + 10 * DAY.0;
    let recurring = json!({ "max_amount": max, "period": "day", "until_ms": until });
    json!({ "amount": amount, "order": "plan", "recurring": recurring })
}

/// Mina consents to 2,000 a day with a payment of 1,000; where the subscription is.
async fn consent(town: &Town) -> String {
    let bakery = &town.keys[0];
    let asked = recurring(town, 1_000, 2_000);
    let ready = town.keyed(bakery, "r1", "merchant/ready", &asked).await;
    let again = town.keyed(bakery, "r1", "merchant/ready", &asked).await;
    assert_eq!((ready.status.as_u16(), &ready.bytes), (200, &again.bytes));
    let id = ready.body["id"].as_str().expect("an id");
    let subscription = &ready.body["subscription"];
    let path = format!(
        "subscriptions/{}",
        subscription["id"].as_str().expect("an id")
    );
    assert_eq!(
        (&subscription["state"], &subscription["payment"]),
        (&json!("ready"), &json!(id))
    );
    let early = town.get("mina", &path).await;
    assert_eq!(early.problem(), (404, "no-such-subscription".into()));
    let approvals = format!("approvals/{id}");
    let seen = town.get("mina", &approvals).await;
    assert_eq!(seen.body["subscription"]["max_amount"], 2_000);
    let approve = town
        .post("mina", &format!("{approvals}/approve"), &json!({}))
        .await;
    assert_eq!(approve.body["state"], "held");
    let taken = town
        .post(bakery, "merchant/approve", &json!({ "id": id }))
        .await;
    assert_eq!(taken.body["state"], "paid");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_consents_and_is_charged_within_that() {
    let town = Town::new().await;
    let [bakery, cinema] = &town.keys;
    let path = consent(&town).await;
    let charge = format!("merchant/{path}/charge");
    let much = |amount: i64| json!({ "amount": amount, "order": "day 2" });
    let too_early = town.post(bakery, &charge, &much(1)).await;
    assert_eq!(too_early.problem(), (409, "charge-too-early".into()));
    town.house.log.pass(DAY);
    for (key, body, expect) in [
        (bakery, much(2_001), (403, "exceeds-consent")),
        (bakery, much(0), (422, "amount-zero")),
        (
            bakery,
            json!({ "amount": 1, "currency": "USD" }),
            (422, "wrong-currency"),
        ),
        (cinema, much(1), (404, "no-such-subscription")),
    ] {
        let said = town.post(key, &charge, &body).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()), "{body}");
    }
    let charged = town.keyed(bakery, "c1", &charge, &much(2_000)).await;
    assert_eq!(
        (&charged.body["state"], &charged.body["payer"]),
        (&json!("paid"), &json!("@mina:bongsu.test"))
    );
    let again = town.keyed(bakery, "c1", &charge, &much(2_000)).await;
    assert_eq!(again.bytes, charged.bytes);
    let back = town
        .post(
            bakery,
            "merchant/cancel",
            &json!({ "id": charged.body["id"] }),
        )
        .await;
    assert_eq!(back.body["state"], "canceled");
    assert_eq!(town.balance("mina").await, 9_000);
    let listed = town.get("mina", "subscriptions").await;
    assert_eq!(listed.body["items"][0]["last_payment"], charged.body["id"]);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_revokes_and_nobody_else_sees_it() {
    let town = Town::new().await;
    let [bakery, cinema] = &town.keys;
    let path = consent(&town).await;
    let charge = format!("merchant/{path}/charge");
    for token in ["juno", "read:juno"] {
        assert_eq!(
            town.get(token, "subscriptions").await.body["items"],
            json!([])
        );
    }
    let revoke = format!("{path}/revoke");
    let theirs = town.post("juno", &revoke, &json!({})).await;
    assert_eq!(theirs.problem(), (404, "no-such-subscription".into()));
    let revoked = town.post("mina", &revoke, &json!({})).await;
    assert_eq!(revoked.body["state"], "revoked");
    town.house.log.pass(DAY);
    let late = town.post(bakery, &charge, &json!({ "amount": 1 })).await;
    assert_eq!(late.problem(), (409, "consent-revoked".into()));
    assert_eq!(
        town.get(bakery, &format!("merchant/{path}")).await.body["state"],
        "revoked"
    );
    assert_eq!(
        town.get(cinema, "merchant/subscriptions").await.body["items"],
        json!([])
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_ends_it_and_what_makes_no_sense_is_refused_by_name() {
    let town = Town::new().await;
    let bakery = &town.keys[0];
    let mut asked = recurring(&town, 1_000, 2_000);
    let ready = town.post(bakery, "merchant/ready", &asked).await;
    let id = ready.body["subscription"]["id"].as_str().expect("an id");
    let end = format!("merchant/subscriptions/{id}/end");
    let early = town.post(bakery, &end, &json!({})).await;
    assert_eq!(early.problem(), (409, "wrong-state".into()));
    let approve = format!(
        "approvals/{}/approve",
        ready.body["id"].as_str().expect("an id")
    );
    town.post("mina", &approve, &json!({})).await;
    let ended = town.post(bakery, &end, &json!({})).await;
    assert_eq!(ended.body["state"], "ended");
    town.house.log.pass(DAY);
    let charge = format!("merchant/subscriptions/{id}/charge");
    let late = town.post(bakery, &charge, &json!({ "amount": 1 })).await;
    assert_eq!(late.problem(), (409, "subscription-ended".into()));
    for (part, value, expect) in [
        ("max_amount", json!(999), (403, "exceeds-consent")),
        ("max_amount", json!(1.5), (422, "amount-fractional")),
        ("until_ms", json!(1), (422, "out-of-range")),
        ("until_ms", json!(i64::MAX), (422, "out-of-range")),
        ("period", json!("year"), (400, "invalid-body")),
    ] {
        asked = recurring(&town, 1_000, 2_000);
        asked["recurring"][part] = value;
        let said = town.post(bakery, "merchant/ready", &asked).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()), "{asked}");
    }
    town.close().await;
}
