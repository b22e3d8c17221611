//! The engine beside the platform: who leads its logs, whether they have all their copies, and how long it takes
//! by itself to go on. For that, bare messages are stored in it all the time, in streams like the platform's.

mod probe;

pub use probe::ENGINE;

use crate::cluster::{Cluster, SITES};
use anyhow::{Context, Result, bail};
use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What the streams of the drill are called.
const OURS: &str = "FIRE";
/// How many of them each data centre leads at first: several, since an election is a matter of chance.
const LED: usize = 2;
/// How long one of the engine's servers may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// What lasts longer is no election but somebody who wishes to lead.
const ELECTION: Duration = Duration::from_secs(15);

/// Who was elected to lead which stream, and when.
type Elected = Vec<(Instant, String)>;

/// The engine, seen past all roads that can be cut.
pub struct Engine {
    clients: Vec<Client>,
    /// The platform's streams.
    lanes: Vec<String>,
    elected: Arc<Mutex<Elected>>,
    listening: JoinSet<()>,
}

impl Engine {
    /// Connects to the engine in each data centre, and makes the streams of the drill.
    pub async fn connect(cluster: &Cluster) -> Result<Self> {
        let mut clients = Vec::new();
        for site in 0..SITES {
            let keys = cluster.keys(site)?;
            let client = ConnectOptions::new()
                .name("bongsu-fire")
                .retry_on_initial_connect()
                .ignore_discovered_servers()
                .ping_interval(Duration::from_millis(700))
                .connection_timeout(PATIENCE)
                .reconnect_delay_callback(|_| Duration::from_millis(200))
                .require_tls(true)
                .add_root_certificates(keys.authority)
                .add_client_certificate(keys.certificate, keys.key)
                .connect(cluster.engine(site))
                .await;
            clients.push(client.context("the engine cannot be reached")?);
        }
        let mut engine = Self {
            clients,
            lanes: Vec::new(),
            elected: Arc::default(),
            listening: JoinSet::new(),
        };
        engine.listen().await?;
        let all = engine.ask("STREAM.NAMES", &json!({})).await?;
        let names = all["streams"].as_array().into_iter().flatten();
        engine.lanes = names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        for name in probe::names() {
            let config = json!({
                "name": name, "subjects": [probe::subject(&name)], "retention": "limits",
                "storage": "file", "num_replicas": SITES, "max_msgs": 1000, "discard": "old",
            });
            engine
                .ask(&format!("STREAM.CREATE.{name}"), &config)
                .await?;
        }
        Ok(engine)
    }

    /// Hears who is elected (the engine's advisories).
    async fn listen(&mut self) -> Result<()> {
        for client in &self.clients {
            let subject = "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.>";
            let mut heard = client.subscribe(subject).await?;
            let elected = self.elected.clone();
            self.listening.spawn(async move {
                while let Some(message) = heard.next().await {
                    let said: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
                    if let Some(stream) = said["stream"].as_str() {
                        elected.lock().push((Instant::now(), stream.to_owned()));
                    }
                }
            });
        }
        Ok(())
    }

    /// Asks the engine's interface, at whichever data centre answers.
    async fn ask(&self, what: &str, request: &Value) -> Result<Value> {
        let mut last = String::new();
        for client in &self.clients {
            let asked = client.request(format!("$JS.API.{what}"), request.to_string().into());
            match timeout(PATIENCE, asked).await {
                Ok(Ok(answer)) => {
                    let answer: Value = serde_json::from_slice(&answer.payload)?;
                    if answer["error"].is_null() {
                        return Ok(answer);
                    }
                    last = answer["error"].to_string();
                }
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => "no answer".clone_into(&mut last),
            }
        }
        bail!("{what}: {last}")
    }

    /// Which data centre leads each of the platform's streams, by its name.
    pub async fn leaders(&self) -> Result<BTreeMap<String, String>> {
        let mut leaders = BTreeMap::new();
        for lane in &self.lanes {
            let info = self.ask(&format!("STREAM.INFO.{lane}"), &json!({})).await?;
            let leader = info["cluster"]["leader"].as_str();
            leaders.insert(
                lane.clone(),
                leader.context("a stream has no leader")?.to_owned(),
            );
        }
        Ok(leaders)
    }

    /// The first of the platform's streams that is not in every data centre, of those that were not in `whole`
    /// before; the others are noted there. A stream that is written to all the time is current for moments only.
    pub async fn lacks(&self, whole: &mut BTreeSet<String>) -> Option<String> {
        for lane in &self.lanes {
            if whole.contains(lane) {
                continue;
            }
            let Ok(info) = self.ask(&format!("STREAM.INFO.{lane}"), &json!({})).await else {
                return Some(format!("{lane} has no leader"));
            };
            let replicas = info["cluster"]["replicas"].as_array();
            let current = |replica: &Value| {
                let is = |name: &str| replica[name].as_bool().unwrap_or(false);
                is("current") && !is("offline")
            };
            let all = replicas.is_some_and(|all| all.len() == SITES - 1 && all.iter().all(current));
            if !all || info["cluster"]["leader"].is_null() {
                return Some(format!("{lane} is not current everywhere"));
            }
            whole.insert(lane.clone());
        }
        None
    }

    /// How long after `when` the first of the platform's streams in `led` had another leader, at the latest.
    pub fn elected_after(&self, when: Instant, led: &[String]) -> Duration {
        let elected = self.elected.lock();
        let first = |lane: &String| {
            let of = elected
                .iter()
                .filter(|(at, stream)| stream == lane && *at > when);
            of.map(|(at, _)| *at - when).min()
        };
        let spans = led.iter().filter_map(first);
        spans
            .filter(|span| *span < ELECTION)
            .max()
            .unwrap_or_default()
    }

    /// Forgets who was elected so far.
    pub fn forget(&self) {
        self.elected.lock().clear();
    }
}
