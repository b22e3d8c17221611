//! Fetching messages from the near server (NATS ADR-31, batched Direct Get).
//!
//! Every server with a replica answers, and a connected server's own replica before others. The answers
//! of a request come to an inbox of its own, so that a late one is not taken for another's.

use super::{Nats, api, time};
use crate::jetstream::engine::{Away, Message};
use async_nats::{StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Messages asked for at once.
const BATCH: usize = 1_024;
/// The end of a batch.
const END: u16 = 204;

pub(super) struct Near {
    nats: Nats,
    /// Kept between requests, unless one went wrong.
    inbox: Mutex<Option<Inbox>>,
}

struct Inbox {
    prefix: String,
    requests: u64,
    answers: Subscriber,
}

/// One answer to a request.
enum Piece {
    Message(Message),
    End,
}

impl Near {
    pub fn new(nats: Nats) -> Self {
        let inbox = Mutex::default();
        Self { nats, inbox }
    }

    /// Messages of the stream called `stream` from `from` on.
    pub async fn fetch(
        &self,
        stream: &str,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<Message>, Away> {
        if !self.nats.is_connected() {
            return Err(Away("no server of the engine can be reached".to_owned()));
        }
        let mut slot = self.inbox.lock().await;
        let mut inbox = match slot.take() {
            Some(inbox) => inbox,
            None => self.open().await?,
        };
        let (messages, outcome) = self.ask(&mut inbox, stream, from, max_bytes).await;
        match outcome {
            Ok(()) => *slot = Some(inbox),
            // Those that came are as good as any.
            Err(_) if !messages.is_empty() => {}
            Err(away) => return Err(away),
        }
        Ok(messages)
    }

    async fn open(&self) -> Result<Inbox, Away> {
        let prefix = self.nats.client.new_inbox();
        let subscribed = self.nats.client.subscribe(format!("{prefix}.*")).await;
        let answers = subscribed.map_err(|error| Away(error.to_string()))?;
        Ok(Inbox {
            prefix,
            requests: 0,
            answers,
        })
    }

    async fn ask(
        &self,
        inbox: &mut Inbox,
        stream: &str,
        from: u64,
        max_bytes: usize,
    ) -> (Vec<Message>, Result<(), Away>) {
        inbox.requests += 1;
        let reply = format!("{}.{}", inbox.prefix, inbox.requests);
        let request = api::DirectGet {
            seq: from,
            batch: BATCH,
            max_bytes,
        };
        let payload = serde_json::to_vec(&request).expect("numbers are plain data");
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let mut messages = Vec::new();
        let sent =
            self.nats
                .client
                .publish_with_reply(subject, reply.clone(), Bytes::from(payload));
        match timeout(self.nats.ask_within, sent).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return (messages, Err(Away(error.to_string()))),
            Err(_) => return (messages, Err(Away("the connection is stuck".to_owned()))),
        }
        loop {
            let answer = match timeout(self.nats.ask_within, inbox.answers.next()).await {
                Ok(Some(answer)) if answer.subject.as_str() != reply => continue,
                Ok(Some(answer)) => answer,
                Ok(None) => return (messages, Err(Away("the inbox was closed".to_owned()))),
                Err(_) => {
                    let why = "the near server gave no answer in time".to_owned();
                    return (messages, Err(Away(why)));
                }
            };
            match piece(answer) {
                Ok(Piece::Message(message)) => messages.push(message),
                Ok(Piece::End) => return (messages, Ok(())),
                Err(away) => return (messages, Err(away)),
            }
        }
    }
}

fn piece(answer: async_nats::Message) -> Result<Piece, Away> {
    let status = answer.status.map(|status| status.as_u16());
    if let Some(status) = status {
        let missing = StatusCode::NOT_FOUND.as_u16();
        return if status == END || status == missing {
            Ok(Piece::End)
        } else {
            let what = answer.description.unwrap_or_default();
            Err(Away(format!("the near server says {status} {what}")))
        };
    }
    match message(answer) {
        Some(message) => Ok(Piece::Message(message)),
        None => Err(Away("the near server's answer is malformed".to_owned())),
    }
}

/// A message of a stream, as it comes over the wire: number and time stand in its headers.
pub(super) fn message(wire: async_nats::Message) -> Option<Message> {
    let headers = wire.headers.as_ref()?;
    let header = |name: &str| headers.get(name).map(|value| value.as_str());
    Some(Message {
        seq: header("Nats-Sequence")?.parse().ok()?,
        time: time::parse(header("Nats-Time-Stamp")?)?,
        payload: wire.payload,
    })
}
