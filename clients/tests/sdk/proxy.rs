//! People behind HAProxy, with the configuration that operators are given: whichever data centre is lost, they
//! stay signed in and miss nothing.

use crate::people::{Follower, Person, send};
use anyhow::{Context, Result, ensure};
use bongsu_clients::Cluster;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// How long HAProxy may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first two numbers of the data centres' addresses.
const NETWORK: u8 = 24;
/// Messages that are sent while a data centre is gone.
const MESSAGES: usize = 10;

/// HAProxy in front of a cluster. Dropping it ends it.
struct Proxy {
    process: Child,
    address: String,
}

impl Proxy {
    async fn start(cluster: &Cluster) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/haproxy.cfg");
        let mut text = std::fs::read_to_string(shipped)?.replace("127.0.0.1:8080", &address);
        // Whoever runs the tests may not open as many files as a proxy for a city needs.
        text = text.replace("maxconn 20000", "maxconn 200");
        for site in 1..=3 {
            let own = cluster.base_url(site);
            let own = own.trim_start_matches("http://");
            text = text.replace(&format!("127.0.{site}.1:8008"), own);
        }
        let config = cluster.dir().join("haproxy.cfg");
        std::fs::write(&config, text)?;
        let process = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&config)
            .stdin(Stdio::null())
            .spawn()
            .context("haproxy is not installed; `make setup` installs it")?;
        let proxy = Self { process, address };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&proxy.address).await.is_err() {
            ensure!(Instant::now() < deadline, "haproxy does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(proxy)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_proxy_nobody_notices_which_data_centre_burns() -> Result<()> {
    let mut cluster = Cluster::start(NETWORK).await?;
    let proxy = Proxy::start(&cluster).await?;
    let address = format!("http://{}", proxy.address);
    let alice = Person::register_at(&address, "alice").await?;
    let bob = Person::register_at(&address, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    bob.accept(&room).await?;
    let mut follower = Follower::new(&bob, &room);
    follower.enter().await?;
    let mut sent = Vec::new();
    for site in 1..=3 {
        cluster
            .order(&format!("burn dc{site}"), &format!("dc{site} burnt"))
            .await?;
        for n in 0..MESSAGES {
            let text = format!("{n} while dc{site} is gone");
            sent.push((send(&room, &text).await?, text));
        }
        follower.until(sent.len()).await?;
        cluster
            .order(&format!("heal dc{site}"), &format!("dc{site} ready"))
            .await?;
    }
    ensure!(follower.seen == sent, "bob saw {:?}", follower.seen);
    // The session is the one that began before the first fire.
    for person in [&alice, &bob] {
        let who = person.client.whoami().await.context("whoami")?;
        ensure!(who.user_id == person.id()?, "another session");
    }
    drop(proxy);
    cluster.stop().await
}
