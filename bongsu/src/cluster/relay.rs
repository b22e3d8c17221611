//! The roads between data centres on one machine: every connection from one to another runs through a relay,
//! which can hold it up, slow it down, or let nothing pass.
//!
//! What a road holds back is not lost: like packets on a real line it arrives once the line is good again,
//! unless those who wait for it have given up.

use anyhow::{Context, Result};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// How much a relay reads at once.
const PIECE: usize = 32 * 1024;
/// How many pieces are on one road at most; what comes after waits at its sender.
const ON_THE_ROAD: usize = 64;
/// How long a relay tries to reach the other end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How one direction between two data centres is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Whether anything passes.
    pub open: bool,
    /// How long everything takes.
    pub delay: Duration,
}

impl Condition {
    /// As it is on one machine.
    pub const GOOD: Self = Self {
        open: true,
        delay: Duration::ZERO,
    };
}

/// The conditions of all roads: from which data centre to which.
#[derive(Debug, Clone)]
pub struct Roads {
    conditions: Arc<BTreeMap<(usize, usize), watch::Sender<Condition>>>,
}

impl Roads {
    /// Good roads between `sites` data centres, numbered from 1.
    pub fn new(sites: usize) -> Self {
        let pairs = (1..=sites).flat_map(|from| (1..=sites).map(move |to| (from, to)));
        let conditions = pairs
            .filter(|(from, to)| from != to)
            .map(|pair| (pair, watch::Sender::new(Condition::GOOD)))
            .collect();
        Self {
            conditions: Arc::new(conditions),
        }
    }

    /// Lets nothing pass to and from `site`.
    pub fn cut(&self, site: usize) {
        self.change(site, |_, road| road.open = false);
    }

    /// Lets nothing pass that `site` says; it goes on hearing the others.
    pub fn mute(&self, site: usize) {
        self.change(site, |from, road| road.open = from != site);
    }

    /// Lets everything to and from `site` take this long.
    pub fn slow(&self, site: usize, delay: Duration) {
        self.change(site, |_, road| road.delay = delay);
    }

    /// All roads to and from `site` are good again.
    pub fn heal(&self, site: usize) {
        self.change(site, |_, road| *road = Condition::GOOD);
    }

    fn change(&self, site: usize, change: impl Fn(usize, &mut Condition)) {
        for ((from, to), road) in &*self.conditions {
            if *from == site || *to == site {
                road.send_modify(|road| change(*from, road));
            }
        }
    }

    /// Whether anything passes to or from `site`.
    pub fn is_cut(&self, site: usize) -> bool {
        let mut roads = self
            .conditions
            .iter()
            .filter(|(pair, _)| pair.0 == site || pair.1 == site);
        roads.all(|(_, condition)| !condition.borrow().open)
    }

    fn between(&self, from: usize, to: usize) -> watch::Receiver<Condition> {
        self.conditions[&(from, to)].subscribe()
    }
}

/// A relay at `listen` for what data centre `from` says to `target` in data centre `to`.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    /// From where.
    pub from: usize,
    /// To where.
    pub to: usize,
    /// Where it is connected to.
    pub listen: SocketAddr,
    /// Whither it connects.
    pub target: SocketAddr,
}

/// Opens `relays`; they live as long as what is returned.
pub async fn open(relays: &[Relay], roads: &Roads) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    for relay in relays {
        let listener = TcpListener::bind(relay.listen)
            .await
            .with_context(|| format!("{} is in use; choose another --port", relay.listen))?;
        tasks.spawn(accept(listener, *relay, roads.clone()));
    }
    Ok(tasks)
}

async fn accept(listener: TcpListener, relay: Relay, roads: Roads) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((near, _)) = listener.accept().await else {
            continue;
        };
        let there = roads.between(relay.from, relay.to);
        let back = roads.between(relay.to, relay.from);
        connections.spawn(connect(near, relay.target, there, back));
    }
}

