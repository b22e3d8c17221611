//! QR codes that merchants show, through the router that is served.

use crate::protocol::Town;
use serde_json::{Value, json};

/// The same code with the part `from` as `to`, and a checksum that fits.
fn forged(qr: &str, from: &str, to: &str) -> String {
    assert_eq!(from.len(), to.len());
    let body = qr[..qr.len() - 4].replace(from, to);
    let crc = body.bytes().fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 }
        })
    });
    format!("{body}{crc:04X}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payments_code_is_read_as_the_payment_and_approved() {
    let town = Town::new().await;
    let bakery = &town.keys[0];
    let asked = json!({ "amount": 3_000, "order": "A-1" });
    let ready = town.keyed(bakery, "r1", "merchant/ready", &asked).await;
    let (id, qr) = (
        &ready.body["id"],
        ready.body["qr"].as_str().expect("a code"),
    );
    let (bare, _) = qr.split_at(qr.len() - 4);
    let account = format!("0013kr.bongsu.pay0136{}", id.as_str().expect("an id"));
    let expect = format!(
        "00020101021226{}{account}52040000530341054043000{}",
        account.len(),
        "5802KR5906bakery6005Korea6304"
    );
    assert_eq!(bare, expect);
    let again = town.keyed(bakery, "r1", "merchant/ready", &asked).await;
    assert_eq!(again.bytes, ready.bytes);
    let kept = town.get(bakery, "requests/r1").await;
    assert_eq!(kept.body["answer"], ready.body);
    let read = |qr: String| {
        let town = &town;
        async move { town.post("mina", "qr", &json!({ "qr": qr })).await }
    };
    let seen = read(qr.to_owned()).await;
    assert_eq!(seen.body["kind"], "payment", "{}", seen.body);
    assert_eq!(
        (&seen.body["payment"]["id"], &seen.body["payment"]["amount"]),
        (id, &json!(3_000))
    );
    assert_eq!(read(forged(qr, "bakery", "bakery")).await.body, seen.body);
    let unknown = format!("pay_{}", "0".repeat(32));
    for (forged, expect) in [
        (format!("{bare}0000"), (422, "qr-checksum")),
        (String::new(), (422, "qr-empty")),
        ("hello".to_owned(), (422, "qr-checksum")),
        (forged(qr, "5802KR", "5802kr"), (422, "qr-malformed")),
        (
            forged(qr, "kr.bongsu.pay", "kr.bongsu.xxx"),
            (422, "qr-foreign"),
        ),
        (
            forged(qr, id.as_str().expect("an id"), &unknown),
            (404, "no-such-payment"),
        ),
        (forged(qr, "5303410", "5303840"), (422, "wrong-currency")),
        (forged(qr, "54043000", "54041000"), (422, "qr-differs")),
    ] {
        let said = read(forged).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()));
    }
    let approve = format!("approvals/{}/approve", id.as_str().expect("an id"));
    let held = town.post("mina", &approve, &json!({})).await;
    assert_eq!(
        (&held.body["state"], &held.body["qr"]),
        (&json!("held"), &Value::Null)
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_code_is_read_as_the_merchant_who_is_then_paid() {
    let town = Town::new().await;
    let bakery = &town.keys[0];
    let shown = town.get(bakery, "merchant/qr").await;
    let qr = shown.body["qr"].as_str().expect("a code");
    assert!(qr.starts_with("000201010211"), "{qr}");
    let seen = town.post("read:mina", "qr", &json!({ "qr": qr })).await;
    assert_eq!(
        seen.body,
        json!({ "kind": "merchant", "merchant": {
            "merchant": "bakery", "name": "bakery", "city": "", "category": 0, "currency": "KRW",
        } })
    );
    let other = json!({ "qr": forged(qr, "0106bakery", "0106nobody") });
    let unknown = town.post("mina", "qr", &other).await;
    assert_eq!(unknown.problem(), (404, "no-such-merchant".into()));
    let pay = json!({ "amount": 700, "note": "bread" });
    let path = "merchants/bakery/pay";
    let paid = town.keyed("mina", "p1", path, &pay).await;
    assert_eq!(
        (&paid.body["state"], &paid.body["fee"]),
        (&json!("paid"), &json!(7))
    );
    let again = town.keyed("mina", "p1", path, &pay).await;
    assert_eq!(again.bytes, paid.bytes);
    let listed = town.get(bakery, "merchant/payments").await;
    assert_eq!(listed.body["items"][0]["id"], paid.body["id"]);
    let cancel = json!({ "id": paid.body["id"], "amount": 200 });
    let back = town.post(bakery, "merchant/cancel", &cancel).await;
    assert_eq!(back.body["refunded"], 200);
    for (path, body, expect) in [
        (path, json!({ "amount": 0 }), (422, "amount-zero")),
        (
            path,
            json!({ "amount": 1, "currency": "USD" }),
            (422, "wrong-currency"),
        ),
        (
            path,
            json!({ "amount": 90_000 }),
            (409, "insufficient-funds"),
        ),
        (
            "merchants/nobody/pay",
            json!({ "amount": 1 }),
            (404, "no-such-merchant"),
        ),
    ] {
        let said = town.post("mina", path, &body).await;
        assert_eq!(said.problem(), (expect.0, expect.1.to_owned()), "{body}");
    }
    assert_eq!(town.balance("mina").await, 9_500);
    town.close().await;
}
