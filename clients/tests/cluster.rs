//! Data centres burn, are cut off, are wiped and come back while people talk; nothing acknowledged is lost.

use anyhow::{Context, Result, bail, ensure};
use bongsu_clients::{Answer, Cluster, Device, Message};
use reqwest::StatusCode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Devices that send at the same time, two of each data centre.
const SENDERS: usize = 6;
/// How long everything goes well between two misfortunes.
const CALM: Duration = Duration::from_secs(2);

/// A message that was acknowledged: its text and the event's id.
type Acknowledged = BTreeMap<String, String>;

/// Somebody who goes on sending whatever happens, to whichever data centre answers.
struct Sender {
    number: usize,
    device: Device,
    room: String,
    sites: Vec<String>,
}

impl Sender {
    /// Sends until `over`; gives what was acknowledged.
    async fn work(self, over: Arc<AtomicBool>) -> Result<Acknowledged> {
        let mut acknowledged = Acknowledged::new();
        let mut site = self.number % self.sites.len();
        for count in 0.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let text = format!("sender-{}-message-{count}", self.number);
            // The same transaction, wherever it is asked for, is one message.
            let event = loop {
                let device = self.device.at(&self.sites[site]);
                match device.try_send(&self.room, &text, &text).await {
                    Answer::Done(body) => {
                        break body["event_id"].as_str().context("no id")?.to_owned();
                    }
                    Answer::Refused(status, body)
                        if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
                    {
                        bail!("{text} was refused: {status} {body}")
                    }
                    Answer::Refused(..) | Answer::Nothing => site = (site + 1) % self.sites.len(),
                }
            };
            acknowledged.insert(text, event);
        }
        Ok(acknowledged)
    }
}

/// People who talk in one room through all data centres.
struct Talk {
    room: String,
    readers: Vec<Device>,
    over: Arc<AtomicBool>,
    working: JoinSet<Result<Acknowledged>>,
}

impl Talk {
    async fn begin(cluster: &Cluster) -> Result<Self> {
        let sites: Vec<String> = (1..=3).map(|site| cluster.base_url(site)).collect();
        let first = Device::register(&sites[0], "alice").await?.hasty()?;
        let room = first.create_room().await?;
        let over = Arc::new(AtomicBool::new(false));
        let mut working = JoinSet::new();
        for number in 0..SENDERS {
            // An account of one data centre signs in at every other.
            let device = Device::login(&sites[number % 3], "alice").await?.hasty()?;
            let sender = Sender {
                number,
                device,
                room: room.clone(),
                sites: sites.clone(),
            };
            working.spawn(sender.work(over.clone()));
        }
        let readers = sites.iter().map(|site| first.at(site)).collect();
        Ok(Self {
            room,
            readers,
            over,
            working,
        })
    }

    /// Ends it, and sees that every data centre shows every acknowledged message once, in one order.
    async fn end(mut self) -> Result<usize> {
        self.over.store(true, Ordering::Relaxed);
        let mut acknowledged = Acknowledged::new();
        while let Some(done) = self.working.join_next().await {
            acknowledged.extend(done??);
        }
        let mut seen: Vec<Vec<Message>> = Vec::new();
        for reader in &self.readers {
            seen.push(complete(reader, &self.room, &acknowledged).await?);
        }
        ensure!(
            seen[0] == seen[1] && seen[1] == seen[2],
            "data centres show another order"
        );
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for message in &seen[0] {
            let earlier = found.insert(&message.body, &message.id);
            ensure!(earlier.is_none(), "twice in the room: {message:?}");
        }
        for (text, event) in &acknowledged {
            ensure!(
                found.get(text.as_str()) == Some(&event.as_str()),
                "lost: {text}, acknowledged as {event}"
            );
        }
        Ok(acknowledged.len())
    }
}

/// The room's history as one data centre shows it, once it has come as far as what was acknowledged.
async fn complete(reader: &Device, room: &str, all: &Acknowledged) -> Result<Vec<Message>> {
    for _ in 0..600 {
        if let Ok(history) = reader.history(room).await
            && history.len() >= all.len()
        {
            return Ok(history);
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("a data centre does not catch up")
}

/// Returns once the data centre shows what its release knows, since all of them have it.
async fn upgraded(base: &str) -> Result<()> {
    let mut seen = serde_json::Value::Null;
    for _ in 0..600 {
        let answer = reqwest::get(format!("{base}/health/ready")).await?;
        seen = answer.json().await?;
        let domains = seen["domains"].as_array().context("no domains")?;
        let all = |domain: &serde_json::Value| {
            domain["knows"].as_u64() > Some(1) && domain["behaviour"] == domain["knows"]
        };
        if domains.iter().all(all) {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("it waits to show what all know: {seen}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_centres_burn_are_cut_off_wiped_and_restarted_and_nothing_is_lost() -> Result<()> {
    let mut cluster = Cluster::start(21).await?;
    let talk = Talk::begin(&cluster).await?;
    sleep(CALM).await;
    for site in 1..=3 {
        let (burnt, ready) = (format!("dc{site} burnt"), format!("dc{site} ready"));
        cluster.order(&format!("burn dc{site}"), &burnt).await?;
        sleep(CALM).await;
        cluster.order(&format!("heal dc{site}"), &ready).await?;
    }
    cluster.order("cut dc2", "dc2 cut off").await?;
    sleep(CALM).await;
    cluster.order("heal dc2", "dc2 ready").await?;
    cluster.order("wipe dc3", "dc3 burnt").await?;
    sleep(CALM).await;
    cluster.order("heal dc3", "dc3 ready").await?;
    for site in 1..=3 {
        let before = cluster.said().len();
        for program in ["nats", "bongsu"] {
            cluster.restart(site, program)?;
            let ended = format!("dc{site} {program} ended");
            cluster.wait_for(&ended, before).await?;
        }
        let ended = cluster.said().len();
        let ready = format!("dc{site} ready");
        cluster.wait_for(&ready, ended).await?;
    }
    sleep(CALM).await;
    for site in 1..=3 {
        upgraded(&cluster.base_url(site)).await?;
    }
    let acknowledged = talk.end().await?;
    eprintln!("{acknowledged} messages");
    ensure!(acknowledged > 100, "too few messages to prove anything");
    let verified = cluster.command(1, &["verify", "--all-sites"])?;
    ensure!(
        verified.code == 0,
        "the data centres disagree:\n{}",
        verified.text
    );
    cluster.stop().await?;
    for site in 1..=3 {
        let verified = cluster.command(site, &["verify"])?;
        ensure!(verified.code == 0, "dc{site}:\n{}", verified.text);
    }
    Ok(())
}
