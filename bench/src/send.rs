//! Messages a second from several senders, each waiting for its acknowledgement before the next.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures by the clock"
)]

use crate::client::Client;
use crate::server::Server;
use anyhow::{Result, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// What the whole is to reach.
const AIM: f64 = 10_000.0;
/// What it is to need at rest, in MiB.
const AIM_MEMORY: f64 = 60.0;

pub async fn run(binary: &Path, senders: usize, rooms: usize, seconds: u64) -> Result<Vec<Value>> {
    let server = Server::start(binary).await?;
    let at_rest = server.resident_mib()?;
    let mut clients = Vec::new();
    for n in 0..senders {
        let mut client = Client::connect(&server.address).await?;
        client.register(&format!("sender{n}")).await?;
        clients.push(client);
    }
    let mut ids = Vec::new();
    for _ in 0..rooms {
        ids.push(clients[0].create_room().await?);
    }
    for (n, client) in clients.iter_mut().enumerate() {
        client.join(&ids[n % rooms]).await?;
    }
    let (disk, cpu, begun) = (server.disk_bytes()?, server.cpu_seconds()?, Instant::now());
    let span = Duration::from_secs(seconds);
    let tasks = clients.into_iter().enumerate().map(|(n, client)| {
        let room = ids[n % rooms].clone();
        tokio::spawn(send(client, room, begun + span))
    });
    let mut latencies = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        latencies.append(&mut task.await??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let messages = latencies.len();
    ensure!(messages > 0, "nothing was sent");
    let rate = messages as f64 / elapsed;
    let at =
        |share: f64| latencies[((messages - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let cores = (server.cpu_seconds()? - cpu) / elapsed;
    let per_message = (server.disk_bytes()? - disk) as f64 / messages as f64;
    let after = server.resident_mib()?;
    println!("{senders} senders, {rooms} rooms, {elapsed:.1} s: {messages} messages, {rate:.0}/s");
    println!(
        "latency p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!(
        "server: {cores:.2} cores; {at_rest:.0} MiB at rest, {after:.0} MiB after; {per_message:.0} bytes of disk a message"
    );
    let row = |name: &str, unit: &str, ours: f64, aim: Option<f64>| {
        json!({"name": name, "unit": unit, "ours": (ours * 100.0).round() / 100.0, "peer": aim.map(|_| "aim"),
               "peer_value": aim, "ratio": aim.map(|aim| ours / aim)})
    };
    Ok(vec![
        row(
            &format!("send, {senders} senders"),
            "messages/s",
            rate,
            Some(AIM),
        ),
        row("send p50", "ms", at(0.5), None),
        row("send p99", "ms", at(0.99), None),
        row("server processor", "cores", cores, None),
        row("memory at rest", "MiB", at_rest, Some(AIM_MEMORY)),
        row("memory after", "MiB", after, None),
        row("disk per message", "bytes", per_message, None),
    ])
}

/// Sends until the deadline; how long each took.
async fn send(mut client: Client, room: String, deadline: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut n = 0;
    while Instant::now() < deadline {
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{n}");
        let body = format!(
            r#"{{"msgtype":"m.text","body":"안녕하세요, this is message {n} of the benchmark"}}"#
        );
        let asked = Instant::now();
        let (status, answer) = client.ask(Method::PUT, &path, body.into_bytes()).await?;
        ensure!(
            status == StatusCode::OK,
            "{status} {}",
            String::from_utf8_lossy(&answer)
        );
        latencies.push(asked.elapsed());
        n += 1;
    }
    Ok(latencies)
}
