//! Transfers a second that are durable in three data centres: three engines on this machine, each of which syncs every
//! append, and three replicas, each with a lane of its own that applies them to its view. Batches of the library come in
//! at all three. Run with `cargo bench -p bongsu-pay --bench three_ways`; `BONGSU_BENCH_OUT` names a file for the figures.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures and tells"
)]

use bongsu_base::{LogTime, Partition, RecordId};
use bongsu_lane::{Actor, Cx, Domain, Lane, NoEffect, Options, Priority, Refusal, Request};
use bongsu_ledger::{
    AccountId, Amount, Between, Currency, Instruction, Ledger, LedgerId, Limit, Money, NewAccount,
    TransferId,
};
use bongsu_log::jetstream::{
    JetstreamLog, Layout, MirrorFile, Nats, NatsOptions, Options as LogOptions, StreamId,
};
use bongsu_test_nats::Servers;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const ACCOUNTS: i64 = 10_000;
const SITES: usize = 3;
const SPAN: Duration = Duration::from_secs(15);
const ELECTION: Duration = Duration::from_secs(60);
/// How many instructions a command has, and how many commands are on their way at each data centre.
const BATCH: usize = 4_096;
const IN_FLIGHT: usize = 3;

/// The ledger and nothing else.
struct Books;

/// How many instructions were not done.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{0} instructions were refused")]
struct NotDone(usize);

impl Domain for Books {
    const NAME: &'static str = "books";
    const VERSION: u32 = 1;
    const MIGRATIONS: &'static [&'static str] =
        &[bongsu_ledger::MIGRATIONS[0], bongsu_ledger::MIGRATIONS[1]];
    type Command = Vec<Instruction>;
    type Accepted = usize;
    type Rejected = NotDone;
    type Effect = NoEffect;

    fn migrated(db: &Connection) -> rusqlite::Result<()> {
        bongsu_ledger::migrated(db)?;
        bongsu_ledger::open_ledger(db, LedgerId(1), Currency::KRW)?.expect("opened");
        for n in 1..=ACCOUNTS {
            let account = NewAccount {
                id: AccountId(n),
                ledger: LedgerId(1),
                code: 1,
                limit: Limit::None,
            };
            bongsu_ledger::open_account(db, LogTime(0), account)?.expect("opened");
        }
        Ok(())
    }

    fn apply(cx: &mut Cx<'_, Self>, batch: Vec<Instruction>) -> Result<usize, Refusal<NotDone>> {
        let answers = bongsu_ledger::apply(cx.db(), cx.time(), &batch)?;
        match answers.iter().filter(|answer| answer.is_err()).count() {
            0 => Ok(answers.len()),
            refused => Err(Refusal::Rejected(NotDone(refused))),
        }
    }
}

struct Site {
    lane: Lane<Books>,
    runs: JoinHandle<()>,
}

async fn open(servers: &Servers, n: usize) -> Site {
    let nats = Nats::connect(NatsOptions::new(servers.urls(n)))
        .await
        .expect("connects");
    let engine = nats.engine(Books::NAME, Partition(0), Layout::default());
    let options = LogOptions {
        create: Some(StreamId::from_bytes([2; 16])),
        reach_within: Some(ELECTION),
        ..LogOptions::default()
    };
    let copy = MirrorFile::new(servers.folder().join(format!("log-{n}")), Books::NAME);
    let (log, _) = JetstreamLog::open(engine, &copy, options)
        .await
        .expect("a log");
    let view = servers.folder().join(format!("view-{n}.sqlite"));
    let opened = Lane::<Books>::open(Arc::new(log), Options::new(view)).await;
    let (lane, runner, _) = opened.expect("a lane");
    let runs = tokio::spawn(async move {
        runner.run().await;
    });
    Site { lane, runs }
}

fn batch(rng: &mut fastrand::Rng) -> Vec<Instruction> {
    let mut transfer = || {
        let debit = rng.i64(1..=ACCOUNTS);
        let other = rng.i64(1..ACCOUNTS);
        let amount = Amount::new(rng.i64(1..100_000)).expect("an amount");
        let between = Between {
            debit: AccountId(debit),
            credit: AccountId((debit + other - 1) % ACCOUNTS + 1),
            money: Money {
                amount,
                currency: Currency::KRW,
            },
        };
        Instruction::transfer(TransferId(rng.u128(..).to_be_bytes()), between)
    };
    (0..BATCH).map(|_| transfer()).collect()
}

/// Sends one batch after the other until the time is over; says how many transfers were done, and how long each took.
async fn send(lane: Lane<Books>, seed: u64, begun: Instant) -> (usize, Vec<Duration>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut done, mut waits) = (0, Vec::new());
    while begun.elapsed() < SPAN {
        let request = Request {
            id: RecordId::from_bytes(rng.u128(..).to_be_bytes()),
            actor: Actor::Nobody,
            priority: Priority::Normal,
            command: batch(&mut rng),
        };
        let sent = Instant::now();
        let decision = lane.submit(request).await.expect("decided");
        waits.push(sent.elapsed());
        done += decision.outcome.expect("done");
    }
    (done, waits)
}

async fn measure() {
    let servers = Servers::start(SITES);
    let mut sites = Vec::new();
    for n in 0..SITES {
        sites.push(open(&servers, n).await);
    }
    let begun = Instant::now();
    let mut senders = Vec::new();
    for n in 0..SITES * IN_FLIGHT {
        let lane = sites[n % SITES].lane.clone();
        senders.push(tokio::spawn(send(lane, n as u64, begun)));
    }
    let (mut done, mut waits) = (0, Vec::new());
    for sender in senders {
        let (one, its) = sender.await.expect("it ends");
        done += one;
        waits.extend(its);
    }
    let rate = done as f64 / begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    // Every replica comes to the same history, of which the ledger has the hash.
    let last = sites[0].lane.submit(Request {
        id: RecordId::from_bytes([0; 16]),
        actor: Actor::Nobody,
        priority: Priority::Normal,
        command: Vec::new(),
    });
    let last = last.await.expect("decided").seq;
    let mut books = Vec::new();
    for site in &sites {
        let reached = site.lane.reach(last, ELECTION).await;
        reached.expect("it catches up");
        let checked = site.lane.read_long(|view| bongsu_ledger::check(view.db()));
        assert_eq!(checked.await.expect("readable"), Ok(done as i64));
        let ledger = site.lane.read(|view| Ledger::by_id(view.db(), LedgerId(1)));
        books.push(ledger.await.expect("readable"));
    }
    assert!(books.iter().all(|book| *book == books[0]));
    println!(
        "{rate:.0} transfers/s durable in three places, {BATCH} a command, {IN_FLIGHT} commands at each; median {median:?}"
    );
    if let Some(out) = std::env::var_os("BONGSU_BENCH_OUT") {
        let row = format!(r#"[{{"name":"three ways","unit":"a second","value":{rate}}}]"#);
        std::fs::write(out, row).expect("written");
    }
    for site in sites {
        site.lane.close().await;
        site.runs.await.expect("it ends");
    }
}

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(measure());
}
