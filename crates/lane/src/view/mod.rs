//! The SQLite file that a lane maintains: the domain's tables, the lane's own, and how far it has come.

mod check;
mod digest;
mod journal;
mod readers;
mod seal;

pub use check::{CheckError, Checked, check_file};
pub use digest::Digest;
pub(crate) use digest::{Digester, Writer};
pub(crate) use journal::Journal;
pub(crate) use readers::Readers;
pub use readers::{ReadError, ReadView};
pub(crate) use seal::{progress, set_progress};

use crate::domain::Domain;
use crate::known;
use bongsu_base::{LogTime, ProcessId, Seq};
use bongsu_log::Chain;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::collections::BTreeMap;
use std::path::Path;

/// The lane's own tables, before those of the domain. They are part of the digest, but for `lane_meta` and the
/// index over the outcomes.
const LANE_SCHEMA: &str = "
CREATE TABLE lane_meta (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    domain         TEXT    NOT NULL,
    applied        INTEGER NOT NULL,
    applied_time   INTEGER NOT NULL,
    link           BLOB    NOT NULL,
    digest         BLOB    NOT NULL,
    active_version INTEGER NOT NULL,
    schema         BLOB    NOT NULL,
    seal           BLOB    NOT NULL
);
CREATE TABLE lane_effect (
    id   INTEGER PRIMARY KEY,
    body BLOB    NOT NULL
);
CREATE TABLE lane_lease (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    holder BLOB    NOT NULL,
    until  INTEGER NOT NULL
);
CREATE TABLE lane_site (
    site TEXT    PRIMARY KEY,
    held INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What became of each record; [`crate::known`] finds it by the record's id.
pub(crate) const OUTCOMES: &str = "
CREATE TABLE lane_outcome (
    position INTEGER PRIMARY KEY,
    record   BLOB    NOT NULL,
    time     INTEGER NOT NULL,
    body     BLOB    NOT NULL
);
";

/// How far a view has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The chain up to the last entry applied.
    pub chain: Chain,
    /// That entry's time.
    pub time: LogTime,
    /// The digest of the state after it.
    pub digest: Digest,
    /// The behaviour that was active after it.
    pub active_version: u32,
}

impl Progress {
    /// Before the first entry.
    const NONE: Self = Self {
        chain: Chain::EMPTY,
        time: LogTime(0),
        digest: Digest::EMPTY,
        active_version: 1,
    };
}

/// Who runs the effects, as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    pub holder: ProcessId,
    pub until: LogTime,
}

/// Why a view could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewError {
    #[error(
        "schema version {found} is newer than this program knows ({known}); run a newer release"
    )]
    NewerSchema { found: usize, known: usize },
    #[error("it belongs to the domain `{found}`")]
    OtherDomain { found: String },
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The last entry that the view at `path` has applied, as it says itself; `None` when there is no view, or
/// none that can be read.
#[must_use]
pub fn applied(path: &Path) -> Option<Seq> {
    let db = open_reader(path).ok()?;
    progress(&db).ok().map(|progress| progress.chain.seq)
}

/// What a view has to be brought to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub domain: &'a str,
    pub migrations: &'a [&'a str],
    pub migrated: fn(&Connection) -> rusqlite::Result<()>,
}

impl Schema<'static> {
    pub fn of<D: Domain>() -> Self {
        Self {
            domain: D::NAME,
            migrations: D::MIGRATIONS,
            migrated: D::migrated,
        }
    }
}

/// Opens the writing connection of a view, creating the file and bringing its schema up to date.
pub(crate) fn open_writer(
    path: &Path,
    schema: &Schema<'_>,
    durable: bool,
) -> Result<Connection, ViewError> {
    let mut db = Connection::open(path)?;
    settle_plans(&db)?;
    db.set_prepared_statement_cache_capacity(512);
    db.pragma_update(None, "page_size", 4096)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", if durable { "NORMAL" } else { "OFF" })?;
    db.pragma_update(None, "foreign_keys", "OFF")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // Not more: where a transaction split a page out of order, SQLite looks at the whole cache at its end.
    db.pragma_update(None, "cache_size", -16 * 1024)?;
    // A lane that runs sees to its journal itself, before it is as long as this.
    let longest = if durable { 64_000 } else { 4_000 };
    db.pragma_update(None, "wal_autocheckpoint", longest)?;
    // What is deleted is overwritten in the file at once. The journal is made empty after each snapshot; whenever it
    // begins anew it keeps its length, since to give 16 MiB back holds up whoever syncs a file beside it.
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    migrate(&mut db, schema)?;
    Ok(db)
}

/// Brings the schema up to date, and the digest with it: a migration may write rows.
fn migrate(db: &mut Connection, schema: &Schema<'_>) -> Result<(), ViewError> {
    let Schema {
        domain, migrations, ..
    } = *schema;
    let found: usize =
        db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? as usize;
    if found > migrations.len() {
        return Err(ViewError::NewerSchema {
            found,
            known: migrations.len(),
        });
    }
    let transaction = db.transaction()?;
    let fresh = !table_exists(&transaction, "lane_meta")?;
    if fresh {
        transaction.execute_batch(LANE_SCHEMA)?;
        transaction.execute_batch(OUTCOMES)?;
        transaction.execute_batch(known::SCHEMA)?;
        transaction.execute(
            "INSERT INTO lane_meta VALUES (1, ?1, 0, 0, x'', x'', 1, x'', x'')",
            [domain],
        )?;
    }
    let owner: String =
        transaction.query_row("SELECT domain FROM lane_meta", (), |row| row.get(0))?;
    if owner != domain {
        return Err(ViewError::OtherDomain { found: owner });
    }
    let introduces = !table_exists(&transaction, "lane_known")?;
    if !fresh && !introduces && found == migrations.len() {
        return Ok(());
    }
    if introduces {
        known::introduce(&transaction)?;
    }
    let before = if fresh {
        Progress::NONE
    } else {
        progress(&transaction)?
    };
    for migration in &migrations[found..] {
        transaction.execute_batch(migration)?;
    }
    (schema.migrated)(&transaction)?;
    transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    seal::set_schema(&transaction)?;
    let digest = digest::scan(&transaction, |_| ())?;
    set_progress(&transaction, &Progress { digest, ..before })?;
    transaction.commit()?;
    Ok(())
}

fn table_exists(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [name],
        |_| Ok(()),
    )
    .optional()
    .map(|found| found.is_some())
}

/// Has a statement's plan depend on the statement alone. Otherwise SQLite plans many of them anew each
/// time values are bound, since values could matter to the plan; that was a third of what a sync cost.
fn settle_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    settle_plans(&db)?;
    db.set_prepared_statement_cache_capacity(256);
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // Pages that were read last only help within one look: after the next commit they are read anew.
    db.pragma_update(None, "cache_size", -2 * 1024)?;
    Ok(db)
}

/// Reads who holds the lane's lease.
pub(crate) fn lease(db: &Connection) -> rusqlite::Result<Option<Lease>> {
    db.prepare_cached("SELECT holder, until FROM lane_lease")?
        .query_row((), |row| {
            Ok(Lease {
                holder: ProcessId::from_bytes(row.get(0)?),
                until: LogTime(row.get(1)?),
            })
        })
        .optional()
}

/// Up to which entry each data centre said that it needs the log no longer.
pub(crate) fn held(db: &Connection) -> rusqlite::Result<BTreeMap<String, Seq>> {
    db.prepare_cached("SELECT site, held FROM lane_site ORDER BY site")?
        .query_map((), |row| {
            Ok((row.get(0)?, Seq(row.get::<_, i64>(1)? as u64)))
        })?
        .collect()
}
