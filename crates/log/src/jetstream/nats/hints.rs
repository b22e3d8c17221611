//! Hints between sites that something was appended, over subjects that keep nothing.

use super::Nats;
use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Mutex;
use tokio::time::{Duration, sleep, timeout};

/// The pause before a subscription that ended is made again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Hints {
    nats: Nats,
    subject: String,
    heard: Mutex<Option<Subscriber>>,
}

impl Hints {
    pub fn new(nats: Nats, subject: String) -> Self {
        let heard = Mutex::default();
        Self {
            nats,
            subject,
            heard,
        }
    }

    /// Tells the other sites that message `seq` was taken.
    pub async fn give(&self, seq: u64) {
        let payload = Bytes::copy_from_slice(&seq.to_le_bytes());
        let given = self.nats.client.publish(self.subject.clone(), payload);
        // A hint that is lost is found by whoever looks.
        let _ = timeout(self.nats.ask_within, given).await;
    }

    /// The number in the next hint.
    pub async fn next(&self) -> u64 {
        let mut heard = self.heard.lock().await;
        loop {
            if heard.is_none() {
                match self.nats.client.subscribe(self.subject.clone()).await {
                    Ok(subscriber) => *heard = Some(subscriber),
                    Err(_) => sleep(PAUSE).await,
                }
            }
            let Some(subscriber) = heard.as_mut() else {
                continue;
            };
            match subscriber.next().await {
                Some(hint) => {
                    if let Ok(seq) = hint.payload[..].try_into() {
                        return u64::from_le_bytes(seq);
                    }
                }
                None => {
                    *heard = None;
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
