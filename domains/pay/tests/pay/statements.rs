//! Statements as files: CSV and camt.053, of people, merchants, and the accounts of everybody.

use crate::protocol::{Said, Town};
use bongsu_bank_rail::Direction;
use bongsu_bank_rail::camt::Statement;
use bongsu_base::Millis;
use insta::assert_snapshot;
use serde_json::json;

impl Town {
    /// What mina does: she has 10,000, pays juno, and buys something that costs the bakery a fee; half comes back.
    async fn trade(&self) {
        let lunch =
            json!({ "to": "@juno:bongsu.test", "amount": 700, "note": "lunch, \"thanks\"" });
        let paid = self.post("mina", "transfers", &lunch).await;
        assert_eq!(paid.status, 200, "{}", paid.body);
        self.house.log.pass(Millis::hours(24));
        let bakery = &self.keys[0];
        let ready = json!({ "amount": 2_000, "order": "A-1" });
        let ready = self.post(bakery, "merchant/ready", &ready).await;
        let id = ready.body["id"].as_str().expect("an id").to_owned();
        let approve = format!("approvals/{id}/approve");
        self.post("mina", &approve, &json!({})).await;
        let take = json!({ "id": id });
        let taken = self.post(bakery, "merchant/approve", &take).await;
        assert_eq!(taken.body["state"], "paid", "{}", taken.body);
    }

    async fn as_operator(&self, query: &str) -> Said {
        let path = format!("/admin/v1/pay/statement?{query}");
        self.call("GET", &path, &[], None).await
    }
}

/// A file without what is drawn by lot, and with line ends that can be seen.
fn shown(said: &Said) -> String {
    let text = String::from_utf8(said.bytes.clone()).expect("text");
    let mut text = text.replace("\r\n", "\n");
    while let Some(at) = text.find("pay_") {
        text.replace_range(at..at + 36, "PAYMENT");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_all_that_happened_the_oldest_first() {
    let town = Town::new().await;
    town.trade().await;
    let wallet = town.get("mina", "wallet/statement?format=csv").await;
    assert_eq!(
        wallet.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert!(
        wallet
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_snapshot!(shown(&wallet), @r#"
    time,what,change,balance,held,currency,payment,other,note
    2027-01-15T08:00:00.000Z,transfer,10000,10000,0,KRW,PAYMENT,,B1
    2027-01-15T08:00:00.000Z,transfer,-700,9300,0,KRW,PAYMENT,@juno:bongsu.test,"lunch, ""thanks"""
    2027-01-16T08:00:00.000Z,hold,0,9300,2000,KRW,PAYMENT,bakery,A-1
    2027-01-16T08:00:00.000Z,settle,-2000,7300,0,KRW,PAYMENT,bakery,A-1
    "#);
    let same = town
        .as_operator("account=@mina:bongsu.test&format=csv")
        .await;
    assert_eq!(same.bytes, wallet.bytes);
    let accepted = [("accept", "text/csv"), ("authorization", "Bearer mina")];
    let same = town
        .call("GET", "/pay/v1/wallet/statement", &accepted, None)
        .await;
    assert_eq!(same.bytes, wallet.bytes);
    let day = "wallet/statement?format=csv&from_ms=1800000000001";
    let later = town.get("mina", day).await;
    assert_eq!(later.bytes.split(|byte| *byte == b'\n').count(), 4);
    let bank = town.as_operator("account=bank&format=csv").await;
    assert_snapshot!(shown(&bank), @r"
    time,what,change,balance,held,currency,payment,other,note
    2027-01-15T08:00:00.000Z,transfer,10000,10000,0,KRW,PAYMENT,,B1
    ");
    let page = town.as_operator("account=bakery").await;
    assert_eq!(page.body["items"][0]["balance"], 1_980, "{}", page.body);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_in_camt_is_read_again_and_moves_what_moved() {
    let town = Town::new().await;
    town.trade().await;
    let read = |said: Said| {
        assert_eq!(said.status, 200, "{}", said.body);
        assert_eq!(said.header("content-type"), "application/xml");
        Statement::from_xml(&said.bytes).expect("it can be read")
    };
    let all = read(town.get("mina", "wallet/statement?format=camt").await);
    let moved: Vec<_> = all.entries.iter().map(|one| one.signed()).collect();
    assert_eq!(moved, [10_000, -700, -2_000]);
    assert_eq!((all.opening, all.closing()), (0, 7_300));
    assert!(all.entries.iter().all(|one| one.order.starts_with('P')));
    let day = "wallet/statement?format=camt&from_ms=1800000000001";
    let later = read(town.get("mina", day).await);
    assert_eq!((later.opening, later.closing()), (9_300, 7_300));
    assert_eq!(later.entries[0].direction, Direction::Pay);
    let early = "wallet/statement?format=camt&to_ms=1800000000001";
    let early = read(town.get("mina", early).await);
    assert_eq!((early.opening, early.closing()), (0, 9_300));
    let bakery = read(
        town.get(&town.keys[0], "merchant/statement?format=camt")
            .await,
    );
    assert_eq!(bakery.closing(), 1_980);
    let bank = read(town.as_operator("account=bank&format=camt").await);
    assert_eq!(bank.closing(), town.at_bank().await);
    let path = "/admin/v1/pay/merchants/bakery/settle";
    let settled = town.call("POST", path, &[], Some(&json!({}))).await;
    assert_eq!(settled.status, 200, "{}", settled.body);
    let said = json!({ "settlement": 1, "reference": "B2" });
    let path = "/admin/v1/pay/bank-said";
    assert_eq!(town.call("POST", path, &[], Some(&said)).await.status, 200);
    let bank = read(town.as_operator("account=bank&format=camt").await);
    let last = bank.entries.last().expect("an entry");
    assert_eq!((&*last.order, last.signed()), ("S1", -1_980));
    let fees = read(town.as_operator("account=fees&format=camt").await);
    assert_eq!(fees.closing(), 20);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_account_has_no_statement() {
    let town = Town::new().await;
    for (query, status) in [
        ("account=nobody", 404),
        ("account=@nobody:bongsu.test&format=csv", 404),
        ("account=bank&currency=USD&format=camt", 404),
        ("account=bank&currency=WON", 400),
        ("account=bank&format=pdf", 400),
        ("account=bank&cursor=999999", 400),
        ("format=csv", 400),
    ] {
        assert_eq!(town.as_operator(query).await.status, status, "{query}");
    }
    let wrong = town.get("mina", "wallet/statement?format=pdf").await;
    assert_eq!(wrong.problem(), (400, "invalid-query".into()));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_none_are_refused_in_every_format() {
    let town = Town::new().await;
    for times in [
        "from_ms=1800000000002&to_ms=1800000000001",
        "to_ms=99999999999999999",
        "from_ms=99999999999999999",
        "from_ms=-99999999999999999",
    ] {
        for format in ["json", "csv", "camt"] {
            let query = format!("format={format}&{times}");
            let said = town.get("mina", &format!("wallet/statement?{query}")).await;
            assert_eq!(said.problem(), (400, "invalid-query".into()), "{query}");
            let said = town.as_operator(&format!("account=bank&{query}")).await;
            assert_eq!(said.status, 400, "{query}");
        }
    }
    let same = "wallet/statement?format=camt&from_ms=1&to_ms=1";
    assert_eq!(town.get("mina", same).await.status, 200);
    town.close().await;
}
