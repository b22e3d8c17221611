//! Telling merchants what happened (Standard Webhooks 1.0). What is due is decided by applying; here it is found, sent and
//! its fate written into the log, by whoever holds the lane's lease. Should the lease change hands meanwhile, something is
//! told twice, by the same name.
//!
//! The lane's own effects are repeated within a minute, and how often they failed is known to one process alone. These wait
//! for days and are listed, so that each is a row of the view with its own pauses.

use super::Api;
use super::wire::EventBody;
use crate::answer::Telling;
use crate::command::{Accepted, Command, Tried};
use crate::query::{self, Delivery, Webhook};
use bongsu_fetch::{Fetcher, Url};
use bongsu_lane::{Actor, LaneState, Priority};
use bongsu_webhooks::{ID, SIGNATURE, TIMESTAMP};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until};

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);
/// How much is sent at once: to one merchant, and to all. One that is slow leaves room for others.
const AT_ONCE: (usize, usize) = (4, 64);

/// How telling merchants goes.
#[derive(Debug, Clone, Default)]
pub struct TellerMetrics {
    attempts: Family<[(&'static str, &'static str); 1], Counter>,
    oldest: Gauge,
}

impl TellerMetrics {
    /// Enters them into `registry` as `bongsu_pay_webhook_…`.
    pub fn register(&self, registry: &mut Registry) {
        let webhooks = registry.sub_registry_with_prefix("bongsu_pay_webhook");
        let help = "Attempts to tell merchants, by outcome: delivered, failed, or given_up";
        webhooks.register("attempts", help, self.attempts.clone());
        let help = "Age of the oldest event that a merchant has still to be told";
        webhooks.register("oldest_seconds", help, self.oldest.clone());
    }

    fn count(&self, told: &[Telling]) {
        for one in told {
            let outcome = match one {
                Telling::Delivered => "delivered",
                Telling::GivenUp => "given_up",
                Telling::Waiting | Telling::Stopped => "failed",
            };
            self.attempts.get_or_create(&[("outcome", outcome)]).inc();
        }
    }
}

/// What is on its way to merchants.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<Option<u16>>,
    /// Which is which, and how often it was tried before.
    which: BTreeMap<Id, (i64, u32)>,
    /// What has ended and is not written down yet.
    ended: Vec<Tried>,
}

impl Sending {
    fn begin(&mut self, fetcher: &Fetcher, one: &Delivery, letter: Option<Letter>) {
        let fetcher = fetcher.clone();
        let sent = async move { letter?.send(fetcher).await };
        let task = self.tasks.spawn(sent);
        self.which.insert(task.id(), (one.n, one.attempts));
    }

    fn has(&self, n: i64) -> bool {
        let on_its_way = self.which.values().any(|(sent, _)| *sent == n);
        on_its_way || self.ended.iter().any(|ended| ended.n == n)
    }

    /// Waits for the first that ends, and takes all that have.
    async fn end_some(&mut self) {
        let mut next = self.tasks.join_next_with_id().await;
        while let Some(ended) = next {
            let (id, status) = ended.unwrap_or_else(|error| (error.id(), None));
            if let Some((n, before)) = self.which.remove(&id) {
                self.ended.push(Tried { n, before, status });
            }
            next = self.tasks.try_join_next_with_id();
        }
    }
}

/// Something to be sent.
struct Letter {
    to: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Letter {
    /// The status that it was answered.
    async fn send(self, fetcher: Fetcher) -> Option<u16> {
        let posted = fetcher.post(&self.to, &self.headers, self.body.into());
        match posted.await {
            Ok(status) => Some(status.as_u16()),
            Err(error) => {
                tracing::debug!(%error, "a merchant could not be told");
                None
            }
        }
    }
}

impl Api {
    /// Tells merchants whatever is due whenever this process holds the lane's lease, until the lane ends.
    pub async fn keep_told(self) {
        let mut sending = Sending::default();
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            let look_again = Instant::now() + EVERY;
            self.begin_due(&mut sending).await;
            tokio::select! {
                () = sending.end_some(), if !sending.which.is_empty() => {}
                () = sleep_until(look_again) => {}
            }
            if !sending.ended.is_empty() && !self.write_down(&mut sending.ended).await {
                sleep_until(look_again).await;
            }
        }
    }

    async fn begin_due(&self, sending: &mut Sending) {
        let now = self.lane.progress().time;
        let look = |view: &bongsu_lane::ReadView<'_>| {
            let due = if self.lane.leads() {
                query::to_tell(view, now, AT_ONCE)?
            } else {
                Vec::new()
            };
            Ok((due, query::oldest_untold(view)?))
        };
        let (due, oldest) = match self.lane.read(look).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "what merchants are to be told cannot be read");
                return;
            }
        };
        let age = oldest.map_or(0, |oldest| now.since(oldest).0 / 1_000);
        self.told.oldest.set(age);
        for (one, webhook) in due {
            if sending.tasks.len() < AT_ONCE.1 && !sending.has(one.n) {
                sending.begin(&self.fetcher, &one, self.letter(&one, &webhook));
            }
        }
    }

    /// Writes down what became of attempts; whether that was done. Written down twice, it counts once.
    async fn write_down(&self, ended: &mut Vec<Tried>) -> bool {
        let command = Command::Tried(ended.clone());
        let request = self
            .lane
            .request(Actor::Platform, Priority::Background, command);
        match self.lane.submit(request).await {
            Ok(decision) => {
                ended.clear();
                if let Ok(Accepted::Tried(told)) = decision.outcome {
                    self.told.count(&told);
                }
                true
            }
            Err(error) => {
                tracing::warn!(%error, "what merchants were told could not be written down; trying again later");
                false
            }
        }
    }

    /// What is sent, if it can be signed.
    fn letter(&self, one: &Delivery, webhook: &Webhook) -> Option<Letter> {
        let now = self.clock.now();
        let seconds = now.0.div_euclid(1_000);
        let id = one.id.to_string();
        let body = serde_json::to_vec(&EventBody::from(one)).expect("a body is plain data");
        let old = webhook.old.filter(|(_, until)| now < *until);
        let salts = [Some(webhook.salt), old.map(|(salt, _)| salt)];
        let secrets = salts
            .into_iter()
            .flatten()
            .filter_map(|salt| self.signing.secret(&one.merchant, salt));
        let signatures: Vec<String> = secrets
            .map(|secret| secret.sign(&id, seconds, &body))
            .collect();
        if signatures.is_empty() {
            tracing::error!(merchant = %one.merchant, "the key is not here of which the merchant's secret was made; until it is, or the merchant has another secret, it is told nothing");
            return None;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (HeaderName::from_static(ID), id),
            (HeaderName::from_static(TIMESTAMP), seconds.to_string()),
            (HeaderName::from_static(SIGNATURE), signatures.join(" ")),
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (header::USER_AGENT, "Bongsu (webhooks)".to_owned()),
        ] {
            let value = HeaderValue::try_from(value).expect("it is visible ASCII");
            headers.insert(name, value);
        }
        Some(Letter {
            to: Url::parse(&webhook.url).ok()?,
            headers,
            body,
        })
    }
}
