//! What a stream's leader tells of: each message once a majority has it, over a subject that keeps nothing (NATS ADR-28,
//! `republish`).

use super::Nats;
use super::near::message;
use crate::jetstream::engine::Message;
use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{Duration, sleep};

/// The pause before a subscription that ended is made again.
const PAUSE: Duration = Duration::from_secs(1);
/// How many messages are given at once.
const BATCH: usize = 256;

pub(super) struct Told {
    nats: Nats,
    heard: Mutex<Option<Heard>>,
}

struct Heard {
    subject: String,
    messages: Subscriber,
}

impl Told {
    pub fn new(nats: Nats) -> Self {
        let heard = Mutex::default();
        Self { nats, heard }
    }

    /// What comes next on `subject`.
    pub async fn next(&self, subject: &str) -> Vec<Message> {
        let mut heard = self.heard.lock().await;
        heard.take_if(|heard| heard.subject != subject);
        loop {
            let Some(open) = heard.as_mut() else {
                match self.nats.client.subscribe(subject.to_owned()).await {
                    Ok(messages) => {
                        let subject = subject.to_owned();
                        *heard = Some(Heard { subject, messages });
                    }
                    Err(_) => sleep(PAUSE).await,
                }
                continue;
            };
            let Some(first) = open.messages.next().await else {
                *heard = None;
                sleep(PAUSE).await;
                continue;
            };
            let mut messages: Vec<Message> = message(first).into_iter().collect();
            while messages.len() < BATCH
                && let Some(Some(wire)) = open.messages.next().now_or_never()
            {
                messages.extend(message(wire));
            }
            if !messages.is_empty() {
                return messages;
            }
        }
    }
}
