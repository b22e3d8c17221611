//! The engine: JetStream's API by request and reply, without a library's consumers or retries.

use super::api::{self, Answer, ApiError, Cluster, Done, Got, Info, Names, PubAck, code};
use super::doubt::Doubt;
use super::near::Near;
use super::told::Told;
use super::{Layout, Nats, time};
use crate::jetstream::engine::{Away, Engine, Found, Message, PublishError, Replicas};
use crate::jetstream::origin::Origin;
use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Request};
use async_trait::async_trait;
use bongsu_base::Partition;
use bytes::Bytes;
use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long a leader in doubt may take to say who follows it.
const LOOK_WITHIN: Duration = Duration::from_millis(300);

/// The log of one lane in JetStream.
pub(super) struct NatsEngine {
    nats: Nats,
    layout: Layout,
    /// The lane and its partition, for messages.
    name: String,
    /// What the names of the log's streams begin with; the epoch follows.
    stream: String,
    /// What the subjects of the log's streams begin with; the epoch and the stream's id follow.
    subject: String,
    /// What the subjects begin with on which the engine tells of what it took.
    tale: String,
    near: Near,
    told: Told,
    doubt: Doubt,
}

impl NatsEngine {
    pub fn new(nats: Nats, lane: &str, partition: Partition, layout: Layout) -> Self {
        let (prefix, partition) = (&layout.prefix, partition.0);
        Self {
            name: format!("{lane}-{partition}"),
            stream: format!("{prefix}-{lane}-{partition}-"),
            subject: format!("{prefix}.log.{lane}.{partition}"),
            near: Near::new(nats.clone()),
            told: Told::new(nats.clone()),
            doubt: Doubt::default(),
            tale: format!("{prefix}.told.{lane}.{partition}"),
            nats,
            layout,
        }
    }

    fn stream(&self, origin: &Origin) -> String {
        format!("{}{}", self.stream, origin.epochs.current())
    }

    /// Where the stream's messages are published. It holds the stream's id, so that nothing meant for
    /// one stream ever gets into another of the same name.
    fn subject(&self, origin: &Origin) -> String {
        format!("{}.{}.{}", self.subject, origin.epochs.current(), origin.id)
    }

    /// Where the engine tells of what the stream took.
    fn tale(&self, origin: &Origin) -> String {
        format!("{}.{}.{}", self.tale, origin.epochs.current(), origin.id)
    }

