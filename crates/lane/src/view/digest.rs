//! The digest of a view's whole content, kept up to date row by row.
//!
//! It is an additive multiset hash: the sum, modulo 2^256 in four words, of the BLAKE3 hashes of all
//! rows (Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing", AdHash). Adding a row
//! adds its hash, removing one subtracts it, so the digest depends on the content alone, not on how it
//! came about: replicas that restored different snapshots can be compared, and a scan of the file shows
//! whether it still is what was written. It guards against faults, not against a forger.
//!
//! The changes are caught by temporary triggers on every table, which call an SQL function.

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use std::fmt;
use std::sync::Arc;

/// 256 bits that stand for a view's whole content.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest([u64; 4]);

impl Digest {
    /// The digest of a view without rows.
    pub const EMPTY: Self = Self([0; 4]);

    /// The digest as stored.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// From what [`Self::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        Self(words)
    }

    fn add(&mut self, row: [u8; 32]) {
        for (word, other) in self.0.iter_mut().zip(Self::from_bytes(row).0) {
            *word = word.wrapping_add(other);
        }
    }

    fn subtract(&mut self, row: [u8; 32]) {
        for (word, other) in self.0.iter_mut().zip(Self::from_bytes(row).0) {
            *word = word.wrapping_sub(other);
        }
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

/// Follows the changes of one writing connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digester {
    sum: Arc<Mutex<Digest>>,
}

impl Digester {
    /// Begins to follow `db`, whose content has the digest `start`.
    pub fn attach(db: &Connection, start: Digest) -> rusqlite::Result<Self> {
        let digester = Self {
            sum: Arc::new(Mutex::new(start)),
        };
        let sum = digester.sum.clone();
        let buffer = Mutex::new(Vec::new());
        let flags = FunctionFlags::SQLITE_UTF8;
        db.create_scalar_function("lane_digest", -1, flags, move |args: &Context<'_>| {
            // The table's name, then the old row if there was one, then the new one if there is.
            let (had, has) = (args.get::<bool>(0)?, args.get::<bool>(1)?);
            let columns = (args.len() - 3) / (usize::from(had) + usize::from(has));
            let mut buffer = buffer.lock();
            let mut row = |from: usize| {
                hash_row(&mut buffer, columns + 1, |n| match n {
                    0 => args.get_raw(2),
                    n => args.get_raw(from + n - 1),
                })
            };
            let mut sum = sum.lock();
            if had {
                sum.subtract(row(3));
            }
            if has {
                sum.add(row(if had { 3 + columns } else { 3 }));
            }
            Ok(0)
        })?;
        for table in tables(db)? {
            let columns = columns(db, &table)?;
            let list = |prefix: &str| {
                columns
                    .iter()
                    .map(|c| format!("{prefix}.\"{c}\""))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let (old, new) = (list("OLD"), list("NEW"));
            db.execute_batch(&format!(
                "CREATE TEMP TRIGGER \"digest_{table}_i\" AFTER INSERT ON main.\"{table}\"
                   BEGIN SELECT lane_digest(0, 1, '{table}', {new}); END;
                 CREATE TEMP TRIGGER \"digest_{table}_d\" AFTER DELETE ON main.\"{table}\"
                   BEGIN SELECT lane_digest(1, 0, '{table}', {old}); END;
                 CREATE TEMP TRIGGER \"digest_{table}_u\" AFTER UPDATE ON main.\"{table}\"
                   BEGIN SELECT lane_digest(1, 1, '{table}', {old}, {new}); END;"
            ))?;
        }
        Ok(digester)
    }

    pub fn get(&self) -> Digest {
        *self.sum.lock()
    }

    /// Goes back to an earlier digest, when the changes since then were rolled back.
    pub fn set(&self, digest: Digest) {
        *self.sum.lock() = digest;
    }
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
            let hash = hash_row(&mut buffer, columns.len() + 1, |n| match n {
                0 => ValueRef::Text(table.as_bytes()),
                n => row.get_ref_unwrap(n - 1),
            });
            digest.add(hash);
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
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'lane_meta' ORDER BY name",
    )?;
    let names = statement.query_map((), |row| row.get(0))?;
    names.collect()
}

fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// The hash of a row: each value by its type, its length and its bytes. `buffer` is only there to be
/// used again.
fn hash_row<'a>(
    buffer: &mut Vec<u8>,
    len: usize,
    value: impl Fn(usize) -> ValueRef<'a>,
) -> [u8; 32] {
    buffer.clear();
    for n in 0..len {
        let (kind, bytes): (u8, &[u8]) = match &value(n) {
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
    *blake3::hash(buffer).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> (Connection, Digester) {
        let db = Connection::open_in_memory().expect("opens");
        db.pragma_update(None, "recursive_triggers", "ON")
            .expect("known pragma");
        db.execute_batch(
            "CREATE TABLE room (n INTEGER PRIMARY KEY, id TEXT UNIQUE, topic TEXT);
             CREATE TABLE member (room INTEGER, user TEXT, since INTEGER, PRIMARY KEY (room, user)) WITHOUT ROWID;",
        )
        .expect("valid schema");
        let digester = Digester::attach(&db, Digest::EMPTY).expect("attaches");
        (db, digester)
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
}
