//! Where merchants are told what happens (Standard Webhooks): a receiver inside the drill, which burns with no data centre. It
//! takes what is signed as it has to be, refuses one event in so many the first time, and remembers what came.

use super::{PATIENCE, town};
use crate::check::{Events, Findings};
use crate::cluster::LOOK;
use crate::day;
use crate::ledger::number;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use bongsu_webhooks::{ID, SIGNATURE, Secret, TIMESTAMP};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// One event in so many is refused when it comes first.
const REFUSED_ONE_IN: u64 = 8;

/// What the receiver knows.
#[derive(Debug, Default)]
pub struct Hooks {
    secrets: Mutex<BTreeMap<String, Secret>>,
    events: Mutex<Events>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Hooks {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.lock().take() {
            serving.abort();
        }
    }
}

impl Hooks {
    /// Begins to serve; gives the address below which each merchant has its own.
    pub async fn open(self: &Arc<Self>) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("webhooks cannot be received")?;
        let address = listener.local_addr()?;
        // What is served holds no more than a hint of what owns it, so that dropping that ends the serving.
        let router = Router::new()
            .route("/{shop}", post(receive))
            .with_state(Arc::downgrade(self));
        let serving = tokio::spawn(async move {
            // It ends with the drill alone.
            let _ = axum::serve(listener, router).await;
        });
        *self.serving.lock() = Some(serving);
        Ok(format!("http://{address}"))
    }

    /// From now on what `shop` is told has to be signed with `secret`.
    pub fn expect_from(&self, shop: String, secret: Secret) {
        self.secrets.lock().insert(shop, secret);
    }

    /// Something was acknowledged that the merchant of number `merchant` has to be told, if it wants to be.
    pub fn want(&self, merchant: usize, kind: &str, of: &str) {
        let shop = town::shop(merchant);
        if self.secrets.lock().contains_key(&shop) {
            self.events.lock().want(about(&shop, kind, of));
        }
    }

    /// What was found since this was asked last. What is still to come is no finding yet.
    pub fn found(&self) -> Findings {
        self.events.lock().take()
    }

    /// What is found at the end: what does not come now is lost.
    pub async fn end(&self) -> Findings {
        let deadline = Instant::now() + PATIENCE;
        while self.events.lock().missing() > 0 && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        self.events.lock().end()
    }

    fn receive(&self, shop: &str, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let header = |name| headers.get(name)?.to_str().ok();
        let secret = self.secrets.lock().get(shop).cloned();
        let (Some(id), Some(at), Some(signatures), Some(secret)) = (
            header(ID),
            header(TIMESTAMP).and_then(|at| at.parse().ok()),
            header(SIGNATURE),
            secret,
        ) else {
            self.events
                .lock()
                .unsigned("it is of nobody, or lacks headers");
            return StatusCode::BAD_REQUEST;
        };
        if let Err(why) = secret.verify((id, at, body), signatures, day::seconds()) {
            self.events.lock().unsigned(&format!("{id}: {why}"));
            return StatusCode::UNAUTHORIZED;
        }
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let of = said["data"]["id"].as_str().map(str::to_owned);
        let of = of.or(said["data"]["payment"].as_str().map(str::to_owned));
        let of = of.unwrap_or_else(|| said["data"]["n"].to_string());
        let about = about(shop, said["type"].as_str().unwrap_or_default(), &of);
        let mut events = self.events.lock();
        let takes = events.knows(id) || !number(id).is_multiple_of(REFUSED_ONE_IN);
        events.come((id, &about, body), takes);
        match takes {
            true => StatusCode::NO_CONTENT,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What two events never share.
fn about(shop: &str, kind: &str, of: &str) -> String {
    format!("{kind} of {of} to {shop}")
}

async fn receive(
    State(hooks): State<std::sync::Weak<Hooks>>,
    Path(shop): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    match hooks.upgrade() {
        Some(hooks) => hooks.receive(&shop, &headers, &body),
        None => StatusCode::GONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn secret(byte: u8) -> Secret {
        Secret::new(&[byte; 32]).expect("32 bytes")
    }

    /// A delivery to `shop-1` of an event about a payment, signed with the secret of `byte`.
    fn deliver(hooks: &Hooks, id: &str, byte: u8, body: &str) -> StatusCode {
        let at = day::seconds();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (ID, id.to_owned()),
            (TIMESTAMP, at.to_string()),
            (SIGNATURE, secret(byte).sign(id, at, body.as_bytes())),
        ] {
            let value = HeaderValue::try_from(value).expect("it is ASCII");
            headers.insert(name, value);
        }
        hooks.receive("shop-1", &headers, body.as_bytes())
    }

    #[test]
    fn what_is_signed_is_taken_at_the_first_or_second_time_and_nothing_else() {
        let hooks = Hooks::default();
        hooks.expect_from("shop-1".to_owned(), secret(1));
        let refused = |id: &&String| number(id).is_multiple_of(REFUSED_ONE_IN);
        let ids: Vec<String> = (0..99).map(|n| format!("evt_{n}")).collect();
        for id in &ids {
            hooks.want(1, "payment.paid", id);
            hooks.want(2, "payment.paid", id);
            let body = format!(r#"{{"type":"payment.paid","data":{{"id":"{id}"}}}}"#);
            let first = deliver(&hooks, id, 1, &body);
            assert_eq!(first.is_success(), !refused(&id), "{id}");
            assert!(deliver(&hooks, id, 1, &body).is_success(), "{id}");
        }
        let found = hooks.events.lock().end();
        let refused = ids.iter().filter(refused).count() as u64;
        assert!(refused > 0);
        assert_eq!(found.told.webhooks_received, 99);
        assert_eq!(found.told.webhooks_refused, refused);
        assert_eq!(found.told.webhooks_repeated, 99 - refused);
        assert_eq!((found.lost, found.problems.len()), (0, 0), "{found:?}");
        assert_eq!(deliver(&hooks, "x", 2, "{}"), StatusCode::UNAUTHORIZED);
        assert_eq!(hooks.found().unfaithful, 1);
    }
}
