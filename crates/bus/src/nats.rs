//! The bus between sites: core NATS, which keeps nothing.

use crate::{Bus, Note, Subscription, Topic};
use async_nats::connection::State;
use async_nats::{Client, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};
use std::time::Duration;
use tokio::time::timeout;

/// How long a note may take into the connection before it is lost.
const INTO_CONNECTION: Duration = Duration::from_millis(100);

/// A bus over a connection to NATS. How many notes may wait for a listener is for the connection
/// (`subscription_capacity`).
#[derive(Debug, Clone)]
pub struct NatsBus {
    client: Client,
    root: String,
}

impl NatsBus {
    /// The bus called `root` over this connection; notes of buses with other names are not heard.
    #[must_use]
    pub fn new(client: Client, root: &str) -> Self {
        let root = format!("{root}.bus");
        Self { client, root }
    }

    async fn listen(&self, subject: String) -> Option<Subscriber> {
        match self.client.subscribe(subject).await {
            Ok(subscriber) => Some(subscriber),
            Err(error) => {
                tracing::error!(%error, "the bus cannot be listened to");
                None
            }
        }
    }
}

struct Ear {
    root: String,
    notes: SelectAll<Subscriber>,
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, topic: &Topic, payload: Bytes) {
        if self.client.connection_state() != State::Connected {
            // What waited for the connection would be stale when it came.
            return;
        }
        let published = self.client.publish(topic.to_subject(&self.root), payload);
        match timeout(INTO_CONNECTION, published).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a note was lost"),
            Err(_) => tracing::debug!("a note was lost: the connection is full"),
        }
    }

    async fn subscribe(&self, prefix: &Topic) -> Box<dyn Subscription> {
        let exactly = prefix.to_subject(&self.root);
        let below = format!("{exactly}.>");
        let ears = [self.listen(exactly).await, self.listen(below).await];
        Box::new(Ear {
            root: self.root.clone(),
            notes: select_all(ears.into_iter().flatten()),
        })
    }
}

#[async_trait]
impl Subscription for Ear {
    async fn next(&mut self) -> Option<Note> {
        loop {
            let message = self.notes.next().await?;
            // Whoever else publishes there says nothing that is for us.
            if let Some(topic) = Topic::from_subject(&self.root, &message.subject) {
                let payload = message.payload;
                return Some(Note { topic, payload });
            }
        }
    }
}
