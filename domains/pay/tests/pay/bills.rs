//! Asking people for money, through the router that is served.

use crate::protocol::Town;
use bongsu_base::Millis;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_seen_by_who_has_a_part_in_it_and_each_share_is_paid_once() {
    let town = Town::new().await;
    town.post("dain", "wallet", &json!({})).await;
    let asked = json!({ "note": "저녁", "total": 1_000, "people":
        ["@mina:bongsu.test", "@dain:bongsu.test", "@juno:bongsu.test"] });
    let made = town.keyed("juno", "b1", "bills", &asked).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let amounts = |body: &Value| {
        let shares = body["shares"].as_array().expect("shares").iter();
        let share = |one: &Value| (one["amount"].clone(), one["state"].clone());
        shares.map(share).collect::<Vec<_>>()
    };
    let share = |amount: i64, state: &str| (json!(amount), json!(state));
    let shares = [share(334, "open"), share(333, "open"), share(333, "own")];
    assert_eq!(amounts(&made.body), shares);
    assert_eq!(made.body["total"], 1_000);
    let again = town.keyed("juno", "b1", "bills", &asked).await;
    assert_eq!(again.bytes, made.bytes);
    let kept = town.get("juno", "requests/b1").await;
    assert_eq!(kept.body["answer"], made.body);
    let path = format!("bills/{}", made.body["id"].as_str().expect("an id"));
    let seen = town.get("mina", &path).await;
    assert_eq!(amounts(&seen.body), [share(334, "open")]);
    let stranger = town.get("eve", &path).await;
    assert_eq!(stranger.problem(), (404, "no-such-bill".into()));
    let pay = format!("{path}/pay");
    let paid = town.keyed("mina", "p1", &pay, &json!({})).await;
    assert_eq!(
        (&paid.body["state"], &paid.body["amount"]),
        (&json!("paid"), &json!(334))
    );
    assert_eq!(paid.body["note"], "저녁");
    let again = town.keyed("mina", "p1", &pay, &json!({})).await;
    assert_eq!(again.bytes, paid.bytes);
    let twice = town.post("mina", &pay, &json!({})).await;
    assert_eq!(twice.problem(), (409, "wrong-state".into()));
    let poor = town.post("dain", &pay, &json!({})).await;
    assert_eq!(poor.problem(), (409, "insufficient-funds".into()));
    let seen = town.get("juno", &path).await;
    assert_eq!(seen.body["shares"][0]["payment"], paid.body["id"]);
    let decline = town
        .post("dain", &format!("{path}/decline"), &json!({}))
        .await;
    assert_eq!(amounts(&decline.body), [share(333, "declined")]);
    let done = town.get("juno", &path).await;
    assert_eq!(done.body["state"], "done");
    assert_eq!(
        (town.balance("mina").await, town.balance("juno").await),
        (9_666, 334)
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_are_listed_by_role_page_by_page_and_called_off() {
    let town = Town::new().await;
    let mut made = Vec::new();
    for n in 1..=3 {
        let asked = json!({ "shares": [{ "person": "@mina:bongsu.test", "amount": n }] });
        let bill = town.post("juno", "bills", &asked).await;
        made.push(bill.body["id"].clone());
    }
    let listed = |body: &Value| {
        let items = body["items"].as_array().expect("items").iter();
        items.map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    for (who, role) in [("juno", "role=asker"), ("mina", "role=asked")] {
        let first = town.get(who, &format!("bills?{role}&limit=2")).await;
        assert_eq!(listed(&first.body), [made[2].clone(), made[1].clone()]);
        let next = first.body["next"].as_i64().expect("there is more");
        let rest = town
            .get(who, &format!("bills?{role}&limit=2&cursor={next}"))
            .await;
        assert_eq!(
            (listed(&rest.body), &rest.body["next"]),
            (vec![made[0].clone()], &Value::Null)
        );
    }
    for (who, role) in [("juno", "asked"), ("mina", "asker"), ("eve", "asked")] {
        let none = town.get(who, &format!("bills?role={role}")).await;
        assert_eq!(listed(&none.body), Vec::<Value>::new());
    }
    let wrong = town.get("mina", "bills?role=owner").await;
    assert_eq!(wrong.problem(), (400, "invalid-query".into()));
    let path = |n: usize| format!("bills/{}", made[n].as_str().expect("an id"));
    let cancel = format!("{}/cancel", path(0));
    let theirs = town.post("mina", &cancel, &json!({})).await;
    assert_eq!(theirs.problem(), (403, "not-for-this-caller".into()));
    let canceled = town.post("juno", &cancel, &json!({})).await;
    assert_eq!(canceled.body["state"], "canceled");
    let late = town
        .post("mina", &format!("{}/pay", path(0)), &json!({}))
        .await;
    assert_eq!(late.problem(), (409, "wrong-state".into()));
    town.house.log.pass(Millis::hours(24 * 7));
    let late = town
        .post("mina", &format!("{}/pay", path(1)), &json!({}))
        .await;
    assert_eq!(late.problem(), (409, "expired".into()));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_makes_no_sense_is_refused_by_name() {
    let town = Town::new().await;
    let share =
        |amount: Value| json!({ "shares": [{ "person": "@juno:bongsu.test", "amount": amount }] });
    let people = |count: usize| (0..count).map(|n| format!("@p{n}:s")).collect::<Vec<_>>();
    for (body, expect) in [
        (share(json!(0)), (422, "amount-zero")),
        (share(json!(-1)), (422, "amount-negative")),
        (share(json!(0.5)), (422, "amount-fractional")),
        (
            share(json!(9_007_199_254_740_992_i64)),
            (422, "amount-too-large"),
        ),
        (
            json!({ "total": 2, "people": people(3) }),
            (422, "amount-zero"),
        ),
        (
            json!({ "total": 200, "people": people(101) }),
            (422, "shares-out-of-range"),
        ),
        (
            json!({ "total": 1, "people": [] }),
            (422, "shares-out-of-range"),
        ),
        (json!({ "shares": [] }), (422, "shares-out-of-range")),
        (
            json!({ "total": 4, "people": ["@a:s", "@a:s"] }),
            (422, "person-twice"),
        ),
        (
            json!({ "total": 4, "people": ["juno"] }),
            (400, "invalid-user"),
        ),
        (json!({ "total": 4 }), (400, "invalid-body")),
        (
            json!({ "total": 4, "people": people(2), "shares": [] }),
            (400, "invalid-body"),
        ),
        (
            json!({ "total": 4, "people": people(2), "currency": "QQQ" }),
            (422, "unknown-currency"),
        ),
        (
            json!({ "total": 4, "people": people(2), "currency": "USD" }),
            (404, "no-wallet"),
        ),
        (
            json!({ "total": 4, "people": people(2), "expires_in_seconds": 0 }),
            (422, "out-of-range"),
        ),
        (
            json!({ "total": 4, "people": people(2), "expires_in_seconds": 2_592_001 }),
            (422, "out-of-range"),
        ),
        (
            json!({ "shares": [
            { "person": "@a:s", "amount": 9_007_199_254_740_991_i64 },
            { "person": "@b:s", "amount": 1 },
        ] }),
            (422, "amount-too-large"),
        ),
    ] {
        let said = town.post("mina", "bills", &body).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()), "{body}");
    }
    let none = town.get("mina", "bills/bill_0").await;
    assert_eq!(none.problem(), (404, "no-such-bill".into()));
    town.close().await;
}
