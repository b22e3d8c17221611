//! The one thread that writes: it commits whatever waits in one transaction, then answers.

use super::head::{self, to_sql};
use super::queue::{Truncation, Waiting, Work};
use super::truncate::{self, Progress};
use super::{Clock, Shared};
use crate::{AppendError, Entry, Mark, ReadError};
use bongsu_base::Seq;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Bytes that may be committed before they are moved from the WAL into the database.
const CHECKPOINT_BYTES: usize = 4 << 20;
/// What a commit adds to the WAL beside the bodies, at least: one page of entries and the head's.
const COMMIT_BYTES: usize = 8 << 10;

/// How often the writer did what.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub commits: AtomicU64,
    pub entries: AtomicU64,
    pub checkpoints: AtomicU64,
}

pub(super) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    clock: Clock,
    tip: Mark,
    last: watch::Sender<Seq>,
    truncations: VecDeque<Truncation>,
    /// Free pages are being given back to the file system.
    vacuuming: bool,
    since_checkpoint: usize,
}

/// Stops the log if the writer ends in any way but the planned one.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue.stop("its writer panicked");
        }
    }
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        shared: Arc<Shared>,
        clock: Clock,
        last: watch::Sender<Seq>,
    ) -> Self {
        let tip = shared.committed.lock().tip();
        Self {
            connection,
            shared,
            clock,
            tip,
            last,
            truncations: VecDeque::new(),
            vacuuming: false,
            since_checkpoint: 0,
        }
    }

    /// Writes until the queue is closed and empty, or until something fails.
    pub(super) fn run(mut self) {
        let _guard = Guard(Arc::clone(&self.shared));
        loop {
            let busy = self.vacuuming || !self.truncations.is_empty();
            match self.shared.queue.next(busy) {
                Work::End => break,
                Work::Do { batch, truncations } => {
                    self.truncations.extend(truncations);
                    if let Err(error) = self.turn(batch) {
                        return self.stop(&error);
                    }
                }
            }
        }
        if let Err(error) = self.checkpoint() {
            self.stop(&error);
        }
    }

    fn turn(&mut self, batch: Vec<Waiting>) -> rusqlite::Result<()> {
        if !batch.is_empty() {
            self.append(batch)?;
        }
        self.truncate()?;
        if self.since_checkpoint >= CHECKPOINT_BYTES {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Commits a batch and answers everyone in it.
    fn append(&mut self, batch: Vec<Waiting>) -> rusqlite::Result<()> {
        let clock = (self.clock)();
        let mut entries = Vec::with_capacity(batch.len());
        let mut tip = self.tip;
        for waiting in &batch {
            tip = tip.extend(waiting.time.unwrap_or(clock), &waiting.body);
            entries.push(Entry {
                seq: tip.seq(),
                time: tip.time,
                body: waiting.body.clone(),
                link: tip.chain.link,
            });
        }
        let file_bytes = match insert(&mut self.connection, &entries, tip) {
            Ok(file_bytes) => file_bytes,
            Err(error) => {
                for waiting in batch {
                    let _ = waiting
                        .answer
                        .send(Err(AppendError::Unknown(error.to_string())));
                }
                return Err(error);
            }
        };
        self.tip = tip;
        self.since_checkpoint += COMMIT_BYTES;
        self.since_checkpoint += entries.iter().map(|entry| entry.body.len()).sum::<usize>();
        self.shared.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.shared
            .counters
            .entries
            .fetch_add(entries.len() as u64, Ordering::Relaxed);
        let sequences: Vec<Seq> = entries.iter().map(|entry| entry.seq).collect();
        // Whoever has a sequence must find the entry when they read.
        self.shared
            .committed
            .lock()
            .extend(entries, tip, file_bytes);
        self.last.send_replace(tip.seq());
        for (waiting, seq) in batch.into_iter().zip(sequences) {
            let _ = waiting.answer.send(Ok(seq));
        }
        Ok(())
    }

    /// One bounded step of the oldest truncation, so that appends get their turn in between.
    fn truncate(&mut self) -> rusqlite::Result<()> {
        if let Some(truncation) = self.truncations.front() {
            match truncate::step(&mut self.connection, truncation.keep_from)? {
                Progress::More { base, file_bytes } => {
                    self.shared.committed.lock().truncate(base, file_bytes);
                }
                Progress::Done { base, file_bytes } => {
                    self.shared.committed.lock().truncate(base, file_bytes);
                    self.vacuuming = true;
                    if let Some(done) = self.truncations.pop_front() {
                        let _ = done.answer.send(Ok(()));
                    }
                }
            }
            self.since_checkpoint += truncate::STEP_BYTES;
        } else if self.vacuuming {
            self.vacuuming = truncate::give_back(&self.connection)?;
            self.since_checkpoint += truncate::STEP_BYTES;
            if !self.vacuuming {
                self.empty_journal()?;
            }
        }
        Ok(())
    }

    /// Moves what is committed from the WAL into the database, as far as readers let it.
    fn checkpoint(&mut self) -> rusqlite::Result<()> {
        self.since_checkpoint = 0;
        self.shared
            .counters
            .checkpoints
            .fetch_add(1, Ordering::Relaxed);
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }

    /// After a truncation the WAL still holds what was dropped; it begins anew, as far as readers let it.
    fn empty_journal(&mut self) -> rusqlite::Result<()> {
        self.since_checkpoint = 0;
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// After a failed write nothing about the file is certain, above all not that repeating a sync
    /// would bring back what the first one lost. What is in the WAL stays there for the next opening.
    fn stop(mut self, error: &rusqlite::Error) {
        let why = error.to_string();
        tracing::error!(path = %self.shared.path.display(), %why, "the log stops taking entries");
        for truncation in self.truncations.drain(..) {
            let _ = truncation
                .answer
                .send(Err(ReadError::Unavailable(why.clone())));
        }
        self.shared.queue.stop(&why);
        if let Err(error) = self
            .connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            tracing::warn!(%error, "the WAL of a stopped log will be checkpointed on close");
        }
    }
}

/// Inserts `entries` and the new tip in one durable transaction; returns the file's size.
fn insert(connection: &mut Connection, entries: &[Entry], tip: Mark) -> rusqlite::Result<u64> {
    // Dropping the transaction on an error rolls it back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO entries (seq, time, body, link) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for entry in entries {
            statement.execute(params![
                to_sql(entry.seq),
                entry.time.0,
                &entry.body[..],
                entry.link.as_bytes(),
            ])?;
        }
    }
    head::set_tip(&transaction, tip)?;
    let file_bytes = file_bytes(&transaction)?;
    transaction.commit()?;
    Ok(file_bytes)
}

/// The database's size in bytes once everything is checkpointed.
pub(super) fn file_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection
        .prepare_cached("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
    let bytes: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}
