//! How many messages the lane alone applies on one core: entries of 64 messages, applied and committed
//! to a view on disk, in one room and in a thousand.

#![allow(missing_docs, reason = "a benchmark has no interface")]
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures by the clock"
)]

use bongsu_base::{LogTime, RecordId, RoomId, Seed, Seq, UserId};
use bongsu_lane::{Actor, Applier, EntryBody, Payload, Record};
use bongsu_log::{Chain, Entry};
use bongsu_talk::Talk;
use bongsu_talk::command::{Command, CreateRoom, Profile, Send};
use bytes::Bytes;
use std::time::Instant;

const BATCH: u64 = 64;

struct Writer {
    chain: Chain,
    records: u64,
}

impl Writer {
    fn entry(&mut self, commands: impl IntoIterator<Item = Command>) -> Entry {
        let records = commands
            .into_iter()
            .map(|command| self.record(&command))
            .collect();
        let body = Bytes::from(EntryBody { records }.encode());
        let time = LogTime(1_700_000_000_000 + self.records as i64);
        self.chain = self.chain.extend(time, &body);
        Entry {
            seq: self.chain.seq,
            time,
            body,
            link: self.chain.link,
        }
    }

    fn record(&mut self, command: &Command) -> Record {
        self.records += 1;
        // Ids as they are in life: without order.
        let id = RecordId::named(&["bench"], &self.records.to_string());
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.records.to_le_bytes());
        let user: UserId = "@mina:bongsu.test".parse().expect("an id");
        let device = "PHONE".parse().expect("an id");
        let command = postcard::to_stdvec(command).expect("plain data");
        let payload = Payload::Command(command);
        Record {
            id,
            actor: Actor::User { user, device },
            seed: Seed::from_bytes(seed),
            payload,
        }
    }
}

fn room(n: u64) -> RoomId {
    format!("!room{n}:bongsu.test").parse().expect("an id")
}

fn create(n: u64) -> Command {
    Command::CreateRoom(CreateRoom {
        room: room(n),
        version: "11".to_owned(),
        create: "{}".to_owned(),
        profile: Profile::default(),
        power_levels: r#"{"users":{"@mina:bongsu.test":100}}"#.to_owned(),
        state: vec![(
            "m.room.join_rules".to_owned(),
            String::new(),
            r#"{"join_rule":"public"}"#.to_owned(),
        )],
        alias: None,
        invite: vec![],
        is_direct: false,
        listed: false,
    })
}

fn send(room_number: u64, n: u64) -> Command {
    Command::Send(Send {
        room: room(room_number),
        kind: "m.room.message".to_owned(),
        content: format!(
            r#"{{"body":"안녕하세요, this is message {n} of the benchmark","msgtype":"m.text"}}"#
        ),
        txn: Some(format!("txn{n}")),
    })
}

fn run(name: &str, rooms: u64, messages: u64) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let mut applier = Applier::<Talk>::open(&folder.path().join("talk.sqlite")).expect("a view");
    let mut writer = Writer {
        chain: Chain::EMPTY,
        records: 0,
    };
    let created: Vec<Entry> = (0..rooms).map(|n| writer.entry([create(n)])).collect();
    applier.apply(&created).expect("rooms are made");
    let entries: Vec<Entry> = (0..messages / BATCH)
        .map(|batch| {
            writer.entry((0..BATCH).map(|n| send((batch * BATCH + n) % rooms, batch * BATCH + n)))
        })
        .collect();
    let begun = Instant::now();
    // What the follower reads at once when it is behind, as it is when the rate is the limit: 1 MiB.
    let bytes = entries.first().map_or(1, |entry| entry.body.len());
    for batch in entries.chunks((1 << 20) / bytes) {
        applier.apply(batch).expect("messages are applied");
    }
    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{name}: {rate:.0} messages/s (applied {} entries)",
        applier.progress().chain.seq
    );
    assert_eq!(applier.progress().chain.seq, Seq(rooms + messages / BATCH));
    rate
}

fn main() {
    // `cargo test` runs benchmarks once to see that they work; then a little is enough.
    let messages = if std::env::args().any(|arg| arg == "--bench") {
        400_000
    } else {
        640
    };
    let one = run("lane, one room", 1, messages);
    let many = run("lane, 1,000 rooms", 1_000, messages);
    if let Ok(path) = std::env::var("BONGSU_BENCH_OUT") {
        let row = |name: &str, rate: f64| {
            serde_json::json!({"name": name, "unit": "messages/s", "ours": rate.round(),
                               "peer": "aim", "peer_value": 50_000, "ratio": rate / 50_000.0})
        };
        let rows = [row("lane, one room", one), row("lane, 1,000 rooms", many)];
        let json = serde_json::to_string_pretty(&rows).expect("plain data");
        std::fs::write(path, json).expect("the result can be written");
    }
}
