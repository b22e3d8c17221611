//! Giving orders to the bank, and writing down what it says of them. Run by whoever holds the lane's lease; should that
//! change hands meanwhile, an order is given twice, by the same name.

use crate::Pay;
use crate::command::{Accepted, BankSaid, Command, Ordered, Rejected};
use crate::query;
use bongsu_bank_rail::{Bank, Direction, Order, Said, Unknown};
use bongsu_lane::{Actor, Domain, EffectError, EffectId, Lane, Priority, Request};
use bongsu_ledger::Money;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How it goes between us and the bank.
#[derive(Debug, Clone, Default)]
pub struct BankMetrics {
    orders: Family<[(&'static str, &'static str); 1], Counter>,
    oldest: Gauge,
}

impl BankMetrics {
    /// Enters them into `registry` as `bongsu_pay_bank_…`.
    pub fn register(&self, registry: &mut Registry) {
        let bank = registry.sub_registry_with_prefix("bongsu_pay_bank");
        let help =
            "Orders given to the bank, by outcome: done, refused, or unknown, which is given again";
        bank.register("orders", help, self.orders.clone());
        let help = "Age of the oldest order of which it is not known what the bank did";
        bank.register("oldest_seconds", help, self.oldest.clone());
    }

    fn count(&self, outcome: &'static str) {
        self.orders.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Says how old the oldest order is that waits.
    pub(crate) fn waits_since(&self, milliseconds: i64) {
        self.oldest.set(milliseconds / 1_000);
    }
}

/// Whoever gives orders to the bank.
#[derive(Clone)]
pub struct BankOrders {
    lane: Lane<Pay>,
    bank: Option<Arc<dyn Bank>>,
    metrics: BankMetrics,
    /// Those of which the bank's answer did not come.
    unknown: Arc<Mutex<BTreeSet<String>>>,
}

impl BankOrders {
    /// Gives the orders of `lane` to `bank`. Without one, they wait until an operator tells what became of them.
    #[must_use]
    pub fn new(lane: Lane<Pay>, bank: Option<Arc<dyn Bank>>, metrics: BankMetrics) -> Self {
        Self {
            lane,
            bank,
            metrics,
            unknown: Arc::default(),
        }
    }

    /// Has the bank `collect` money from `account`, or pay it there, and writes down what the bank said. What an operator
    /// has told of already is left alone, and so is what was set aside.
    ///
    /// # Errors
    /// When there is no bank, or it gave no answer, or that could not be written down. Doing it again is harmless.
    pub async fn carry_out(
        &self,
        id: EffectId,
        ordered: Ordered,
        collect: bool,
        (account, money): (String, Money),
    ) -> Result<(), EffectError> {
        let failed = |error: &dyn std::fmt::Display| EffectError(error.to_string());
        let waits = self
            .lane
            .read(|view| Ok(query::waits(view, &ordered)? && !query::is_set_aside(view, &ordered)?))
            .await;
        if !waits.map_err(|error| failed(&error))? {
            return Ok(());
        }
        let bank = self.bank.as_deref().ok_or_else(|| {
            EffectError("no bank is configured; `bongsu pay bank-said` tells what it did".into())
        })?;
        let order = Order {
            id: ordered.to_string(),
            direction: if collect {
                Direction::Collect
            } else {
                Direction::Pay
            },
            account,
            money,
        };
        let said = match self.ask(bank, &order).await {
            Ok(Said::Done { reference, .. }) => BankSaid::Done { reference },
            Ok(Said::Refused { reason }) => {
                let reason = reason.to_string();
                BankSaid::Refused { reason }
            }
            Err(unknown) => {
                self.metrics.count("unknown");
                return Err(failed(&unknown));
            }
        };
        self.metrics.count(match said {
            BankSaid::Done { .. } => "done",
            BankSaid::Refused { .. } => "refused",
        });
        self.write_down(id, ordered, said).await
    }

    /// Writes down what the bank said. What the books refuse to take they refuse again: it is set aside for an operator.
    async fn write_down(
        &self,
        id: EffectId,
        ordered: Ordered,
        said: BankSaid,
    ) -> Result<(), EffectError> {
        let command = Command::BankSaid {
            order: ordered.clone(),
            said: said.clone(),
        };
        let outcome = match self.submit(id, "bank said", command).await? {
            Err(Rejected::Refused(why)) => {
                tracing::error!(order = %ordered, %why, "the books refuse what the bank said of an order; it is set aside until an operator tells of it");
                let order = ordered.clone();
                let command = Command::SetAside { order, said, why };
                self.submit(id, "set aside", command).await?
            }
            other => other,
        };
        match outcome {
            Ok(Accepted::Done) => Ok(()),
            other => Err(EffectError(format!(
                "what the bank said of {ordered} was not taken: {other:?}"
            ))),
        }
    }

    async fn submit(
        &self,
        id: EffectId,
        name: &str,
        command: Command,
    ) -> Result<Result<Accepted, Rejected>, EffectError> {
        let request = Request {
            id: id.record(Pay::NAME, name),
            actor: Actor::Platform,
            priority: Priority::Background,
            command,
        };
        let decision = self.lane.submit(request).await;
        let decision = decision.map_err(|error| EffectError(error.to_string()))?;
        Ok(decision.outcome)
    }

    /// Gives the order; one whose answer did not come is looked for first.
    async fn ask(&self, bank: &dyn Bank, order: &Order) -> Result<Said, Unknown> {
        let again = !self.unknown.lock().insert(order.id.clone());
        let found = if again {
            bank.find(&order.id).await?
        } else {
            None
        };
        let said = match found {
            Some(said) => said,
            None => bank.order(order).await?,
        };
        self.unknown.lock().remove(&order.id);
        Ok(said)
    }
}