async fn connect(
    near: TcpStream,
    target: SocketAddr,
    mut there: watch::Receiver<Condition>,
    back: watch::Receiver<Condition>,
) {
    // Nothing of a connection arrives while the road is cut, not even that somebody connects.
    if there.wait_for(|condition| condition.open).await.is_err() {
        return;
    }
    let Ok(Ok(far)) = timeout(PATIENCE, TcpStream::connect(target)).await else {
        return;
    };
    // A relay that gathers small pieces would be slower than the line it stands for; without the option
    // the connection works all the same.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::join!(
        carry(near_read, far_write, there),
        carry(far_read, near_write, back)
    );
}

/// Carries one direction of one connection until it ends.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut condition: watch::Receiver<Condition>,
) {
    let (sender, mut road) = mpsc::channel::<(Instant, Bytes)>(ON_THE_ROAD);
    let delays = condition.clone();
    let read = async move {
        let mut piece = vec![0; PIECE];
        while let Ok(length) = from.read(&mut piece).await {
            let due = Instant::now() + delays.borrow().delay;
            let bytes = Bytes::copy_from_slice(&piece[..length]);
            // An empty piece says that nothing follows.
            if sender.send((due, bytes)).await.is_err() || length == 0 {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = road.recv().await {
            sleep_until(due).await;
            if condition
                .wait_for(|condition| condition.open)
                .await
                .is_err()
            {
                return;
            }
            let done = if bytes.is_empty() {
                to.shutdown().await
            } else {
                to.write_all(&bytes).await
            };
            if done.is_err() {
                return;
            }
        }
    };
    // What was read is still written when nothing more comes; when nothing can be written, nothing is read.
    tokio::select! {
        () = write => {}
        () = async { read.await; pending().await } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn relayed(roads: &Roads) -> (JoinSet<()>, TcpStream) {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let listen = free.local_addr().expect("an address");
        drop(free);
        let relay = Relay {
            from: 1,
            to: 2,
            listen,
            target: echo().await,
        };
        let tasks = open(&[relay], roads).await.expect("it listens");
        let stream = TcpStream::connect(listen).await.expect("it answers");
        (tasks, stream)
    }

    async fn say(stream: &mut TcpStream, text: &str) -> String {
        stream.write_all(text.as_bytes()).await.expect("sent");
        hear(stream, text.len()).await
    }

    async fn hear(stream: &mut TcpStream, length: usize) -> String {
        let mut heard = vec![0; length];
        stream.read_exact(&mut heard).await.expect("received");
        String::from_utf8(heard).expect("text")
    }

    #[tokio::test]
    async fn a_cut_road_holds_everything_back_and_gives_it_after() {
        let roads = Roads::new(3);
        let (_tasks, mut stream) = relayed(&roads).await;
        assert_eq!(say(&mut stream, "one").await, "one");
        roads.cut(2);
        assert!(roads.is_cut(2) && !roads.is_cut(1));
        stream.write_all(b"two").await.expect("sent");
        let mut nothing = [0; 1];
        let early = timeout(Duration::from_millis(50), stream.read(&mut nothing)).await;
        assert!(early.is_err(), "it passed a cut road");
        roads.heal(2);
        assert_eq!(hear(&mut stream, 3).await, "two");
    }

    #[tokio::test]
    async fn one_direction_can_be_cut_alone() {
        let roads = Roads::new(2);
        let (_tasks, mut stream) = relayed(&roads).await;
        assert_eq!(say(&mut stream, "one").await, "one");
        roads.mute(2);
        stream.write_all(b"two").await.expect("sent");
        let mut nothing = [0; 1];
        let early = timeout(Duration::from_millis(50), stream.read(&mut nothing)).await;
        assert!(early.is_err(), "the answer passed a cut road");
        roads.heal(2);
        assert_eq!(hear(&mut stream, 3).await, "two");
    }

    #[tokio::test]
    async fn the_end_of_a_connection_passes_too() {
        let roads = Roads::new(2);
        let (_tasks, mut stream) = relayed(&roads).await;
        stream.write_all(b"bye").await.expect("sent");
        stream.shutdown().await.expect("ended");
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.expect("received");
        assert_eq!(rest, "bye");
    }
}
