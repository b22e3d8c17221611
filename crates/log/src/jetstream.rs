//! The log of several data centres: a stream of NATS JetStream, and a copy of it at every site.
//!
//! Appending publishes to the stream; an acknowledgement means that a majority of the servers has the
//! entry on disk. A follower of our own fetches what the stream holds, checks it, computes the chain and
//! writes it to this site's copy, from which everything is read: a site that is cut off goes on reading,
//! and what an engine loses or alters is noticed by comparison ([`Fault`]). See
//! `docs/adr/0006-the-log-over-jetstream.md`.

mod acks;
mod admit;
mod append;
mod engine;
mod envelope;
mod fault;
mod follow;
mod mirror;
mod nats;
mod open;
mod origin;
mod restore;
mod shared;
mod watch;

pub(crate) use admit::entries;
pub use engine::{Away, Engine, Found, Message, PublishError, Replicas};
pub use envelope::OVERHEAD;
pub use fault::Fault;
pub use mirror::{Mirror, MirrorError, MirrorFile, MirrorStore};
pub use nats::{Layout, Login, Nats, NatsError, NatsOptions, Tls};
pub use open::{OpenError, Opened};
pub use origin::{Origin, OriginError, StreamId};
pub use restore::{RestoreError, Restored, Restoring, Tell, restore};
pub use shared::{Health, Purged, Seen, Stats};

use crate::{AppendError, Bounds, Entry, Log, Mark, ReadError};
use async_trait::async_trait;
use bongsu_base::{Epochs, Seq};
use bytes::Bytes;
use parking_lot::Mutex;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How often things are looked at, and how much is under way at once.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How often the follower looks by itself when nothing wakes it.
    pub poll: Duration,
    /// How often the stream's state is looked at and the copy compared.
    pub look_every: Duration,
    /// How long something must look wrong before it is taken to be: longer than an election and what
    /// comes after it, and longer than a leader that was cut off takes to notice that (about ten
    /// seconds). What an acknowledgement proves counts at once.
    pub suspect_for: Duration,
    /// Bytes asked for in one fetch, about.
    pub fetch_bytes: usize,
    /// Bytes of the copy compared with the engine at each look.
    pub audit_bytes: usize,
    /// How long an append is tried while nobody is there to take it.
    pub append_within: Duration,
    /// Appends under way at once.
    pub appends: usize,
    /// Bytes of appends under way at once.
    pub append_bytes: usize,
    /// The server that ought to lead the stream, asked for by the site where it stands.
    pub lead_from: Option<String>,
    /// How long another one may lead before that.
    pub lead_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(250),
            look_every: Duration::from_secs(2),
            suspect_for: Duration::from_secs(30),
            fetch_bytes: 4 << 20,
            audit_bytes: 256 << 10,
            append_within: Duration::from_secs(4),
            appends: 64,
            append_bytes: 32 << 20,
            lead_from: None,
            lead_after: Duration::from_secs(30),
        }
    }
}

/// How a log is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The id of the stream that is made if the engine has none of this log. Only where this site has
    /// neither a copy nor a view, and nobody else has: a stream that went missing is not made again.
    pub create: Option<StreamId>,
    /// Where this site's copy begins if there is none: at the snapshot from which its view is made.
    /// Without one, it begins where the stream does.
    pub begin: Option<Mark>,
    /// The last entry that this site's view, or a snapshot it may begin from, has applied: the log is
    /// opened as one that follows once the copy holds it, whatever a server says that is behind.
    pub reach: Seq,
    /// How long the engine may be away, or give nothing, before the log is opened on this site's copy
    /// alone.
    pub reach_within: Option<Duration>,
    /// How often things are looked at.
    pub pace: Pace,
}

/// A log over JetStream, as one site has it. Dropping it ends its tasks; nothing appended is withdrawn.
pub struct JetstreamLog {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl JetstreamLog {
    /// Opens the log of `engine` over this site's copy in `store`, and brings the copy up to the
    /// engine's end. If the engine is away, the log is opened on the copy alone and follows once the
    /// engine is back.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(
        engine: Arc<dyn Engine>,
        store: &dyn MirrorStore,
        options: Options,
    ) -> Result<(Self, Opened), OpenError> {
        open::open(engine, store, options).await
    }

    /// What the stream behind the log is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// How the log is.
    #[must_use]
    pub fn health(&self) -> channel::Receiver<Health> {
        self.shared.health.subscribe()
    }

    /// How the stream looked when it was looked at last, every few seconds; `None` while the engine does not answer or
    /// nobody leads the stream. What is old says nothing.
    #[must_use]
    pub fn seen(&self) -> channel::Receiver<Option<Seen>> {
        self.shared.seen.subscribe()
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.read()
    }

    /// Returns once this site's copy holds the entry `seq`, or `within` has passed; says which.
    pub async fn reach(&self, seq: Seq, within: Duration) -> bool {
        let before = Seq(seq.0.saturating_sub(1));
        timeout(within, self.shared.mirror.wait(before))
            .await
            .is_ok()
    }

    /// Ends following; once nothing else uses the log either, this site's copy is closed.
    pub async fn close(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            // It was aborted, which is no news.
            let _ = task.await;
        }
    }

    /// Drops the entries before `keep_from` from the engine, but nothing that this site's own copy has not
    /// held.
    async fn purge(&self, keep_from: Seq) -> Result<(), Away> {
        if let Some(fault) = self.shared.failed() {
            return Err(Away(fault.to_string()));
        }
        let bounds = self.shared.mirror.bounds().await;
        let bounds = bounds.map_err(|error| Away(error.to_string()))?;
        let keep_from = keep_from.min(bounds.last.next());
        let message = self.shared.origin.message(keep_from);
        if message <= 1 {
            return Ok(());
        }
        self.shared.engine.purge(&self.shared.origin, message).await
    }
}

impl Drop for JetstreamLog {
    fn drop(&mut self) {
        for task in self.tasks.get_mut().iter() {
            task.abort();
        }
    }
}

#[async_trait]
impl Log for JetstreamLog {
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError> {
        append::append(&self.shared, body).await
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        // Looked at first: a reader that gets nothing must not wait for what never comes.
        let failed = self.shared.failed();
        let entries = self.shared.mirror.read(after, max_bytes).await?;
        match failed {
            Some(fault) if entries.is_empty() => Err(fault.read_error()),
            _ => Ok(entries),
        }
    }

    async fn wait(&self, after: Seq) {
        let mut health = self.shared.health.subscribe();
        let failed = async {
            if health
                .wait_for(|health| health.failed.is_some())
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = self.shared.mirror.wait(after) => {}
            () = failed => {}
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        self.shared.mirror.bounds().await
    }

    fn epochs(&self) -> &Epochs {
        &self.shared.origin.epochs
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        self.shared.mirror.truncate(keep_from).await
    }

    async fn release(&self, keep_from: Seq) -> Result<(), ReadError> {
        let purged = self.purge(keep_from).await;
        purged.map_err(|away| ReadError::Unavailable(away.to_string()))
    }
}
