//! The power fails fifty times while sixteen devices send; every acknowledged message is there.

use anyhow::{Context, Result, bail, ensure};
use bongsu_clients::{Answer, Device, Message, Server};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;
use tokio::time::sleep;

const ROUNDS: usize = 50;
const SENDERS: usize = 16;
/// How long a round sends before the power fails, in milliseconds.
const LOAD: std::ops::Range<u64> = 100..400;

/// A message that was sent, and the event's id once the server has acknowledged it.
#[derive(Debug, Clone)]
struct Sent {
    text: String,
    event: Option<String>,
}

/// One device and all that it ever sent. The text is the transaction id too.
#[derive(Debug)]
struct Sender {
    number: usize,
    device: Device,
    room: String,
    sent: Vec<Sent>,
}

impl Sender {
    /// Sends until the power fails, beginning with what got no answer in the round before.
    async fn work(mut self, round: usize, base: String) -> Result<Self> {
        self.device = self.device.at(&base);
        if !self.repeat_last().await? {
            return Ok(self);
        }
        for count in 0.. {
            let text = format!("round {round} sender {} message {count}", self.number);
            self.sent.push(Sent { text, event: None });
            if !self.repeat_last().await? {
                break;
            }
        }
        Ok(self)
    }

    /// Sends the newest message (again); whether there was an answer. One that was acknowledged
    /// already must be acknowledged with the same event.
    async fn repeat_last(&mut self) -> Result<bool> {
        let Some(last) = self.sent.last_mut() else {
            return Ok(true);
        };
        let transaction = last.text.replace(' ', "-");
        let event = match self
            .device
            .try_send(&self.room, &transaction, &last.text)
            .await
        {
            Answer::Done(body) => body["event_id"].as_str().context("no event id")?.to_owned(),
            Answer::Nothing => return Ok(false),
            Answer::Refused(status, body) => bail!("{transaction} was refused: {status} {body}"),
        };
        if let Some(known) = &last.event {
            ensure!(
                *known == event,
                "{transaction} gave {known} first and {event} when repeated"
            );
        }
        last.event = Some(event);
        Ok(true)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_power_losses_lose_nothing() -> Result<()> {
    let seed = seed()?;
    eprintln!("seed {seed}; repeat with BONGSU_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut server = Server::start().await?;
    let (mut senders, readers) = gather(&server).await?;
    for round in 0..ROUNDS {
        let load = Duration::from_millis(random.u64(LOAD));
        senders = send_until_the_power_fails(&mut server, senders, round, load).await?;
        server
            .restart()
            .await
            .with_context(|| format!("after round {round}"))?;
    }
    for sender in &mut senders {
        sender.device = sender.device.at(&server.base_url());
        ensure!(
            sender.repeat_last().await?,
            "sender {} got no answer at last",
            sender.number
        );
    }
    compare(&senders, &readers, &server).await?;
    server.stop().await?;
    let verified = server.command("verify")?;
    ensure!(
        verified.code == 0,
        "verify found damage:\n{}",
        verified.text
    );
    Ok(())
}

/// What chance begins with: `BONGSU_SEED`, or the hour.
fn seed() -> Result<u64> {
    if let Ok(seed) = std::env::var("BONGSU_SEED") {
        return seed.parse().context("BONGSU_SEED is a whole number");
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed that nobody chose, printed for a repeat"
    )]
    let now = SystemTime::now();
    Ok(now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

/// Two people with eight devices each in one room, and a device of each to read with.
async fn gather(server: &Server) -> Result<(Vec<Sender>, [Device; 2])> {
    let base = server.base_url();
    let alice = Device::register(&base, "alice").await?;
    let bob = Device::register(&base, "bob").await?;
    let room = alice.create_room().await?;
    bob.join(&room).await?;
    let mut senders = Vec::new();
    for number in 0..SENDERS {
        let device = Device::login(&base, ["alice", "bob"][number % 2]).await?;
        senders.push(Sender {
            number,
            device,
            room: room.clone(),
            sent: Vec::new(),
        });
    }
    Ok((senders, [alice, bob]))
}

async fn send_until_the_power_fails(
    server: &mut Server,
    senders: Vec<Sender>,
    round: usize,
    load: Duration,
) -> Result<Vec<Sender>> {
    let mut working = JoinSet::new();
    for sender in senders {
        working.spawn(sender.work(round, server.base_url()));
    }
    sleep(load).await;
    server.kill9()?;
    let mut senders = Vec::new();
    while let Some(sender) = working.join_next().await {
        senders.push(sender??);
    }
    senders.sort_by_key(|sender| sender.number);
    Ok(senders)
}

/// Both people read the same messages in the same order: each one that was sent, once, under the id
/// that was acknowledged.
async fn compare(senders: &[Sender], readers: &[Device; 2], server: &Server) -> Result<()> {
    let room = &senders[0].room;
    let base = server.base_url();
    let seen = readers[0].at(&base).history(room).await?;
    let seen_by_other = readers[1].at(&base).history(room).await?;
    ensure!(
        seen == seen_by_other,
        "two people do not read the same messages in the same order"
    );

    let mut found: BTreeMap<&str, &Message> = BTreeMap::new();
    for message in &seen {
        let earlier = found.insert(&message.body, message);
        ensure!(
            earlier.is_none(),
            "twice in the room: {message:?} and {earlier:?}"
        );
    }
    for sent in senders.iter().flat_map(|sender| &sender.sent) {
        let message = found.remove(sent.text.as_str());
        let message = message.with_context(|| format!("lost: {sent:?}"))?;
        ensure!(
            Some(&message.id) == sent.event.as_ref(),
            "{sent:?} is there as {message:?}"
        );
    }
    ensure!(found.is_empty(), "in the room, and never sent: {found:?}");
    for sender in senders {
        ensure_in_order(sender, &seen)?;
    }
    eprintln!("{} messages over {ROUNDS} power losses", seen.len());
    ensure!(
        seen.len() > ROUNDS * SENDERS,
        "too few messages to prove anything: {}",
        seen.len()
    );
    Ok(())
}

/// A device that waits for each answer finds its messages in the order in which it sent them.
fn ensure_in_order(sender: &Sender, seen: &[Message]) -> Result<()> {
    let own = format!(" sender {} ", sender.number);
    let seen = seen
        .iter()
        .map(|message| &message.body)
        .filter(|body| body.contains(&own));
    let sent = sender.sent.iter().map(|sent| &sent.text);
    ensure!(
        seen.eq(sent),
        "the messages of sender {} are out of order",
        sender.number
    );
    Ok(())
}
