//! Payments that are looked at, through the router that is served.

use crate::protocol::Town;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sets_a_rule_and_lets_a_payment_go_on() {
    let town = Town::new().await;
    let rule = json!({ "rule": "amount", "at": 1_000, "reason": "a wave" });
    let set = town
        .call("POST", "/admin/v1/pay/rules", &[], Some(&rule))
        .await;
    assert_eq!(set.status, 200, "{}", set.body);
    let rules = town.call("GET", "/admin/v1/pay/rules", &[], None).await;
    assert_eq!(
        rules.body["items"],
        json!([{ "rule": "amount", "currency": "KRW", "at": 1_000 }])
    );
    let pay = json!({ "to": "@juno:bongsu.test", "amount": 1_000 });
    let held = town.keyed("mina", "t1", "transfers", &pay).await;
    assert_eq!(held.body["state"], "review");
    assert_eq!(
        (town.balance("mina").await, town.balance("juno").await),
        (9_000, 0)
    );
    let waits = town.call("GET", "/admin/v1/pay/reviews", &[], None).await;
    let first = &waits.body["items"][0];
    assert_eq!(
        (&first["rule"], &first["id"]),
        (&json!("amount"), &held.body["id"])
    );
    let id = held.body["id"].as_str().expect("an id");
    let release = format!("/admin/v1/pay/reviews/{id}/release");
    let reason = json!({ "reason": "called her" });
    let released = town.call("POST", &release, &[], Some(&reason)).await;
    assert_eq!(released.status, 200, "{}", released.body);
    let again = town.call("POST", &release, &[], Some(&reason)).await;
    assert_eq!(again.status, 404);
    assert_eq!(town.balance("juno").await, 1_000);
    assert_eq!(
        town.get("juno", &format!("payments/{id}")).await.body["state"],
        "paid"
    );
    let audit = town.call("GET", "/admin/v1/audit/pay", &[], None).await;
    let line = &audit.body["items"][0];
    assert_eq!(
        (&line["act"], &line["target"]),
        (&json!("review.release"), &Value::from(id))
    );
    let remove = json!({ "rule": "amount" });
    let path = "/admin/v1/pay/rules/remove";
    for status in [200, 404] {
        let removed = town.call("POST", path, &[], Some(&remove)).await;
        assert_eq!(removed.status, status);
    }
    for unsound in [
        json!({ "rule": "amount", "at": 0 }),
        json!({ "rule": "count", "at": 3 }),
        json!({ "rule": "amount", "at": 3, "within_minutes": 1 }),
        json!({ "rule": "count", "at": -1, "within_minutes": 1 }),
    ] {
        let refused = town
            .call("POST", "/admin/v1/pay/rules", &[], Some(&unsound))
            .await;
        assert_eq!(refused.status, 400, "{unsound}");
    }
    town.close().await;
}
