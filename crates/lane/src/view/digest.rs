//! The digest of a view's whole content, kept up to date row by row.
//!
//! It is an additive multiset hash: the sum, modulo 2^128, of the XXH3 hashes of all rows (Bellare and
//! Micciancio, "A New Paradigm for Collision-Free Hashing", AdHash; the xxHash specification, XXH3
//! 128-bit). Adding a row adds its hash, removing one subtracts it, so the digest depends on the content
//! alone, not on how it came about: replicas that restored different snapshots can be compared, and a
//! scan of the file shows whether it still is what was written. It guards against faults, not against a
//! forger.
//!
//! The changes are told by SQLite's pre-update hook.

use bongsu_preupdate::{Change, Kind, Watched, Watcher};
use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::fmt;
use std::sync::Arc;
use twox_hash::XxHash3_128;

/// 128 bits that stand for a view's whole content.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(u128);

impl Digest {
    /// The digest of a view without rows.
    pub const EMPTY: Self = Self(0);

    /// The digest as stored.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// From what [`Self::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    fn add(&mut self, row: u128) {
        self.0 = self.0.wrapping_add(row);
    }

    fn subtract(&mut self, row: u128) {
        self.0 = self.0.wrapping_sub(row);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Whether the digest leaves `table` out: the row that holds it, and what is derived from other tables.
fn is_apart(table: &str) -> bool {
    matches!(table, "lane_meta" | "lane_known" | "lane_known_upto") || table.starts_with("derived_")
}

/// The writing connection of a view, followed by its digest.
pub(crate) type Writer = Watched<Follower>;

/// The digest of what one writing connection has written.
#[derive(Debug, Clone)]
pub(crate) struct Digester {
    sum: Arc<Mutex<Sum>>,
}

#[derive(Debug)]
struct Sum {
    digest: Digest,
    /// Why a change could not be read; from then on the digest says nothing.
    failed: Option<rusqlite::Error>,
}

/// What is told of the connection's changes.
pub(crate) struct Follower {
    sum: Arc<Mutex<Sum>>,
    buffer: Vec<u8>,
}

impl Digester {
    /// Begins to follow `db`, whose content has the digest `start`.
    pub fn attach(db: Connection, start: Digest) -> (Writer, Self) {
        let sum = Arc::new(Mutex::new(Sum {
            digest: start,
            failed: None,
        }));
        let follower = Follower {
            sum: sum.clone(),
            buffer: Vec::new(),
        };
        (Watched::new(db, follower), Self { sum })
    }

    pub fn get(&self) -> Digest {
        self.sum.lock().digest
    }

    /// Goes back to an earlier digest, when the changes since then were rolled back.
    pub fn set(&self, digest: Digest) {
        self.sum.lock().digest = digest;
    }

    /// Whether every change could be read.
    ///
    /// # Errors
    /// When one could not, for want of memory or because the file could not be read.
    pub fn check(&self) -> rusqlite::Result<()> {
        self.sum.lock().failed.take().map_or(Ok(()), Err)
    }
}

impl Watcher for Follower {
    fn change(&mut self, change: &Change<'_>) {
        if change.schema() != c"main" || change.table().to_str().is_ok_and(is_apart) {
            return;
        }
        let mut sum = self.sum.lock();
        if let Err(error) = follow(&mut sum.digest, &mut self.buffer, change) {
            sum.failed = Some(error);
        }
    }
}

fn follow(digest: &mut Digest, buffer: &mut Vec<u8>, change: &Change<'_>) -> rusqlite::Result<()> {
    let table = change.table().to_bytes();
    let columns = change.columns();
    if change.kind() != Kind::Insert {
        begin_row(buffer, table);
        for column in 0..columns {
            add_value(buffer, change.before(column)?);
        }
        digest.subtract(hash(buffer));
    }
    if change.kind() != Kind::Delete {
        begin_row(buffer, table);
        for column in 0..columns {
            add_value(buffer, change.after(column)?);
        }
        digest.add(hash(buffer));
    }
    Ok(())
}

/// Takes the digest of everything in `db` by reading it. `seen` is told the rows read so far.
pub(crate) fn scan(db: &Connection, mut seen: impl FnMut(u64)) -> rusqlite::Result<Digest> {
    let mut digest = Digest::EMPTY;
    let mut count = 0;
    let mut buffer = Vec::new();
    for table in tables(db)? {
        let columns = columns(db, &table)?;
        let list = columns
            .iter()
            .map(|c| format!("\"{c}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let mut statement = db.prepare(&format!("SELECT {list} FROM main.\"{table}\""))?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            begin_row(&mut buffer, table.as_bytes());
            for column in 0..columns.len() {
                add_value(&mut buffer, row.get_ref(column)?);
            }
            digest.add(hash(&buffer));
            count += 1;
            seen(count);
        }
    }
    Ok(digest)
}

