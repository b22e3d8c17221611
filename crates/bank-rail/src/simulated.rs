//! A bank that is not one.

use crate::camt::{Entry, Statement};
use crate::{Bank, Direction, Order, Reason, Said, Unknown};
use bongsu_base::LogTime;
use bongsu_ledger::Currency;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How the bank misbehaves, each in parts of a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// The order is done and the answer lost.
    pub answers_lost: u16,
    /// The order is lost before it is done.
    pub orders_lost: u16,
    /// The answer takes [`Faults::delay`].
    pub slow: u16,
    /// How long a slow answer takes.
    pub delay: Duration,
    /// An entry stands twice in a statement.
    pub entries_doubled: u16,
}

/// A bank in memory. Every account exists and has enough on it, but those that begin with `closed`, `empty`,
/// `blocked` or `unknown`. What it did is forgotten with the process.
#[derive(Debug, Clone)]
pub struct Simulated {
    inner: Arc<Mutex<Inner>>,
    clock: fn() -> LogTime,
}

#[derive(Debug)]
struct Inner {
    faults: Faults,
    chance: fastrand::Rng,
    orders: HashMap<String, (Order, Said)>,
    entries: Vec<Entry>,
}

/// What happens to a call on its way.
enum Fate {
    Lost,
    Answered,
    AnswerLost,
}

impl Simulated {
    /// A bank whose time is `clock`'s and whose faults follow from `seed`.
    #[must_use]
    pub fn new(clock: fn() -> LogTime, faults: Faults, seed: u64) -> Self {
        let inner = Inner {
            faults,
            chance: fastrand::Rng::with_seed(seed),
            orders: HashMap::new(),
            entries: Vec::new(),
        };
        let inner = Arc::new(Mutex::new(inner));
        Self { inner, clock }
    }

    /// From now on it misbehaves so.
    pub fn misbehave(&self, faults: Faults) {
        self.inner.lock().faults = faults;
    }

    /// Waits if this call is a slow one, and says what becomes of it.
    async fn on_the_way(&self) -> Fate {
        let (delay, fate) = self.inner.lock().fate();
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        fate
    }
}

impl Inner {
    fn happens(&mut self, per_mille: u16) -> bool {
        self.chance.u16(0..1_000) < per_mille
    }

    fn fate(&mut self) -> (Option<Duration>, Fate) {
        let faults = self.faults;
        let delay = self.happens(faults.slow).then_some(faults.delay);
        let fate = if self.happens(faults.orders_lost) {
            Fate::Lost
        } else if self.happens(faults.answers_lost) {
            Fate::AnswerLost
        } else {
            Fate::Answered
        };
        (delay, fate)
    }

    fn carry_out(&mut self, order: &Order, at: LogTime) -> Said {
        if let Some((known, said)) = self.orders.get(&order.id) {
            let reason = Reason::IdReused;
            return if known == order {
                said.clone()
            } else {
                Said::Refused { reason }
            };
        }
        let said = match refusal(order) {
            Some(reason) => Said::Refused { reason },
            None => self.book(order, at),
        };
        let kept = (order.clone(), said.clone());
        self.orders.insert(order.id.clone(), kept);
        said
    }

    fn book(&mut self, order: &Order, at: LogTime) -> Said {
        let reference = format!("SIM{:012}", self.entries.len() + 1);
        self.entries.push(Entry {
            reference: reference.clone(),
            order: order.id.clone(),
            direction: order.direction,
            money: order.money,
            at,
        });
        Said::Done { reference, at }
    }
}

/// Why the bank refuses `order`, by what its account is called.
fn refusal(order: &Order) -> Option<Reason> {
    let account = order.account.as_str();
    if account.starts_with("unknown") || account.is_empty() {
        Some(Reason::NoSuchAccount)
    } else if account.starts_with("closed") {
        Some(Reason::Closed)
    } else if account.starts_with("blocked") {
        Some(Reason::Forbidden)
    } else if account.starts_with("empty") && order.direction == Direction::Collect {
        Some(Reason::InsufficientFunds)
    } else {
        None
    }
}

