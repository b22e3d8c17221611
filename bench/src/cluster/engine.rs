//! The engine alone: three servers, a stream of three replicas, and nothing of ours.

use crate::talk::Tally;
use anyhow::{Context, Result, ensure};
use async_nats::{Client, Request};
use bongsu_test_nats::Servers;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// About how long a message's record is in the log, in bytes.
const RECORD: f64 = 330.0;
/// How many entries each of three gateways has on their way at the same time.
const IN_FLIGHT: usize = 2;
const GATEWAYS: usize = 3;
const SUBJECT: &str = "bench.entries";

pub struct Engine {
    clients: Vec<Client>,
    _servers: Servers,
}

impl Engine {
    pub async fn start() -> Result<Self> {
        let servers = Servers::start(GATEWAYS);
        let mut clients = Vec::new();
        for site in 0..GATEWAYS {
            let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
            clients.push(options.connect(servers.urls(site)).await?);
        }
        let engine = Self {
            clients,
            _servers: servers,
        };
        engine.create_stream().await?;
        Ok(engine)
    }

    async fn create_stream(&self) -> Result<()> {
        let stream = json!({
            "name": "bench", "subjects": [SUBJECT], "num_replicas": GATEWAYS, "storage": "file",
            "retention": "limits", "discard": "old", "max_msgs": -1, "max_bytes": -1,
        });
        let body = Bytes::from(stream.to_string());
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let asked = self.clients[0].request("$JS.API.STREAM.CREATE.bench", body.clone());
            // The servers elect whom to ask first.
            if let Ok(answer) = asked.await
                && let Ok(answer) = serde_json::from_slice::<Value>(&answer.payload)
                && answer["error"].is_null()
            {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the engine makes no stream");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// As many entries as `senders` would have on their way at the same time, of `each` messages, for `span`.
    /// Each counts as its messages.
    pub async fn round(&self, senders: usize, each: f64, span: Duration) -> Result<Tally> {
        let entry = Bytes::from(vec![b'x'; (RECORD * each) as usize]);
        let flights = senders.min(GATEWAYS * IN_FLIGHT);
        let begun = Instant::now();
        let tasks: Vec<_> = (0..flights)
            .map(|flight| {
                let client = self.clients[flight % GATEWAYS].clone();
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
