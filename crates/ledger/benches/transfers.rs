//! Transfers a second through the library into a file, one durable transaction a batch, and the bytes that each takes.
//! Run with `cargo bench -p bongsu-ledger --bench transfers`; `TRANSFERS` says how many (1,000,000 unless it is
//! set), and the file lies in the system's temporary folder; `BONGSU_BENCH_OUT` names a file for the figures. Beside it runs what the ledger does not do: one
//! unique index over the ids.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures and tells"
)]

use bongsu_base::LogTime;
use bongsu_ledger::{
    AccountId, Amount, BATCH, Between, Currency, Instruction, LedgerId, Limit, MIGRATIONS, Money,
    NewAccount, Patrol, Seen, TransferId, apply, balance_at, check, migrated, open_account,
    open_ledger,
};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

const ACCOUNTS: i64 = 10_000;
const SEED: u64 = 20_221_015;
/// How many lines are walked along in one go.
const STRETCH: u32 = 20_000;

fn main() {
    let count =
        std::env::var("TRANSFERS").map_or(1_000_000, |count| count.parse().expect("a number"));
    println!("{count} transfers between {ACCOUNTS} accounts, {BATCH} a batch, seed {SEED}");
    let mut rows = Vec::new();
    for (name, hot) in [("uniform", 0), ("90% hot", 90)] {
        rows.extend(measure(name, hot, count));
    }
    if let Some(out) = std::env::var_os("BONGSU_BENCH_OUT") {
        std::fs::write(out, format!("[{}]", rows.join(","))).expect("written");
    }
    for (name, sorted) in [
        ("one index, as it comes", false),
        ("one index, sorted batches", true),
    ] {
        measure_index(name, sorted, count);
    }
}

fn open(path: &Path) -> Connection {
    let db = Connection::open(path).expect("opened");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;",
    )
    .expect("set");
    db.set_prepared_statement_cache_capacity(64);
    db
}

/// Moves the journal into the file, beside the work as PostgreSQL's checkpointer does: a thread moves most of it, and what
/// has come meanwhile is moved between two batches, so that the journal begins anew.
struct Checkpointer {
    wanted: SyncSender<()>,
    done: Receiver<()>,
    batches: usize,
}

impl Checkpointer {
    /// After how many batches the thread begins, and how many later the rest follows.
    const BEGIN: usize = 10;
    const REST: usize = 4;

    fn of(path: &Path) -> Self {
        let (wanted, wants) = sync_channel(1);
        let (says, done) = sync_channel(1);
        let db = open(path);
        std::thread::spawn(move || {
            while wants.recv().is_ok() {
                checkpoint(&db);
                says.send(()).expect("somebody listens");
            }
        });
        Self {
            wanted,
            done,
            batches: 0,
        }
    }

    fn committed(&mut self, db: &Connection) {
        self.batches += 1;
        if self.batches == Self::BEGIN {
            self.wanted.send(()).expect("it runs");
        }
        if self.batches == Self::BEGIN + Self::REST {
            self.done.recv().expect("it runs");
            checkpoint(db);
            self.batches = 0;
        }
    }
}

fn checkpoint(db: &Connection) {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
        .expect("moved");
}

fn accounts(db: &Connection) {
    db.execute_batch(&format!("BEGIN; {}", MIGRATIONS.concat()))
        .expect("a schema");
    migrated(db).expect("nothing to move");
    open_ledger(db, LedgerId(1), Currency::KRW)
        .expect("written")
        .expect("opened");
    for n in 1..=ACCOUNTS {
        let account = NewAccount {
            id: AccountId(n),
            ledger: LedgerId(1),
            code: 1,
            limit: Limit::None,
        };
        open_account(db, LogTime(0), account)
            .expect("written")
            .expect("opened");
    }
    db.execute_batch("COMMIT").expect("committed");
}

fn random_id(rng: &mut fastrand::Rng) -> TransferId {
    TransferId(rng.u128(..).to_be_bytes())
}

fn batch(rng: &mut fastrand::Rng, hot: u8, size: usize) -> Vec<Instruction> {
    let mut instructions = Vec::with_capacity(size);
    while instructions.len() < size {
        let debit = rng.i64(1..=ACCOUNTS);
        let credit = if rng.u8(..100) < hot {
            1
        } else {
            rng.i64(1..=ACCOUNTS)
        };
        if debit == credit {
            continue;
        }
        let between = Between {
            debit: AccountId(debit),
            credit: AccountId(credit),
            money: Money {
                amount: Amount::new(rng.i64(1..100_000)).expect("an amount"),
                currency: Currency::KRW,
            },
        };
        instructions.push(Instruction::transfer(random_id(rng), between));
    }
    instructions
}

