//! What has to be so is measured, and what is not so is seen.

use crate::protocol::Town;
use bongsu_bank_rail::{Bank, Faults};
use bongsu_base::Seq;
use bongsu_pay::http::{Api, AtBank};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_looked_after_and_the_bank_that_differs_is_seen() {
    let town = Town::new().await;
    let bank = town.bank(Faults::default());
    let asked: Option<Arc<dyn Bank>> = Some(Arc::new(bank));
    let metrics = town.api.bank.metrics.clone();
    let bank = AtBank { asked, metrics };
    let api = Api {
        bank,
        ..town.api.clone()
    };
    let mut registry = Registry::default();
    town.api.invariants.register(&mut registry);
    let watching = tokio::spawn(api.keep_watched());
    let text = loop {
        let mut text = String::new();
        encode(&mut text, &registry).expect("it is written");
        if ["\"chain\"", "\"bank\""]
            .iter()
            .all(|said| text.contains(said))
        {
            break text;
        }
        let seq = town.house.lane.progress().chain.seq;
        let more = town.house.lane.reach(Seq(seq.0 + 1), PATIENCE).await;
        more.expect("canaries sing");
    };
    // Of what came by an operator's word the bank has never heard.
    for line in ["sum\"} 1", "limits\"} 1", "chain\"} 1", "bank\"} 0"] {
        let line = format!("bongsu_pay_invariant{{invariant=\"{line}");
        assert!(text.contains(&line), "{text}");
    }
    watching.abort();
    let _ = watching.await;
    town.close().await;
}