/// The tables that the digest covers.
fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(
        "SELECT name FROM main.sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let names = statement.query_map((), |row| row.get(0))?;
    let mut names: Vec<String> = names.collect::<Result<_, _>>()?;
    names.retain(|name| !is_apart(name));
    Ok(names)
}

fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// What is hashed of a row: its table and each value, by type, length and bytes. `buffer` is only there
/// to be used again.
fn begin_row(buffer: &mut Vec<u8>, table: &[u8]) {
    buffer.clear();
    add_value(buffer, ValueRef::Text(table));
}

fn add_value(buffer: &mut Vec<u8>, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match &value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_le_bytes()),
        ValueRef::Real(number) => (2, &number.to_le_bytes()),
        ValueRef::Text(bytes) => (3, *bytes),
        ValueRef::Blob(bytes) => (4, *bytes),
    };
    buffer.push(kind);
    buffer.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    buffer.extend_from_slice(bytes);
}

fn hash(row: &[u8]) -> u128 {
    XxHash3_128::oneshot(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> (Writer, Digester) {
        let db = Connection::open_in_memory().expect("opens");
        db.execute_batch(
            "CREATE TABLE room (n INTEGER PRIMARY KEY, id TEXT UNIQUE, topic TEXT);
             CREATE TABLE member (room INTEGER, user TEXT, since INTEGER, PRIMARY KEY (room, user)) WITHOUT ROWID;",
        )
        .expect("valid schema");
        Digester::attach(db, Digest::EMPTY)
    }

    #[test]
    fn the_digest_kept_equals_the_digest_read() {
        let (db, digester) = view();
        db.execute_batch(
            "INSERT INTO room VALUES (1, '!a', NULL), (2, '!b', 'tea');
             INSERT INTO member VALUES (1, '@m', 5), (2, '@m', 6);
             UPDATE room SET topic = 'coffee' WHERE n = 1;
             INSERT OR REPLACE INTO room VALUES (3, '!b', 'milk');
             INSERT INTO member VALUES (1, '@m', 9) ON CONFLICT DO UPDATE SET since = excluded.since;
             DELETE FROM member WHERE room = 2;",
        )
        .expect("valid statements");
        assert_eq!(digester.get(), scan(&db, |_| ()).expect("reads"));
        assert_ne!(digester.get(), Digest::EMPTY);
        db.execute_batch("DELETE FROM room; DELETE FROM member;")
            .expect("valid statements");
        assert_eq!(digester.get(), Digest::EMPTY);
    }

    #[test]
    fn the_digest_tells_values_apart_by_type_place_and_table() {
        let digest = |sql: &str| {
            let (db, digester) = view();
            db.execute_batch(sql).expect("valid statements");
            digester.get()
        };
        let all = [
            digest("INSERT INTO room VALUES (1, '1', NULL)"),
            digest("INSERT INTO room VALUES (1, NULL, '1')"),
            digest("INSERT INTO room VALUES (1, x'31', NULL)"),
            digest("INSERT INTO room VALUES (2, '1', NULL)"),
            digest("INSERT INTO member VALUES (1, '1', NULL)"),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{n}");
        }
    }

    #[test]
    fn what_is_derived_is_left_out() {
        let (db, digester) = view();
        db.execute_batch(
            "CREATE TABLE derived_rooms (n INTEGER PRIMARY KEY); INSERT INTO derived_rooms VALUES (1)",
        )
        .expect("valid statements");
        assert_eq!(digester.get(), Digest::EMPTY);
        assert_eq!(scan(&db, |_| ()).expect("reads"), Digest::EMPTY);
    }
}
