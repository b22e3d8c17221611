//! A bank that is not one.

mod store;

use crate::camt::Statement;
use crate::{Bank, Direction, Order, Reason, Said, Unknown};
use bongsu_base::LogTime;
use bongsu_ledger::Currency;
use parking_lot::Mutex;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// The longest name of an order (ISO 20022, Max35Text), in characters.
const LONGEST_ID: usize = 35;
/// The last moment that a statement can name, the end of the year 9999.
const LAST: LogTime = LogTime(253_402_300_799_999);

/// How the bank misbehaves, each in parts of a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// The order is done and the answer lost.
    pub answers_lost: u16,
    /// The order is lost before it is done.
    pub orders_lost: u16,
    /// The order is heard twice.
    pub orders_repeated: u16,
    /// The answer takes [`Faults::delay`].
    pub slow: u16,
    /// How long a slow answer takes.
    pub delay: Duration,
    /// An entry stands twice in a statement.
    pub entries_doubled: u16,
}

/// A bank in memory or in a file. Every account exists and has enough on it, but those whose number ends in
///
/// - 9001: there is no such account (AC01);
/// - 9004: it was closed (AC04);
/// - 9006: it is blocked (AG01);
/// - 9007: there is too little on it to collect from (AM04).
#[derive(Clone)]
pub struct Simulated {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<dyn Fn() -> LogTime + Send + Sync>,
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulated(..)")
    }
}

struct Inner {
    faults: Faults,
    chance: fastrand::Rng,
    store: Store,
}

/// What happens to a call on its way.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Lost,
    Answered,
    AnswerLost,
}

impl Simulated {
    /// A bank in memory whose time is `clock`'s and whose faults follow from `seed`. What it did is forgotten with it.
    #[must_use]
    pub fn in_memory(
        clock: impl Fn() -> LogTime + Send + Sync + 'static,
        faults: Faults,
        seed: u64,
    ) -> Self {
        let store = Store::in_memory().expect("memory takes two empty tables");
        Self::over(store, clock, faults, seed)
    }

    /// The bank of the file at `path`, which is made if it is missing; otherwise as in memory. One process at a time can
    /// have it open.
    ///
    /// # Errors
    /// When the file cannot be opened, or is open elsewhere.
    pub fn open(
        path: &Path,
        clock: impl Fn() -> LogTime + Send + Sync + 'static,
        faults: Faults,
        seed: u64,
    ) -> rusqlite::Result<Self> {
        Ok(Self::over(Store::open(path)?, clock, faults, seed))
    }

    fn over(
        store: Store,
        clock: impl Fn() -> LogTime + Send + Sync + 'static,
        faults: Faults,
        seed: u64,
    ) -> Self {
        let inner = Inner {
            faults,
            chance: fastrand::Rng::with_seed(seed),
            store,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            clock: Arc::new(clock),
        }
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

    /// Does something with what is kept, which may wait for the disk.
    async fn keep<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unknown> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut inner.lock())).await;
        let done = done.map_err(|error| Unknown(error.to_string()))?;
        done.map_err(|error| Unknown(format!("its file: {error}")))
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

    /// Hears an order, perhaps twice.
    fn hear(&mut self, order: &Order, at: LogTime) -> rusqlite::Result<Said> {
        let said = self.carry_out(order, at)?;
        let repeated = self.faults.orders_repeated;
        if self.happens(repeated) {
            return self.carry_out(order, at);
        }
        Ok(said)
    }

    fn carry_out(&self, order: &Order, at: LogTime) -> rusqlite::Result<Said> {
        match self.store.find(&order.id)? {
            Some((known, said)) if known == *order => Ok(said),
            Some(_) => Ok(Said::Refused {
                reason: Reason::IdReused,
            }),
            None => self.store.keep(order, refusal(order), at),
        }
    }
}

/// Why the bank refuses `order`, by the last digits of its account.
fn refusal(order: &Order) -> Option<Reason> {
    let account = order.account.as_str();
    let collects = order.direction == Direction::Collect;
    match account.get(account.len().saturating_sub(4)..) {
        _ if account.is_empty() => Some(Reason::NoSuchAccount),
        Some("9001") => Some(Reason::NoSuchAccount),
        Some("9004") => Some(Reason::Closed),
        Some("9006") => Some(Reason::Forbidden),
        Some("9007") if collects => Some(Reason::InsufficientFunds),
        _ => None,
    }
}

#[async_trait::async_trait]
impl Bank for Simulated {
    async fn order(&self, order: &Order) -> Result<Said, Unknown> {
        if !(1..=LONGEST_ID).contains(&order.id.chars().count()) {
            return Err(Unknown(format!("an id has 1 to {LONGEST_ID} characters")));
        }
        let fate = self.on_the_way().await;
        if matches!(fate, Fate::Lost) {
            return Err(Unknown("the order was lost".to_owned()));
        }
        let (order, at) = (order.clone(), (self.clock)());
        let said = self.keep(move |inner| inner.hear(&order, at)).await?;
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
        let id = id.to_owned();
        let found = self.keep(move |inner| inner.store.find(&id)).await?;
        Ok(found.map(|(_, said)| said))
    }

    async fn statement(
        &self,
        currency: Currency,
        from: LogTime,
        to: LogTime,
    ) -> Result<Statement, Unknown> {
        let (from, to) = (from.max(LogTime(0)), to.clamp(LogTime(0), LAST));
        let moved = self.keep(move |inner| {
            let (opening, moved) = inner.store.moved(currency, from, to)?;
            let doubled = inner.faults.entries_doubled;
            let mut entries = Vec::with_capacity(moved.len());
            for entry in moved {
                if inner.happens(doubled) {
                    entries.push(entry.clone());
                }
                entries.push(entry);
            }
            Ok((opening, entries))
        });
        let (opening, entries) = moved.await?;
        Ok(Statement {
            id: format!("{currency}-{}-{}", from.0, to.0),
            account: format!("BONGSU-POOL-{currency}"),
            currency,
            opening,
            from,
            to,
            entries,
        })
    }
}

#[cfg(test)]
mod tests;
