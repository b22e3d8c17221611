//! Applying entries to a view: the deterministic heart of a lane, without threads and without waiting.

use crate::cx::{Cx, Scratch};
use crate::domain::{Domain, Outcome, Refusal};
use crate::effects::EffectId;
use crate::known::Known;
use crate::open::OpenError;
use crate::record::{Actor, Checkpoint, EntryBody, Payload, Record, Report, System};
use crate::view::{self, Digester, Lease, Progress, ReadView, Schema, Writer};
use crate::wake::Topic;
use bongsu_base::{LogTime, Millis, Position, ProcessId, RecordId, Seq};
use bongsu_log::Entry;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ffi};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// How long an outcome is kept at the least, in log time; a repeat after that is a new request.
pub const OUTCOME_RETENTION: Millis = Millis::hours(48);

/// Why a replica cannot go on. Nothing of the batch was kept, and nothing is skipped.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An entry does not follow from the ones before it: the log lost, added or altered something.
    #[error("log entry {seq} does not follow from what this view has applied; the log was altered")]
    Chain {
        /// The entry.
        seq: Seq,
    },
    /// An entry's bytes are of no form that this code knows.
    #[error("log entry {seq} cannot be decoded by this release ({what}); run a newer one")]
    Undecodable {
        /// The entry.
        seq: Seq,
        /// What of it.
        what: String,
    },
    /// A behaviour was activated that this code does not have.
    #[error(
        "behaviour {version} is active since log entry {seq}, but this release knows only up to {known}"
    )]
    NewerVersion {
        /// The entry that activated it.
        seq: Seq,
        /// What it activated.
        version: u32,
        /// What this code has.
        known: u32,
    },
    /// This replica's storage failed.
    #[error("this replica's storage failed: {0}")]
    Local(#[from] rusqlite::Error),
}

/// What one batch of entries gave, once it is committed.
#[derive(Debug)]
pub struct Applied<D: Domain> {
    /// Every record of the batch with its outcome, in order.
    pub outcomes: Vec<(RecordId, Applying<D>)>,
    /// Whoever waits for these has something to look at.
    pub topics: Vec<Topic>,
    /// Of these nothing that was read before is to be remembered.
    pub outdated: Vec<Topic>,
    /// The processes that said they are alive.
    pub ticks: Vec<ProcessId>,
    /// Whether there are effects that were not there before.
    pub new_effects: bool,
    /// What this replica was whenever the lease's holder was heard.
    pub checkpoints: Vec<Checkpoint>,
    /// What data centres said of themselves.
    pub reports: Vec<Report>,
    /// How far the view has come.
    pub progress: Progress,
}

/// One record's outcome and where it was decided.
#[derive(Debug, Clone)]
pub struct Verdict<A, R> {
    /// The entry that decided it.
    pub seq: Seq,
    /// Whether this is the answer to an earlier record of the same id.
    pub repeated: bool,
    /// The outcome; `None` for a record of the lane itself.
    pub outcome: Option<Outcome<A, R>>,
}

/// A record's verdict in the domain `D`.
pub type Applying<D> = Verdict<<D as Domain>::Accepted, <D as Domain>::Rejected>;

/// A view and what it takes to move it along.
pub struct Applier<D: Domain> {
    db: Writer,
    digester: Digester,
    known: Known,
    progress: Progress,
    undo: Undo,
    domain: PhantomData<D>,
}

/// How a refused record is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// Not at all: rules look before they write, so that a refused record has written nothing. Should
    /// one have written, the batch is begun again with savepoints.
    Nothing,
    /// By a savepoint around each record, for which SQLite copies every page that the record touches.
    Savepoint,
}

