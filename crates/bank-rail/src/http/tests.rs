//! A bank that is asked over HTTP says what it says when it is asked directly.

use super::*;
use crate::{Bank, Direction, Faults, Order, Reason, Said, Simulated};
use bongsu_base::LogTime;
use bongsu_ledger::{Amount, Currency, Money};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

fn order(id: &str, account: &str) -> Order {
    Order {
        id: id.to_owned(),
        direction: Direction::Collect,
        account: account.to_owned(),
        money: Money {
            amount: Amount::new(700).unwrap(),
            currency: Currency::KRW,
        },
    }
}

#[tokio::test]
async fn a_bank_elsewhere_is_the_same_bank() {
    let bank = Simulated::in_memory(|| LogTime(1_000), Faults::default(), 1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = HttpBank::new(&format!("http://{}/", listener.local_addr().unwrap()));
    let (end, ending) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, bank.clone(), async {
        ending.await.unwrap_or_default();
    }));
    assert_eq!(there.find("a/1").await, Ok(None));
    for (id, account) in [("a/1", "110-1"), ("b 2", "110-9004")] {
        let said = there.order(&order(id, account)).await;
        assert_eq!(said, bank.order(&order(id, account)).await);
        assert_eq!(there.find(id).await, said.map(Some));
    }
    let reason = Reason::IdReused;
    let other = there.order(&order("a/1", "110-2")).await;
    assert_eq!(other, Ok(Said::Refused { reason }));
    let (from, to) = (LogTime(0), LogTime(2_000));
    let statement = there.statement(Currency::KRW, from, to).await;
    assert_eq!(statement, bank.statement(Currency::KRW, from, to).await);
    assert_eq!(statement.unwrap().closing(), 700);
    bank.misbehave(Faults {
        answers_lost: 1_000,
        ..Faults::default()
    });
    there.order(&order("c", "110-1")).await.unwrap_err();
    there.find("c").await.unwrap_err();
    bank.misbehave(Faults::default());
    assert!(matches!(there.find("c").await, Ok(Some(Said::Done { .. }))));
    end.send(()).unwrap();
    served.await.unwrap().unwrap();
    // Whoever is not there has not refused.
    there.find("c").await.unwrap_err();
}
