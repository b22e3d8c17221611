//! What idle long polls need of memory.

use super::initial::Crowd;
use super::{Pair, Scale};
use crate::client::Client;
use crate::report::{Beside, Report};
use crate::server::Server;
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The most MiB that our server may need with ten thousand polls.
pub const AIM: f64 = 500.0;
/// As long as the server lets them wait.
const WAIT: &str = "timeout=300000";

pub async fn run(
    pair: &Pair,
    scale: &Scale,
    crowds: &super::Two<Crowd>,
    report: &mut Report,
) -> Result<()> {
    let count = scale.polls;
    let ours = each(&pair.ours, &crowds.ours, count).await?;
    let mut peer = Beside::Nothing;
    if let (Some(server), Some(crowd)) = (&pair.peer, &crowds.peer) {
        peer = Beside::Peer(each(server, crowd, count).await?);
    }
    let name = format!("memory an idle long poll, of {count}");
    report.row(&name, "KiB", ours, peer);
    Ok(())
}

/// What one of `count` polls needs, in KiB.
async fn each(server: &Server, crowd: &Crowd, count: usize) -> Result<f64> {
    let before = server.memory()?;
    let polls = Polls::open(crowd.clients.iter().cycle().take(count)).await?;
    server.quiet().await?;
    let after = server.memory()?;
    drop(polls);
    Ok((after - before) * 1024.0 / count as f64)
}

/// Polls that wait, and wait again when they are answered; they end with this value.
pub struct Polls {
    _tasks: JoinSet<Result<()>>,
    seen: Arc<Seen>,
}

/// How many of them have seen what they look for.
#[derive(Default)]
struct Seen {
    count: AtomicUsize,
    more: Notify,
}

/// What a message has in it that polls look for.
pub const WORD: &str = "everybody-sees-this";

impl Polls {
    /// One poll for each of `clients`, on a connection of its own.
    pub async fn open(clients: impl Iterator<Item = &Client>) -> Result<Self> {
        let seen = Arc::new(Seen::default());
        let mut tasks = JoinSet::new();
        for client in clients {
            let client = client.another().await?;
            tasks.spawn(wait(client, seen.clone()));
        }
        Ok(Self {
            _tasks: tasks,
            seen,
        })
    }

    /// Returns once `count` have seen [`WORD`].
    pub async fn seen(&self, count: usize) {
        while self.seen.count.load(Ordering::Acquire) < count {
            self.seen.more.notified().await;
        }
    }
}

async fn wait(mut client: Client, seen: Arc<Seen>) -> Result<()> {
    let filter = "filter=%7B%22room%22%3A%7B%22timeline%22%3A%7B%22limit%22%3A1%7D%2C%22state%22%3A%7B\
                  %22lazy_load_members%22%3Atrue%7D%7D%7D";
    let mut token = client.sync(&format!("{filter}&timeout=0")).await?.token;
    loop {
        let synced = client
            .sync(&format!("{filter}&{WAIT}&since={token}"))
            .await?;
        token = synced.token;
        if crate::client::find(&synced.body, WORD.as_bytes()).is_some() {
            seen.count.fetch_add(1, Ordering::Release);
            seen.more.notify_one();
        }
    }
}
