//! JetStream's API as it goes over the wire: what is asked, and what is answered.

use super::super::origin::Origin;
use super::Layout;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Error codes of the engine (`server/errors.json` of nats-server).
pub(super) mod code {
    /// JetStream system temporarily unavailable.
    pub const UNAVAILABLE: u32 = 10_008;
    /// JetStream cluster cannot handle request.
    pub const NOT_LEADER: u32 = 10_009;
    /// Insufficient resources.
    pub const RESOURCES: u32 = 10_023;
    /// No message found.
    pub const NO_MESSAGE: u32 = 10_037;
    /// Insufficient storage resources available.
    pub const STORAGE: u32 = 10_047;
    /// Message size exceeds maximum allowed.
    pub const TOO_LARGE: u32 = 10_054;
    /// Stream name already in use with a different configuration.
    pub const NAME_IN_USE: u32 = 10_058;
    /// Wrong last sequence.
    pub const WRONG_LAST: u32 = 10_071;
    /// Invalid operation on sealed stream.
    pub const SEALED: u32 = 10_109;
}

/// What the engine could not do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ApiError {
    /// As of HTTP; 429 for too many requests.
    #[serde(default)]
    pub code: u16,
    #[serde(default)]
    pub err_code: u32,
    #[serde(default)]
    pub description: String,
}

/// An answer, or an error in its place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Answer<T> {
    Error { error: ApiError },
    Done(T),
}

/// Any answer that only says that it was done.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// The acknowledgement of a message.
#[derive(Debug, Deserialize)]
pub(super) struct PubAck {
    pub stream: String,
    pub seq: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Names {
    pub streams: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Info {
    pub config: Value,
    pub state: State,
    pub cluster: Option<Cluster>,
}

#[derive(Debug, Deserialize)]
pub(super) struct State {
    pub bytes: u64,
    pub first_seq: u64,
    pub last_seq: u64,
    #[serde(default)]
    pub num_deleted: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cluster {
    pub leader: Option<String>,
    #[serde(default)]
    pub replicas: Vec<Replica>,
}

impl Cluster {
    /// A server without others, which tells of no cluster.
    pub fn of_one() -> Self {
        Self {
            leader: Some(String::new()),
            replicas: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Replica {
    #[serde(default)]
    pub current: bool,
    #[serde(default)]
    pub offline: bool,
    /// How long ago its leader heard of it, in nanoseconds.
    #[serde(default)]
    pub active: u64,
}

/// The parts of a stream's configuration on which the log depends.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub sealed: bool,
    #[serde(default)]
    retention: String,
    #[serde(default)]
    storage: String,
    #[serde(default)]
    num_replicas: u8,
    #[serde(default)]
    allow_direct: bool,
    #[serde(default)]
    deny_delete: bool,
    #[serde(default)]
    republish: Option<Value>,
    #[serde(default)]
    max_msgs: i64,
    #[serde(default)]
    max_bytes: i64,
    #[serde(default)]
    max_age: i64,
}

impl Config {
    /// What about it is not as a log needs it.
    pub fn weakness(&self, layout: &Layout) -> Option<String> {
        let limited = |limit: i64| limit > 0;
        let weak = if self.retention != "limits" || self.storage != "file" {
            "it does not keep its messages in files"
        } else if limited(self.max_msgs) || limited(self.max_bytes) || limited(self.max_age) {
            "it drops messages by itself"
        } else if self.num_replicas < layout.replicas {
            "it has fewer replicas than were asked for"
        } else if !self.allow_direct {
            "it does not let its replicas be read"
        } else if !self.deny_delete {
            "it lets single messages be deleted"
        } else if self.republish.is_none() {
            "it does not tell of what it takes, so that the sites see it later"
        } else {
            return None;
        };
        Some(format!("the stream's configuration: {weak}"))
    }
}

/// The configuration of a new stream that takes messages on one subject and tells of them on another.
pub(super) fn config(
    name: &str,
    (subject, tale): (&str, &str),
    origin: &Origin,
    layout: &Layout,
) -> Value {
    let mut config = json!({
        "name": name,
        "subjects": [subject],
        "retention": "limits",
        "storage": "file",
        "num_replicas": layout.replicas,
        "discard": "new",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": -1,
        "duplicate_window": 1_000_000_000_u64,
        "compression": "none",
        "allow_direct": true,
        "republish": { "src": subject, "dest": tale },
        "deny_delete": true,
        "metadata": origin.to_metadata(),
    });
    if !layout.tags.is_empty() {
        config["placement"] = json!({ "tags": layout.tags });
    }
    config
}

#[derive(Debug, Deserialize)]
pub(super) struct Got {
    pub message: GotMessage,
}

#[derive(Debug, Deserialize)]
pub(super) struct GotMessage {
    pub seq: u64,
    #[serde(default)]
    pub data: String,
    pub time: String,
}

/// A request to the near server for some messages (NATS ADR-31).
#[derive(Debug, Serialize)]
pub(super) struct DirectGet {
    pub seq: u64,
    pub batch: usize,
    pub max_bytes: usize,
}
