//! What is refused at the gate and by limits, and in which words.

use crate::protocol::Town;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_says_whether_a_token_was_sent() {
    let town = Town::new().await;
    for path in ["wallet", "merchant/payments"] {
        let path = format!("/pay/v1/{path}");
        let nobody = town.call("GET", &path, &[], None).await;
        assert_eq!(nobody.problem(), (401, "not-authenticated".into()));
        assert_eq!(nobody.header("www-authenticate"), "Bearer", "{path}");
    }
    for token in ["bgm_none", "mina"] {
        let bad = town.get(token, "merchant/payments").await;
        assert_eq!(bad.problem(), (401, "not-authenticated".into()));
        let invalid = "Bearer error=\"invalid_token\"";
        assert_eq!(bad.header("www-authenticate"), invalid);
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_object_is_refused_in_plain_words() {
    let town = Town::new().await;
    let recurring = json!({ "amount": 1, "order": "A", "recurring": "monthly" });
    let list = json!(["@juno:bongsu.test", 5, "KRW", "", null]);
    for (token, path, body) in [
        ("mina", "transfers", list),
        ("mina", "wallet", json!("KRW")),
        (&*town.keys[0], "merchant/ready", recurring),
    ] {
        let said = town.post(token, path, &body).await;
        assert_eq!(said.problem(), (400, "invalid-body".into()), "{body}");
        let detail = said.body["detail"].as_str().expect("a text");
        assert!(detail.contains("object"), "{detail}");
        assert!(!detail.contains("struct"), "{detail}");
    }
    assert_eq!(town.balance("mina").await, 10_000);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn top_ups_are_limited_and_operators_say_how() {
    let town = Town::new().await;
    let up = async |amount: i64, expect: (u16, &str)| {
        let body = json!({ "amount": amount });
        let said = town.post("mina", "topups", &body).await;
        if expect.0 == 200 {
            assert_eq!(said.status, 200, "{}", said.body);
        } else {
            assert_eq!(said.problem(), (expect.0, expect.1.to_owned()));
        }
    };
    up(500_001, (403, "limit-per-top-up")).await;
    for _ in 0..3 {
        up(500_000, (200, "")).await;
    }
    up(490_001, (403, "limit-of-balance")).await;
    let limits = json!({ "level": 0, "top_up": 1_000, "balance": 3_000_000 });
    let path = "/admin/v1/pay/top-up-limits";
    let set = town.call("POST", path, &[], Some(&limits)).await;
    assert_eq!(set.status, 200, "{}", set.body);
    up(1_000, (200, "")).await;
    up(1_001, (403, "limit-per-top-up")).await;
    town.close().await;
}