#[async_trait::async_trait]
impl Bank for Simulated {
    async fn order(&self, order: &Order) -> Result<Said, Unknown> {
        let fate = self.on_the_way().await;
        if matches!(fate, Fate::Lost) {
            return Err(Unknown("the order was lost".to_owned()));
        }
        let said = self.inner.lock().carry_out(order, (self.clock)());
        match fate {
            Fate::AnswerLost => Err(Unknown("the answer was lost".to_owned())),
            Fate::Answered | Fate::Lost => Ok(said),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<Said>, Unknown> {
        match self.on_the_way().await {
            Fate::Answered => {}
            Fate::Lost | Fate::AnswerLost => {
                return Err(Unknown("the answer was lost".to_owned()));
            }
        }
        let inner = self.inner.lock();
        Ok(inner.orders.get(id).map(|(_, said)| said.clone()))
    }

    async fn statement(&self, from: LogTime, to: LogTime) -> Result<Statement, Unknown> {
        let mut inner = self.inner.lock();
        let moved = inner.entries.clone();
        let (mut opening, mut entries) = (Vec::new(), Vec::new());
        for entry in moved {
            if entry.at < from {
                opening.push(entry);
            } else if entry.at < to {
                let doubled = inner.faults.entries_doubled;
                if inner.happens(doubled) {
                    entries.push(entry.clone());
                }
                entries.push(entry);
            }
        }
        let currency = entries.first().or(opening.first());
        Ok(Statement {
            id: format!("SIM-{}-{}", from.0, to.0),
            account: "BONGSU-POOL".to_owned(),
            currency: currency.map_or(Currency::KRW, |entry| entry.money.currency),
            opening: opening.iter().map(Entry::signed).sum(),
            from,
            to,
            entries,
        })
    }
}

#[cfg(test)]
mod tests {
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
        Simulated::new(|| LogTime(1_000), faults, 1)
    }

    #[tokio::test]
    async fn a_repeated_order_is_the_same_order() {
        let bank = bank(Faults::default());
        let asked = order("a", "mina", Direction::Collect);
        let said = bank.order(&asked).await.unwrap();
        assert_eq!(bank.order(&asked).await, Ok(said.clone()));
        assert_eq!(bank.find("a").await, Ok(Some(said)));
        assert_eq!(bank.find("b").await, Ok(None));
        let other = order("a", "jun", Direction::Collect);
        let reason = Reason::IdReused;
        assert_eq!(bank.order(&other).await, Ok(Said::Refused { reason }));
        let statement = bank.statement(LogTime(0), LogTime(2_000)).await.unwrap();
        assert_eq!(statement.entries.len(), 1);
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
            bank.order(&order("a", "mina", Direction::Pay))
                .await
                .unwrap_err();
            bank.misbehave(Faults::default());
            assert_eq!(bank.find("a").await.unwrap().is_some(), done);
        }
    }

    #[tokio::test]
    async fn a_bank_refuses_by_name_and_books_nothing() {
        let bank = bank(Faults::default());
        for (account, direction, reason) in [
            ("unknown-1", Direction::Pay, Reason::NoSuchAccount),
            ("closed-1", Direction::Pay, Reason::Closed),
            ("blocked-1", Direction::Pay, Reason::Forbidden),
            ("empty-1", Direction::Collect, Reason::InsufficientFunds),
        ] {
            let said = bank.order(&order(account, account, direction)).await;
            assert_eq!(said, Ok(Said::Refused { reason }), "{account}");
        }
        let statement = bank.statement(LogTime(0), LogTime(2_000)).await.unwrap();
        assert_eq!((statement.entries.len(), statement.closing()), (0, 0));
    }
}