fn measure(name: &str, hot: u8, count: usize) -> [String; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("view");
    let db = open(&path);
    accounts(&db);
    let mut rng = fastrand::Rng::with_seed(SEED);
    db.execute_batch("PRAGMA wal_autocheckpoint = 0")
        .expect("set");
    let mut checkpointer = Checkpointer::of(&path);
    let (mut done, mut spent, mut waits) = (0, Duration::ZERO, Vec::new());
    while done < count {
        let instructions = batch(&mut rng, hot, BATCH.min(count - done));
        let begun = Instant::now();
        db.execute_batch("BEGIN IMMEDIATE").expect("begun");
        let answers = apply(&db, LogTime(done as i64), &instructions).expect("applied");
        db.execute_batch("COMMIT").expect("committed");
        checkpointer.committed(&db);
        waits.push(begun.elapsed());
        spent += begun.elapsed();
        assert!(answers.iter().all(Result::is_ok));
        done += instructions.len();
    }
    waits.sort_unstable();
    let begun = Instant::now();
    let past = balance_at(&db, AccountId(1), LogTime(done as i64 / 3)).expect("readable");
    let look = begun.elapsed();
    assert!(past.is_some());
    let begun = Instant::now();
    assert_eq!(check(&db), Ok(Ok(done as i64)));
    let checked = begun.elapsed();
    let walked = walk(&db);
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("checkpointed");
    let bytes = std::fs::metadata(&path).expect("a file").len();
    drop(db);
    let begun = Instant::now();
    let again = open(&path);
    let found = balance_at(&again, AccountId(1), LogTime(i64::MAX)).expect("readable");
    let opened = begun.elapsed();
    assert!(found.is_some());
    println!(
        "{name:<26} {:>8.0} transfers/s, batch median {:?}, slowest {:?}, {} bytes each; past balance {look:?}, check {checked:?}, {STRETCH} lines walked in {walked:?}, opened in {opened:?}",
        done as f64 / spent.as_secs_f64(),
        waits[waits.len() / 2],
        waits[waits.len() - 1],
        bytes / done as u64,
    );
    [
        ("a second", done as f64 / spent.as_secs_f64()),
        ("bytes each", bytes as f64 / done as f64),
        ("ms to open", opened.as_secs_f64() * 1e3),
    ]
    .map(|(unit, value)| format!(r#"{{"name":"{name}","unit":"{unit}","value":{value}}}"#))
}

/// Walks along the books once; gives what most stretches take.
fn walk(db: &Connection) -> Duration {
    let (mut patrol, mut spans) = (Patrol::default(), Vec::new());
    loop {
        let begun = Instant::now();
        let seen = patrol.walk(db, STRETCH).expect("readable");
        spans.push(begun.elapsed());
        match seen {
            Seen::Good => {}
            Seen::Round => break,
            Seen::Broken(broken) => panic!("{broken}"),
        }
    }
    spans.sort_unstable();
    spans[spans.len() / 2]
}

/// Only ids, into one unique index.
fn measure_index(name: &str, sorted: bool, count: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = open(&folder.path().join("view"));
    db.execute_batch(
        "CREATE TABLE known (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
    )
    .expect("a schema");
    let mut rng = fastrand::Rng::with_seed(SEED);
    let (mut done, mut spent) = (0, Duration::ZERO);
    while done < count {
        let mut ids: Vec<TransferId> = (0..BATCH.min(count - done))
            .map(|_| random_id(&mut rng))
            .collect();
        let begun = Instant::now();
        if sorted {
            ids.sort_unstable();
        }
        db.execute_batch("BEGIN IMMEDIATE").expect("begun");
        let mut insert = db
            .prepare_cached("INSERT INTO known VALUES (?1, ?2)")
            .expect("prepared");
        for (n, id) in ids.iter().enumerate() {
            insert
                .execute((&id.0[..], (done + n) as i64))
                .expect("inserted");
        }
        db.execute_batch("COMMIT").expect("committed");
        spent += begun.elapsed();
        done += ids.len();
    }
    println!(
        "{name:<26} {:>8.0} ids/s",
        done as f64 / spent.as_secs_f64()
    );
}
