//! The engine alone: the cluster's own servers, over the same connections, with a stream that nothing of ours reads and whose
//! leader stands where talk's does.

use super::platform::{Platform, SITES};
use crate::talk::Tally;
use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions, Request};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// About how long a message's record is in the log, in bytes.
const RECORD: f64 = 330.0;
/// How many entries each gateway has on its way at the same time.
const IN_FLIGHT: usize = 2;
const SUBJECT: &str = "bench.entries";
/// How long the stream may take to stand as it should.
const MADE_WITHIN: Duration = Duration::from_secs(60);

pub struct Engine {
    /// One in each data centre.
    clients: Vec<Client>,
}

impl Engine {
    pub async fn start(platform: &Platform) -> Result<Self> {
        let mut clients = Vec::new();
        for site in 0..SITES {
            let name = format!("dc{}", site + 1);
            let trust = |file: &str| platform.trust().join(file);
            let (certificate, key) = (trust(&format!("{name}.pem")), trust(&format!("{name}.key")));
            let client = ConnectOptions::new()
                .retry_on_initial_connect()
                .require_tls(true)
                .add_root_certificates(trust("authority.pem"))
                .add_client_certificate(certificate, key)
                .connect(platform.engine(site))
                .await?;
            clients.push(client);
        }
        let engine = Self { clients };
        let stream = json!({
            "name": "bench", "subjects": [SUBJECT], "num_replicas": SITES, "storage": "file",
            "retention": "limits", "discard": "old", "max_msgs": -1, "max_bytes": -1,
        });
        let deadline = Instant::now() + MADE_WITHIN;
        while !engine.api("STREAM.CREATE.bench", &stream).await?["error"].is_null() {
            ensure!(Instant::now() < deadline, "the engine makes no stream");
            sleep(Duration::from_millis(200)).await;
        }
        while !engine.is_led_as_talk().await? {
            ensure!(Instant::now() < deadline, "the stream gets no leader");
            sleep(Duration::from_millis(200)).await;
        }
        Ok(engine)
    }

    async fn api(&self, what: &str, body: &Value) -> Result<Value> {
        let body = Bytes::from(body.to_string());
        let asked = self.clients[0].request(format!("$JS.API.{what}"), body);
        Ok(serde_json::from_slice(&asked.await?.payload)?)
    }

    /// Whether the stream is led from where talk's log is; asks for it where it is not.
    async fn is_led_as_talk(&self) -> Result<bool> {
        let talk = self.api("STREAM.INFO.bongsu-talk-0-0", &json!({})).await?;
        let own = self.api("STREAM.INFO.bench", &json!({})).await?;
        let leader = &talk["cluster"]["leader"];
        if leader.is_string() && own["cluster"]["leader"] == *leader {
            return Ok(true);
        }
        let wanted = json!({ "placement": { "preferred": leader } });
        self.api("STREAM.LEADER.STEPDOWN.bench", &wanted).await?;
        Ok(false)
    }

    /// As many entries as `senders` would have on their way at the same time, of `each` messages, for `span`.
    /// Each counts as its messages.
    pub async fn round(&self, senders: usize, each: f64, span: Duration) -> Result<Tally> {
        let entry = Bytes::from(vec![b'x'; (RECORD * each) as usize]);
        let flights = senders.min(SITES * IN_FLIGHT);
        let begun = Instant::now();
        let tasks: Vec<_> = (0..flights)
            .map(|flight| {
                let client = self.clients[flight % SITES].clone();
                let entry = entry.clone();
                tokio::spawn(async move {
                    let mut latencies = Vec::new();
                    while begun.elapsed() < span {
                        let asked = Instant::now();
                        let request = Request::new().payload(entry.clone());
                        let answer = client.send_request(SUBJECT, request).await?;
                        let answer: Value = serde_json::from_slice(&answer.payload)?;
                        answer["seq"].as_u64().context("an entry was not taken")?;
                        latencies.push(asked.elapsed());
                    }
                    anyhow::Ok(latencies)
                })
            })
            .collect();
        let mut tally = Tally::default();
        for task in tasks {
            tally.add(Tally::of(task.await??, each));
        }
        tally.lasted(begun.elapsed());
        Ok(tally)
    }
}