/// Why a batch was not applied.
enum Halt {
    /// A refused record had written something, and there was no savepoint.
    NeedsSavepoints,
    /// The replica cannot go on.
    Error(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl<D: Domain> Applier<D> {
    /// Opens the view at `path`, or makes an empty one, to apply entries to it without a log: for a
    /// domain's tests and for benchmarks. `:memory:` is a view in memory.
    ///
    /// # Errors
    /// See [`OpenError::View`] and [`OpenError::Apply`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let db = view::open_writer(path, &Schema::of::<D>(), false).map_err(|error| {
            OpenError::View {
                path: path.to_owned(),
                what: error.to_string(),
            }
        })?;
        Ok(Self::new(db)?)
    }

    /// Goes on where the view behind `db` stands.
    pub(crate) fn new(db: Connection) -> Result<Self, ApplyError> {
        let progress = view::progress(&db)?;
        let known = D::VERSION;
        if progress.active_version > known {
            let (seq, version) = (progress.chain.seq, progress.active_version);
            return Err(ApplyError::NewerVersion {
                seq,
                version,
                known,
            });
        }
        let known = Known::open(&db)?;
        let (db, digester) = Digester::attach(db, progress.digest);
        Ok(Self {
            db,
            digester,
            known,
            progress,
            undo: Undo::Nothing,
            domain: PhantomData,
        })
    }

    /// How far the view has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// What a reader of the view would see.
    #[must_use]
    pub fn view(&self) -> ReadView<'_> {
        ReadView::new(&self.db)
    }

    /// The writing connection, to read what was just written.
    #[must_use]
    pub fn db(&self) -> &Connection {
        &self.db
    }

    /// Applies `entries`, which follow directly on what was applied, in one transaction.
    ///
    /// # Errors
    /// See [`ApplyError`]; the view is then as before.
    pub fn apply(&mut self, entries: &[Entry]) -> Result<Applied<D>, ApplyError> {
        let attempt = match self.attempt(entries, Undo::Nothing) {
            Err(Halt::NeedsSavepoints) => self.attempt(entries, Undo::Savepoint),
            attempt => attempt,
        };
        attempt.map_err(|halt| match halt {
            Halt::Error(error) => error,
            Halt::NeedsSavepoints => unreachable!("with savepoints none are missing"),
        })
    }

    /// Moves all of the view's journal into its file and makes the journal empty, unless a reader looks into
    /// it now. Says whether it did.
    ///
    /// # Errors
    /// When the storage fails.
    pub(crate) fn empty_journal(&self) -> Result<bool, ApplyError> {
        let patience = Duration::from_secs(5);
        self.db.busy_timeout(Duration::ZERO)?;
        let busy = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| {
                row.get::<_, bool>(0)
            });
        self.db.busy_timeout(patience)?;
        Ok(!busy?)
    }

    fn attempt(&mut self, entries: &[Entry], undo: Undo) -> Result<Applied<D>, Halt> {
        self.undo = undo;
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let before = self.progress;
        let done = self.apply_in_transaction(entries).and_then(|applied| {
            self.db.prepare_cached("COMMIT")?.execute(())?;
            Ok(applied)
        });
        if done.is_ok() {
            self.known.committed();
        } else {
            self.known.rolled_back();
            self.progress = before;
            self.digester.set(before.digest);
            // If this fails, so does the next transaction, and the lane stops there.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        done
    }

    fn apply_in_transaction(&mut self, entries: &[Entry]) -> Result<Applied<D>, Halt> {
        let mut applied = Applied {
            outcomes: Vec::new(),
            topics: Vec::new(),
            outdated: Vec::new(),
            ticks: Vec::new(),
            new_effects: false,
            checkpoints: Vec::new(),
            reports: Vec::new(),
            progress: self.progress,
        };
        for entry in entries {
            let chain = self.progress.chain.extend(entry.time, &entry.body);
            if (chain.seq, chain.link) != (entry.seq, entry.link) {
                return Err(ApplyError::Chain { seq: entry.seq }.into());
            }
            let leader_heard = self.apply_entry(entry, &mut applied)?;
            self.progress.chain = chain;
            self.progress.time = entry.time;
            if leader_heard {
                applied.checkpoints.push(Checkpoint {
                    seq: chain.seq,
                    link: *chain.link.as_bytes(),
                    digest: self.digester.get().to_bytes(),
                });
            }
        }
        self.known.sweep(&self.db)?;
        self.digester.check()?;
        self.progress.digest = self.digester.get();
        view::set_progress(&self.db, &self.progress)?;
        applied.progress = self.progress;
        applied.topics.sort_unstable();
        applied.topics.dedup();
        Ok(applied)
    }

    /// Applies one entry; says whether the lease's holder was heard in it.
    fn apply_entry(&mut self, entry: &Entry, applied: &mut Applied<D>) -> Result<bool, Halt> {
        let undecodable = |what: &str| ApplyError::Undecodable {
            seq: entry.seq,
            what: what.to_owned(),
        };
        let body =
            EntryBody::decode(&entry.body).map_err(|error| undecodable(&error.to_string()))?;
        let count = body.records.len();
        let mut scratch = Scratch::default();
        for record in body.records {
            let id = record.id;
            let outcome = match self.earlier(id)? {
                Some(outcome) => outcome,
                None => self.apply_record(entry, record, &mut scratch, applied)?,
            };
            applied.outcomes.push((id, outcome));
        }
        applied.topics.append(&mut scratch.topics);
        applied.outdated.append(&mut scratch.outdated);
        applied.new_effects |= scratch.new_effects;
        self.forget_outcomes(entry.time, count)?;
        Ok(scratch.leader_heard)
    }

    /// The outcome of an earlier record with this id.
    fn earlier(&self, id: RecordId) -> Result<Option<Applying<D>>, ApplyError> {
        let Some(position) = self.known.find(&self.db, id)? else {
            return Ok(None);
        };
        // The index may still name what was forgotten.
        let found: Option<Vec<u8>> = self
            .db
            .prepare_cached("SELECT body FROM lane_outcome WHERE position = ?1")?
            .query_row([position], |row| row.get(0))
            .optional()?;
        let Some(body) = found else {
            return Ok(None);
        };
        let seq = Position::from_i64(position).unwrap_or_default().seq();
        let outcome = postcard::from_bytes(&body).map_err(|error| ApplyError::Undecodable {
            seq,
            what: format!("the outcome of record {id}: {error}"),
        })?;
        Ok(Some(Verdict {
            seq,
            repeated: true,
            outcome,
        }))
    }

    fn apply_record(
        &mut self,
        entry: &Entry,
        record: Record,
        scratch: &mut Scratch,
        applied: &mut Applied<D>,
    ) -> Result<Applying<D>, Halt> {
        let outcome = match record.payload {
            Payload::Command(bytes) => {
                let command =
                    postcard::from_bytes(&bytes).map_err(|error| ApplyError::Undecodable {
                        seq: entry.seq,
                        what: format!("record {}: {error}", record.id),
                    })?;
                Some(self.apply_command(entry, &record.actor, &record.seed, command, scratch)?)
            }
            Payload::System(system) => {
                self.apply_system(entry, &system, scratch, applied)?;
                None
            }
        };
        let body = postcard::to_stdvec(&outcome).expect("outcomes are plain data");
        let position = Position::new(entry.seq, scratch.next_index);
        scratch.next_index += 1;
        self.db
            .prepare_cached(
                "INSERT INTO lane_outcome (position, record, time, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((position.as_i64(), record.id.as_bytes(), entry.time.0, body))?;
        self.known.add(record.id, position.as_i64());
        Ok(Verdict {
            seq: entry.seq,
            repeated: false,
            outcome,
        })
    }

    /// Applies a domain's command; a refusal leaves no trace.
    fn apply_command(
        &mut self,
        entry: &Entry,
        actor: &Actor,
        seed: &bongsu_base::Seed,
        command: D::Command,
        scratch: &mut Scratch,
    ) -> Result<Outcome<D::Accepted, D::Rejected>, Halt> {
        let digest = self.digester.get();
        let changes = self.db.total_changes();
        let (topics, effects, index) = (
            scratch.topics.len(),
            scratch.new_effects,
            scratch.next_index,
        );
        if self.undo == Undo::Savepoint {
            self.db.prepare_cached("SAVEPOINT record")?.execute(())?;
        }
        let mut cx = Cx {
            db: &self.db,
            actor,
            seed,
            seq: entry.seq,
            time: entry.time,
            version: self.progress.active_version,
            scratch: &mut *scratch,
            domain: PhantomData,
        };
        let result = catch_unwind(AssertUnwindSafe(|| D::apply(&mut cx, command)));
        if self.db.is_autocommit() {
            // On a full disk SQLite rolls back by itself, whatever the rule made of the error.
            let error = match result {
                Ok(Err(Refusal::Local(error))) => error,
                _ => rolled_back(),
            };
            return Err(error.into());
        }
        let outcome = match result {
            Ok(Ok(accepted)) => {
                if self.undo == Undo::Savepoint {
                    self.db.prepare_cached("RELEASE record")?.execute(())?;
                }
                return Ok(Outcome::Accepted(accepted));
            }
            Ok(Err(Refusal::Rejected(rejected))) => Outcome::Rejected(rejected),
            Ok(Err(Refusal::Local(error))) if is_local(&error) => return Err(error.into()),
            Ok(Err(Refusal::Local(error))) => {
                tracing::error!(lane = D::NAME, seq = entry.seq.0, %error, "a rule broke on a record");
                Outcome::Defect
            }
            Err(_) => {
                tracing::error!(
                    lane = D::NAME,
                    seq = entry.seq.0,
                    "a rule panicked on a record"
                );
                Outcome::Defect
            }
        };
        match self.undo {
            Undo::Savepoint => {
                self.db.prepare_cached("ROLLBACK TO record")?.execute(())?;
                self.db.prepare_cached("RELEASE record")?.execute(())?;
            }
            Undo::Nothing if self.db.total_changes() != changes => {
                return Err(Halt::NeedsSavepoints);
            }
            Undo::Nothing => {}
        }
        self.digester.set(digest);
        scratch.topics.truncate(topics);
        scratch.new_effects = effects;
        scratch.next_index = index;
        Ok(outcome)
    }

    fn apply_system(
        &mut self,
        entry: &Entry,
        system: &System,
        scratch: &mut Scratch,
        applied: &mut Applied<D>,
    ) -> Result<(), ApplyError> {
        match system {
            System::Tick { process, lease_ms } => {
                applied.ticks.push(*process);
                scratch.leader_heard |=
                    self.renew_lease(*process, entry.time, Millis(*lease_ms))?;
            }
            System::Complete { effect } => EffectId::new(*effect).complete(&self.db)?,
            System::ActivateVersion { version } => {
                let (seq, version, known) = (entry.seq, *version, D::VERSION);
                if version > known {
                    return Err(ApplyError::NewerVersion {
                        seq,
                        version,
                        known,
                    });
                }
                self.progress.active_version = self.progress.active_version.max(version);
            }
            System::Report(report) => {
                self.db
                    .prepare_cached(
                        "INSERT INTO lane_site (site, held, time) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET held = excluded.held, time = excluded.time",
                    )?
                    .execute((report.site.as_str(), report.held.0 as i64, entry.time.0))?;
                applied.reports.push(report.clone());
            }
        }
        Ok(())
    }

    /// The lease goes to whoever has it, or to the first who says it is alive after it ran out. Whether
    /// `process` has it now.
    fn renew_lease(
        &self,
        process: ProcessId,
        now: LogTime,
        span: Millis,
    ) -> rusqlite::Result<bool> {
        let free = view::lease(&self.db)?
            .is_none_or(|Lease { holder, until }| holder == process || until <= now);
        if free {
            self.db
                .prepare_cached(
                    "INSERT INTO lane_lease (id, holder, until) VALUES (1, ?1, ?2)
                     ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until",
                )?
                .execute((process.as_bytes(), (now + span).0))?;
        }
        Ok(free)
    }

    /// Forgets outcomes that are old enough: at most twice as many as the entry added, so that what is
    /// forgotten depends on the log alone and no entry pays for many.
    fn forget_outcomes(&mut self, now: LogTime, added: usize) -> Result<(), ApplyError> {
        let old = now.0 - OUTCOME_RETENTION.0;
        let mut statement = self.db.prepare_cached(
            "DELETE FROM lane_outcome WHERE position IN
               (SELECT position FROM lane_outcome ORDER BY position LIMIT ?1) AND time < ?2
             RETURNING record",
        )?;
        let mut rows = statement.query((2 * added as i64, old))?;
        while let Some(row) = rows.next()? {
            self.known.forget(RecordId::from_bytes(row.get(0)?));
        }
        Ok(())
    }
}

fn rolled_back() -> rusqlite::Error {
    let what = "SQLite gave the transaction up while a rule ran".to_owned();
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), Some(what))
}

/// Whether an error says something of this machine, rather than of what was asked.
fn is_local(error: &rusqlite::Error) -> bool {
    use ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(
            Code::DiskFull
                | Code::SystemIoFailure
                | Code::DatabaseCorrupt
                | Code::NotADatabase
                | Code::CannotOpen
                | Code::OutOfMemory
                | Code::ReadOnly
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::PermissionDenied
                | Code::FileLockingProtocolFailed
                | Code::OperationInterrupted
                | Code::OperationAborted
                | Code::InternalMalfunction
                | Code::NoLargeFileSupport
        )
    )
}