    /// Asks JetStream's API; an error of its own is an answer.
    async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        request: &Value,
    ) -> Result<Result<T, ApiError>, Away> {
        self.ask_within(what, request, self.nats.ask_within).await
    }

    async fn ask_within<T: DeserializeOwned>(
        &self,
        what: &str,
        request: &Value,
        within: Duration,
    ) -> Result<Result<T, ApiError>, Away> {
        let away = |why: &dyn std::fmt::Display| Away(format!("{what}: {why}"));
        if !self.nats.is_connected() {
            return Err(away(&"no server of the engine can be reached"));
        }
        let payload = Bytes::from(request.to_string());
        let request = Request::new().payload(payload).timeout(Some(within));
        let asked = self
            .nats
            .client
            .send_request(format!("$JS.API.{what}"), request);
        let answer = asked.await.map_err(|error| away(&error))?;
        match serde_json::from_slice(&answer.payload) {
            Ok(Answer::Done(done)) => Ok(Ok(done)),
            Ok(Answer::Error { error }) => Ok(Err(error)),
            Err(error) => Err(away(&error)),
        }
    }

    /// As [`Self::ask`], where an error means that nothing came of it.
    async fn demand<T: DeserializeOwned>(&self, what: &str, request: &Value) -> Result<T, Away> {
        self.ask(what, request)
            .await?
            .map_err(|error| Away(format!("{what}: {}", error.description)))
    }

    async fn info(&self, name: &str) -> Result<Info, Away> {
        self.demand(&format!("STREAM.INFO.{name}"), &json!({}))
            .await
    }

    /// Who leads the stream and who follows, from its leader.
    async fn cluster(&self, stream: &Origin) -> Option<Cluster> {
        let what = format!("STREAM.INFO.{}", self.stream(stream));
        let asked: Result<Info, _> = self.ask_within(&what, &json!({}), LOOK_WITHIN).await.ok()?;
        Some(asked.ok()?.cluster.unwrap_or_else(Cluster::of_one))
    }

    fn found(&self, info: Info) -> Result<Found, Away> {
        let config: api::Config = serde_json::from_value(info.config)
            .map_err(|error| Away(format!("the stream's configuration: {error}")))?;
        let origin = Origin::from_metadata(&config.metadata)
            .map_err(|error| Away(format!("the stream's metadata: {error}")))?;
        if info
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.leader.is_none())
        {
            // Whoever answers then may be behind.
            return Err(Away("the stream has no leader now".to_owned()));
        }
        let followers = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
        let replicas = Replicas {
            all: 1 + followers.clone().count(),
            current: 1 + followers.filter(|follower| follower.current).count(),
        };
        // A server without others tells of no cluster, and is the one that was asked.
        let leader = match info.cluster {
            Some(cluster) => cluster.leader,
            None => self.nats.server(),
        };
        Ok(Found {
            origin,
            first: info.state.first_seq.max(1),
            last: info.state.last_seq,
            removed: info.state.num_deleted,
            bytes: info.state.bytes,
            weakness: config.weakness(&self.layout),
            sealed: config.sealed,
            leader,
            replicas,
        })
    }
}

#[async_trait]
impl Engine for NatsEngine {
    fn name(&self) -> &str {
        &self.name
    }

    async fn find(&self) -> Result<Option<Found>, Away> {
        let ours = json!({ "subject": format!("{}.>", self.subject) });
        let names: Names = self.demand("STREAM.NAMES", &ours).await?;
        let epoch = |name: &String| -> Option<u32> {
            name.strip_prefix(&self.stream)
                .and_then(|epoch| epoch.parse().ok())
        };
        let names = names.streams.unwrap_or_default();
        let newest = names.iter().filter(|name| epoch(name).is_some());
        match newest.max_by_key(|name| epoch(name)) {
            Some(name) => Ok(Some(self.found(self.info(name).await?)?)),
            None => Ok(None),
        }
    }

    async fn create(&self, origin: &Origin) -> Result<(), Away> {
        let name = self.stream(origin);
        let subjects = (&*self.subject(origin), &*self.tale(origin));
        let config = api::config(&name, subjects, origin, &self.layout);
        let what = format!("STREAM.CREATE.{name}");
        match self.ask::<Done>(&what, &config).await? {
            Err(error) if error.err_code != code::NAME_IN_USE => {
                Err(Away(format!("{what}: {}", error.description)))
            }
            _ => Ok(()),
        }
    }

    async fn seal(&self, stream: &Origin) -> Result<(), Away> {
        let name = self.stream(stream);
        let mut config = self.info(&name).await?.config;
        config["sealed"] = Value::Bool(true);
        let what = format!("STREAM.UPDATE.{name}");
        self.demand::<Done>(&what, &config).await.map(|_| ())
    }

