//! The bus: for what need not last, such as who is typing and who is there.
//!
//! A note on the bus reaches whoever listens at that moment, at every site, the sender's included, and is
//! kept nowhere. The bus promises little: a note may be lost, and one that comes to a listener who is
//! slow is lost for that listener; none comes twice, and those of one sender and topic come in order.
//! Nothing waits: publishing returns at once, whatever became of the note.
//!
//! It never knows what a note means.

mod local;
mod nats;
mod topic;

pub use local::LocalBus;
pub use nats::NatsBus;
pub use topic::{Topic, TopicError};

use async_trait::async_trait;
use bytes::Bytes;

/// Notes that may wait for one listener; what comes beyond them is lost for that one.
const WAITING: usize = 1_024;

/// What travels on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub topic: Topic,
    /// What it says.
    pub payload: Bytes,
}

/// A bus.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Sends a note to whoever listens now. It may be lost.
    async fn publish(&self, topic: &Topic, payload: Bytes);

    /// Listens, from now on, to all topics that begin with the parts of `prefix`.
    async fn subscribe(&self, prefix: &Topic) -> Box<dyn Subscription>;
}

/// Somebody's ear on the bus. Dropping it ends the listening.
#[async_trait]
pub trait Subscription: Send + 'static {
    /// The next note; `None` once the bus is gone.
    async fn next(&mut self) -> Option<Note>;
}
