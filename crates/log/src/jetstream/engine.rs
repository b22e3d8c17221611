//! What the log needs of its engine: little, so that a model of it can stand in its place.

use super::origin::Origin;
use async_trait::async_trait;
use bongsu_base::LogTime;
use bytes::Bytes;

/// A stream of the engine, which holds one life of one log, as its leader describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub origin: Origin,
    /// The first message that it holds; one more than `last` when it holds none.
    pub first: u64,
    /// The last message it was ever given; 0 when it was given none.
    pub last: u64,
    /// How many messages between the first and the last are missing.
    pub removed: u64,
    /// Bytes that it occupies.
    pub bytes: u64,
    /// What about its configuration is not as a log needs it.
    pub weakness: Option<String>,
    /// Whether it takes nothing more, for ever.
    pub sealed: bool,
    /// The server that leads it.
    pub leader: Option<String>,
    /// The servers that hold it.
    pub replicas: Replicas,
}

/// The servers that hold a stream, its leader among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// How many there are.
    pub all: usize,
    /// How many of them have what the leader has.
    pub current: usize,
}

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the stream, from 1.
    pub seq: u64,
    /// When the engine took it.
    pub time: LogTime,
    /// What was published.
    pub payload: Bytes,
}

/// The engine could not be asked, or did not answer. The text says what was tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

/// Why a message has no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// It was not taken and will not be, since nobody is there now who could; later it may be.
    #[error("{0}")]
    NobodyThere(String),
    /// It was not taken and will not be.
    #[error("{0}")]
    Refused(String),
    /// The stream takes nothing more.
    #[error("the stream is sealed")]
    Sealed,
    /// Nobody knows whether it was taken.
    #[error("{0}")]
    Unknown(String),
}

/// The engine, as far as one log is concerned. Every call ends within a few seconds.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The log's name, for messages.
    fn name(&self) -> &str;

    /// The newest stream of this log, as its leader describes it.
    ///
    /// # Errors
    /// When the engine is away.
    async fn find(&self) -> Result<Option<Found>, Away>;

    /// Makes a stream, unless there is one of that name already. Who wants to know what came of it asks
    /// [`Self::find`].
    ///
    /// # Errors
    /// When the engine is away or cannot make such a stream.
    async fn create(&self, origin: &Origin) -> Result<(), Away>;

    /// Lets a stream take nothing more, for ever.
    ///
    /// # Errors
    /// When the engine is away.
    async fn seal(&self, stream: &Origin) -> Result<(), Away>;

    /// Adds a message to the stream and returns its number once it is durable in a majority of the
    /// servers. With `expected`, only as message number `expected`.
    ///
    /// # Errors
    /// See [`PublishError`].
    async fn publish(
        &self,
        stream: &Origin,
        message: Bytes,
        expected: Option<u64>,
    ) -> Result<u64, PublishError>;

    /// Some messages from `from` on, in their order, of about `max_bytes`, from whichever server is
    /// near. It may be behind, so that nothing given means nothing known.
    ///
    /// # Errors
    /// When the engine is away.
    async fn fetch(
        &self,
        stream: &Origin,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<Message>, Away>;

    /// One message from the stream's leader; `None` when it has none of that number.
    ///
    /// # Errors
    /// When the engine is away.
    async fn get(&self, stream: &Origin, seq: u64) -> Result<Option<Message>, Away>;

    /// Drops the messages before `keep_from`.
    ///
    /// # Errors
    /// When the engine is away.
    async fn purge(&self, stream: &Origin, keep_from: u64) -> Result<(), Away>;

    /// Asks that the server called `server` lead the stream.
    ///
    /// # Errors
    /// When the engine is away or does not let it.
    async fn lead_from(&self, stream: &Origin, server: &str) -> Result<(), Away>;

    /// What the stream's leader tells of as soon as a majority has it: one message or several. Nobody relies on it: any may
    /// be lost. It may never return, and loses nothing when it is given up; it must be asked again and again.
    async fn told(&self, stream: &Origin) -> Vec<Message>;
}
