//! The log's file: its lock, how it is made, and how SQLite opens it.

use super::error::OpenError;
use super::head::{self, Head};
use crate::Chain;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// "BGSL", SQLite's application id of a log.
const APPLICATION_ID: i32 = 0x4247_534c;
/// The format this build reads and writes.
const FORMAT: i32 = 1;

/// Each statement exactly as `sqlite_schema` keeps it, in the order of the tables' names.
const TABLES: [&str; 2] = [
    "CREATE TABLE entries (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, body BLOB NOT NULL, \
     link BLOB NOT NULL) STRICT",
    "CREATE TABLE log (id INTEGER PRIMARY KEY, name TEXT NOT NULL, \
     base_seq INTEGER NOT NULL, base_time INTEGER NOT NULL, base_link BLOB NOT NULL, \
     tip_seq INTEGER NOT NULL, tip_time INTEGER NOT NULL, tip_link BLOB NOT NULL) STRICT",
];

/// The file beside the log with `suffix` after the log's whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Takes the lock that makes one opener the only one, until the file is closed or the process ends.
/// SQLite's own locks will not do: they are lost when any descriptor of the database is closed.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, "-lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| OpenError::io(path, format!("{}: {error}", lock_path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(path, error)),
    }
}

/// Whether there is a log to open. A file that is missing beside what it left behind is an error: the
/// newest entries may be in there, and a new log would take them for its own.
pub(super) fn exists(path: &Path) -> Result<bool, OpenError> {
    let there = |path: &Path| {
        path.try_exists()
            .map_err(|error| OpenError::io(path, error))
    };
    if there(path)? {
        return Ok(true);
    }
    let wal = beside(path, "-wal");
    if there(&wal)? {
        return Err(OpenError::not_a_log(
            path,
            format!("it is missing while {} is there", wal.display()),
        ));
    }
    Ok(false)
}

/// Makes an empty log. It appears under its name only when it is whole and durable, so that an empty
/// or half-made file under that name is always a damaged one.
pub(super) fn create(path: &Path, name: &str, page_size: u32, head: Head) -> Result<(), OpenError> {
    let draft = beside(path, "-new");
    for leftover in [
        draft.clone(),
        beside(&draft, "-wal"),
        beside(&draft, "-shm"),
    ] {
        match std::fs::remove_file(&leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenError::io(
                    path,
                    format!("{}: {error}", leftover.display()),
                ));
            }
            _ => {}
        }
    }
    fill(&draft, name, page_size, head).map_err(|what| OpenError::Io {
        path: path.into(),
        what,
    })?;
    let place = || -> std::io::Result<()> {
        File::open(&draft)?.sync_all()?;
        std::fs::rename(&draft, path)?;
        match path.parent() {
            Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    };
    place().map_err(|error| OpenError::io(path, error))
}

fn fill(draft: &Path, name: &str, page_size: u32, head: Head) -> Result<(), String> {
    let connection = connect(draft, OpenFlags::SQLITE_OPEN_CREATE).map_err(said)?;
    let prepare = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "page_size", page_size)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
    };
    prepare().map_err(said)?;
    configure_writer(&connection, true)?;
    write_tables(&connection, name, head).map_err(said)?;
    // Closing moves everything out of the WAL and removes it.
    connection.close().map_err(|(_, error)| said(error))
}

fn said(error: rusqlite::Error) -> String {
    error.to_string()
}

fn write_tables(connection: &Connection, name: &str, head: Head) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for table in TABLES {
        transaction.execute_batch(table)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    head::insert(&transaction, name, head)?;
    transaction.commit()
}

/// Opens the existing database at `path` without looking into it.
pub(super) fn connect(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Opens a second connection that only reads.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Makes a commit durable before it returns, unless it need not be. Checkpoints are left to the writer, since SQLite's
/// automatic ones swallow their errors.
fn configure_writer(connection: &Connection, durable: bool) -> Result<(), String> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(said)?;
    if mode != "wal" {
        return Err(format!(
            "SQLite keeps journal mode {mode} here, and a log needs a WAL"
        ));
    }
    let set = || -> rusqlite::Result<()> {
        let synchronous = if durable { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // What is truncated is overwritten, not only forgotten.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)
    };
    set().map_err(said)
}

/// Opens the writing connection to an existing log and checks that it is one of this format.
pub(super) fn open(path: &Path, durable: bool) -> Result<Connection, OpenError> {
    let fail = |error| OpenError::from_sqlite(path, Chain::EMPTY, &error);
    let connection = connect(path, OpenFlags::empty()).map_err(fail)?;
    let pragma = |name: &str| -> rusqlite::Result<i32> {
        connection.pragma_query_value(None, name, |row| row.get(0))
    };
    let application = pragma("application_id").map_err(fail)?;
    if application != APPLICATION_ID {
        return Err(OpenError::not_a_log(
            path,
            format!("its application id is {application:#x}"),
        ));
    }
    let format = pragma("user_version").map_err(fail)?;
    if format != FORMAT {
        let what = format!("it has format {format}, and this build reads format {FORMAT}");
        return Err(OpenError::not_a_log(path, what));
    }
    if tables(&connection).map_err(fail)? != TABLES {
        return Err(OpenError::damaged(
            path,
            Chain::EMPTY,
            "its tables are not those of a log",
        ));
    }
    configure_writer(&connection, durable).map_err(|what| OpenError::Io {
        path: path.into(),
        what,
    })?;
    // A log that cannot be written must not look open until the first append.
    if connection.is_readonly("main").map_err(fail)? {
        return Err(OpenError::io(
            path,
            "SQLite can only read it: see its permissions and its header",
        ));
    }
    Ok(connection)
}

/// Keeps the database from growing beyond `bytes`.
pub(super) fn limit(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    // SQLite has no more than 2^32 pages, and takes 0 for a question.
    let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page_size.max(1);
    connection.pragma_update(
        None,
        "max_page_count",
        pages.clamp(1, i64::from(u32::MAX) - 1),
    )
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}