    async fn publish(
        &self,
        stream: &Origin,
        message: Bytes,
        expected: Option<u64>,
    ) -> Result<u64, PublishError> {
        if !self.nats.is_connected() {
            let why = "no server of the engine can be reached";
            return Err(PublishError::NobodyThere(why.to_owned()));
        }
        if !self.doubt.lets_through(self.cluster(stream)).await {
            let why = "the stream's leader has lost touch with the others, or there is none";
            return Err(PublishError::NobodyThere(why.to_owned()));
        }
        let mut headers = HeaderMap::new();
        if let Some(expected) = expected {
            headers.insert(
                "Nats-Expected-Last-Sequence",
                expected.saturating_sub(1).to_string(),
            );
        }
        let request = Request::new()
            .payload(message)
            .headers(headers)
            .timeout(Some(self.nats.publish_within));
        let begun = Instant::now();
        let sent = self.nats.client.send_request(self.subject(stream), request);
        let answer = match sent.await {
            Ok(answer) => {
                self.doubt.answered(begun);
                answer
            }
            Err(error) => {
                let why = error.to_string();
                return Err(match error.kind() {
                    RequestErrorKind::NoResponders => {
                        PublishError::NobodyThere("the stream has no leader now".to_owned())
                    }
                    RequestErrorKind::MaxPayloadExceeded | RequestErrorKind::InvalidSubject => {
                        PublishError::Refused(why)
                    }
                    RequestErrorKind::TimedOut | RequestErrorKind::Other => {
                        self.doubt.unanswered(begun);
                        PublishError::Unknown(why)
                    }
                });
            }
        };
        match serde_json::from_slice(&answer.payload) {
            Ok(Answer::Done(PubAck { stream: name, seq })) if name == self.stream(stream) => {
                Ok(seq)
            }
            Ok(Answer::Done(ack)) => Err(PublishError::Unknown(format!(
                "the stream {} took it",
                ack.stream
            ))),
            Ok(Answer::Error { error }) => Err(fate(error)),
            Err(error) => Err(PublishError::Unknown(error.to_string())),
        }
    }

    async fn fetch(
        &self,
        stream: &Origin,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<Message>, Away> {
        self.near.fetch(&self.stream(stream), from, max_bytes).await
    }

    async fn get(&self, stream: &Origin, seq: u64) -> Result<Option<Message>, Away> {
        let what = format!("STREAM.MSG.GET.{}", self.stream(stream));
        let got: Got = match self.ask(&what, &json!({ "seq": seq })).await? {
            Ok(got) => got,
            Err(error) if error.err_code == code::NO_MESSAGE => return Ok(None),
            Err(error) => return Err(Away(format!("{what}: {}", error.description))),
        };
        let malformed = || Away(format!("{what}: the answer is malformed"));
        let payload = BASE64
            .decode(got.message.data.as_bytes())
            .map_err(|_| malformed())?;
        Ok(Some(Message {
            seq: got.message.seq,
            time: time::parse(&got.message.time).ok_or_else(malformed)?,
            payload: payload.into(),
        }))
    }

    async fn purge(&self, stream: &Origin, keep_from: u64) -> Result<(), Away> {
        let what = format!("STREAM.PURGE.{}", self.stream(stream));
        let request = json!({ "seq": keep_from });
        self.demand::<Done>(&what, &request).await.map(|_| ())
    }

    async fn lead_from(&self, stream: &Origin, server: &str) -> Result<(), Away> {
        let what = format!("STREAM.LEADER.STEPDOWN.{}", self.stream(stream));
        let request = json!({ "placement": { "preferred": server } });
        self.demand::<Done>(&what, &request).await.map(|_| ())
    }

    async fn told(&self, stream: &Origin) -> Vec<Message> {
        self.told.next(&self.tale(stream)).await
    }
}

/// What an error in place of an acknowledgement says of the message.
fn fate(error: ApiError) -> PublishError {
    const TOO_MANY_REQUESTS: u16 = 429;
    let why = error.description;
    match error.err_code {
        code::SEALED => PublishError::Sealed,
        code::UNAVAILABLE | code::NOT_LEADER => PublishError::NobodyThere(why),
        code::RESOURCES | code::STORAGE | code::TOO_LARGE | code::WRONG_LAST => {
            PublishError::Refused(why)
        }
        _ if error.code == TOO_MANY_REQUESTS => PublishError::Refused(why),
        // A leader whose own disk failed may have given the message to the others.
        _ => PublishError::Unknown(why),
    }
}
