//! Disputes, through the router that is served.

use crate::protocol::Town;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_disputes_a_merchant_answers_and_an_operator_decides() {
    let town = Town::new().await;
    let [bakery, cinema] = &town.keys;
    let pay = json!({ "amount": 700, "note": "bread" });
    let paid = town.post("mina", "merchants/bakery/pay", &pay).await;
    let id = paid.body["id"].as_str().expect("an id");
    let path = format!("payments/{id}/dispute");
    let why = json!({ "reason": "stale" });
    let theirs = town.post("juno", &path, &why).await;
    assert_eq!(theirs.problem(), (404, "no-such-payment".into()));
    let opened = town.keyed("mina", "d1", &path, &why).await;
    assert_eq!(
        (&opened.body["state"], &opened.body["amount"]),
        (&json!("open"), &json!(700))
    );
    let again = town.keyed("mina", "d1", &path, &why).await;
    assert_eq!(again.bytes, opened.bytes);
    let answer = format!("merchant/disputes/{id}/answer");
    let said = json!({ "answer": "it was fresh" });
    let stranger = town.post(cinema, &answer, &said).await;
    assert_eq!(stranger.problem(), (404, "no-such-dispute".into()));
    let answered = town.post(bakery, &answer, &said).await;
    assert_eq!(answered.body["state"], "answered");
    for (token, path, count) in [
        ("mina", "disputes", 1),
        ("juno", "disputes", 0),
        (bakery, "merchant/disputes", 1),
        (cinema, "merchant/disputes", 0),
    ] {
        let listed = town.get(token, path).await;
        assert_eq!(
            listed.body["items"].as_array().map(Vec::len),
            Some(count),
            "{path}"
        );
    }
    let listed = town.call("GET", "/admin/v1/pay/disputes", &[], None).await;
    assert_eq!(listed.body["items"][0], answered.body);
    let refund = format!("/admin/v1/pay/disputes/{id}/refund");
    let reason = json!({ "reason": "photo seen" });
    let decided = town.call("POST", &refund, &[], Some(&reason)).await;
    assert_eq!(decided.status, 200, "{}", decided.body);
    assert_eq!(town.balance("mina").await, 10_000);
    let seen = town.get("mina", "disputes").await;
    assert_eq!(seen.body["items"][0]["state"], "refunded");
    let audit = town.call("GET", "/admin/v1/audit/pay", &[], None).await;
    let line = &audit.body["items"][0];
    assert_eq!(
        (&line["act"], &line["target"]),
        (&json!("dispute.refund"), &Value::from(id))
    );
    for (path, status) in [
        (refund, 409),
        ("/admin/v1/pay/disputes/x/reject".to_owned(), 404),
    ] {
        let said = town.call("POST", &path, &[], Some(&reason)).await;
        assert_eq!(said.status, status);
    }
    town.close().await;
}
