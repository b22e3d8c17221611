//! The ordered log: the one truth of every domain.
//!
//! A log takes entries, gives each a sequence (1, 2, 3, …) and a time that never runs backwards, and
//! keeps them in that order. When [`Log::append`] returns a sequence, the entry is durable and no
//! reader will ever see another entry at that sequence. Entries are opaque bytes here; what they mean
//! is the lane's business. A checksum chain runs over all entries, so that a lost, added or altered one
//! is noticed by whoever reads.

mod chain;
pub mod jetstream;
pub mod memory;
mod room;
pub mod sqlite;

pub use chain::{Chain, Link, Mark};

use async_trait::async_trait;
use bongsu_base::{Epochs, LogTime, Seq};
use bytes::Bytes;

/// One entry as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, one more than that of the entry before it.
    pub seq: Seq,
    /// When the log took it, not before the entry before it.
    pub time: LogTime,
    /// What was appended.
    pub body: Bytes,
    /// The checksum over this entry and, through the one before it, over the whole log.
    pub link: Link,
}

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The first entry that can be read; one more than `last` when there is none.
    pub first: Seq,
    /// The last entry; [`Seq::ZERO`] when nothing was ever appended.
    pub last: Seq,
    /// The chain's link at `last`.
    pub link: Link,
    /// Bytes that the log occupies, as far as it knows.
    pub bytes: u64,
}

/// Why an append gave no sequence.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The entry was not taken and will not be; the same bytes may be appended again.
    #[error("the log refused the entry: {0}")]
    Refused(String),
    /// Nobody knows whether the entry was taken. Whoever appended it appends it again, and relies on
    /// the record ids inside it to be applied once.
    #[error("the log did not say whether it took the entry: {0}")]
    Unknown(String),
    /// The log takes nothing until it has been opened again; whether it took this entry is not known.
    #[error("the log has stopped: {0}")]
    Stopped(String),
}

/// Why entries could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The entries asked for were truncated away; a reader there begins from a snapshot.
    #[error("the log begins at {first}; what came before was truncated behind a snapshot")]
    Truncated {
        /// The first entry that can be read.
        first: Seq,
    },
    /// An entry is not what was appended.
    #[error("log entry {seq} is damaged: {what}")]
    Damaged {
        /// The entry.
        seq: Seq,
        /// What is wrong with it.
        what: String,
    },
    /// The log no longer holds what it had acknowledged, or holds something else in its place. Nothing
    /// is read beyond what this reader has a good copy of.
    #[error("{0}")]
    Lost(String),
    /// The log cannot be read now.
    #[error("the log cannot be read: {0}")]
    Unavailable(String),
}

/// An ordered, durable sequence of entries.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends one entry and returns its number once it is durable. Appends that wait at the same time
    /// may be made durable together. Dropping the future does not withdraw the entry.
    ///
    /// # Errors
    /// See [`AppendError`]: refused, unknown, stopped.
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError>;

    /// The entries after `after`, oldest first, until their bodies together exceed `max_bytes` (but at
    /// least one where there is one). Empty when there is nothing newer.
    ///
    /// # Errors
    /// See [`ReadError`]: truncated, damaged, unavailable.
    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError>;

    /// Returns once the log may hold an entry after `after`. It may return early; it never misses one
    /// for longer than the reader's own watchdog.
    async fn wait(&self, after: Seq);

    /// What the log holds now.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn bounds(&self) -> Result<Bounds, ReadError>;

    /// The lives of the log so far, as they were when it was opened. A log that cannot be restored from
    /// copies has one.
    fn epochs(&self) -> &Epochs {
        Epochs::first()
    }

    /// Drops every entry before `keep_from` from what is kept here, for ever. The chain goes on over what
    /// was dropped.
    ///
    /// # Errors
    /// When the log cannot be written.
    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError>;

    /// Says that no data centre needs an entry before `keep_from` any longer: what data centres share may let
    /// go of them. Where nothing is shared there is nothing to do.
    ///
    /// # Errors
    /// When what is shared cannot be written.
    async fn release(&self, _keep_from: Seq) -> Result<(), ReadError> {
        Ok(())
    }
}
