//! The bus of one process.

use crate::{Bus, Note, Subscription, Topic, WAITING};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// A bus within this process. Clones share it.
#[derive(Debug, Clone)]
pub struct LocalBus(broadcast::Sender<Note>);

impl Default for LocalBus {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

struct Ear {
    prefix: Topic,
    notes: broadcast::Receiver<Note>,
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, topic: &Topic, payload: Bytes) {
        let topic = topic.clone();
        // Nobody may be listening.
        let _ = self.0.send(Note { topic, payload });
    }

    async fn subscribe(&self, prefix: &Topic) -> Box<dyn Subscription> {
        Box::new(Ear {
            prefix: prefix.clone(),
            notes: self.0.subscribe(),
        })
    }
}

#[async_trait]
impl Subscription for Ear {
    async fn next(&mut self) -> Option<Note> {
        loop {
            match self.notes.recv().await {
                Ok(note) if note.topic.is_under(&self.prefix) => return Some(note),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
