//! What a bank promises, kept by one that is simulated, and what goes wrong when it is told to.

use super::*;
use bongsu_ledger::{Amount, Money};

fn order(id: &str, account: &str, direction: Direction) -> Order {
    Order {
        id: id.to_owned(),
        direction,
        account: account.to_owned(),
        money: Money {
            amount: Amount::new(5_000).unwrap(),
            currency: Currency::KRW,
        },
    }
}

fn bank(faults: Faults) -> Simulated {
    Simulated::in_memory(|| LogTime(1_000), faults, 1)
}

async fn all(bank: &Simulated, currency: Currency) -> Statement {
    let all = bank.statement(currency, LogTime(0), LogTime(2_000));
    all.await.unwrap()
}

#[tokio::test]
async fn a_repeated_order_is_the_same_order() {
    let bank = bank(Faults {
        orders_repeated: 1_000,
        ..Faults::default()
    });
    let asked = order("a", "110-1", Direction::Collect);
    let said = bank.order(&asked).await.unwrap();
    assert_eq!(bank.order(&asked).await, Ok(said.clone()));
    assert_eq!(bank.find("a").await, Ok(Some(said)));
    assert_eq!(bank.find("b").await, Ok(None));
    let other = order("a", "110-2", Direction::Collect);
    let reason = Reason::IdReused;
    assert_eq!(bank.order(&other).await, Ok(Said::Refused { reason }));
    assert_eq!(all(&bank, Currency::KRW).await.entries.len(), 1);
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_was_done_and_a_lost_one_was_not() {
    let lost = |answers_lost, orders_lost| Faults {
        answers_lost,
        orders_lost,
        ..Faults::default()
    };
    for (faults, done) in [(lost(1_000, 0), true), (lost(0, 1_000), false)] {
        let bank = bank(faults);
        bank.order(&order("a", "110-1", Direction::Pay))
            .await
            .unwrap_err();
        bank.misbehave(Faults::default());
        assert_eq!(bank.find("a").await.unwrap().is_some(), done);
    }
}

#[tokio::test]
async fn a_bank_refuses_by_the_last_digits_and_books_nothing() {
    let bank = bank(Faults::default());
    for (account, direction, reason) in [
        ("110-9001", Direction::Pay, Reason::NoSuchAccount),
        ("", Direction::Pay, Reason::NoSuchAccount),
        ("110-9004", Direction::Pay, Reason::Closed),
        ("110-9006", Direction::Pay, Reason::Forbidden),
        ("110-9007", Direction::Collect, Reason::InsufficientFunds),
    ] {
        let asked = order(&format!("o{account}"), account, direction);
        let said = bank.order(&asked).await;
        assert_eq!(said, Ok(Said::Refused { reason }), "{account}");
        assert_eq!(bank.find(&asked.id).await, Ok(said.ok()));
        assert_eq!(Reason::of_code(reason.code()), Some(reason));
    }
    let statement = all(&bank, Currency::KRW).await;
    assert_eq!((statement.entries.len(), statement.closing()), (0, 0));
    let paid = bank.order(&order("p", "110-9007", Direction::Pay)).await;
    assert!(matches!(paid, Ok(Said::Done { .. })));
    assert_eq!(all(&bank, Currency::KRW).await.closing(), -5_000);
}

#[tokio::test]
async fn a_statement_is_of_one_currency_and_one_time() {
    let clock = Arc::new(Mutex::new(LogTime(10)));
    let now = clock.clone();
    let bank = Simulated::in_memory(move || *now.lock(), Faults::default(), 1);
    let dollars: Currency = "USD".parse().unwrap();
    for (at, id, currency) in [
        (10, "a", Currency::KRW),
        (20, "b", dollars),
        (30, "c", Currency::KRW),
        (40, "d", Currency::KRW),
    ] {
        *clock.lock() = LogTime(at);
        let mut asked = order(id, "110-1", Direction::Collect);
        asked.money.currency = currency;
        bank.order(&asked).await.unwrap();
    }
    let found = bank.statement(Currency::KRW, LogTime(20), LogTime(40));
    let found = found.await.unwrap();
    let names: Vec<_> = found.entries.iter().map(|entry| &entry.order).collect();
    assert_eq!(names, ["c"]);
    assert_eq!((found.opening, found.closing()), (5_000, 10_000));
    assert_eq!(Statement::from_xml(&found.to_xml()), Ok(found));
    let found = bank.statement(dollars, LogTime(i64::MIN), LogTime(i64::MAX));
    let found = found.await.unwrap();
    assert_eq!((found.opening, found.closing()), (0, 5_000));
    assert!(found.id.len() <= 35, "{}", found.id);
    assert_eq!(Statement::from_xml(&found.to_xml()), Ok(found));
}

#[tokio::test]
async fn a_file_keeps_what_was_done_and_is_one_bank_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bank.sqlite");
    let open = || Simulated::open(&path, || LogTime(1_000), Faults::default(), 1);
    let asked = order("a", "110-1", Direction::Pay);
    let bank = open().unwrap();
    let said = bank.order(&asked).await.unwrap();
    open().unwrap_err();
    drop(bank);
    let bank = open().unwrap();
    assert_eq!(bank.order(&asked).await, Ok(said));
    assert_eq!(all(&bank, Currency::KRW).await.closing(), -5_000);
}

#[tokio::test]
async fn a_name_that_no_statement_can_carry_is_not_taken() {
    let bank = bank(Faults::default());
    for id in [String::new(), "x".repeat(36)] {
        let asked = order(&id, "110-1", Direction::Pay);
        bank.order(&asked).await.unwrap_err();
        assert_eq!(bank.find(&id).await, Ok(None));
    }
}
