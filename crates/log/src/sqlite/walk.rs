//! Reads entries from the file and checks each against the chain.

use super::error::OpenError;
use super::head::{self, Head, to_sql};
use crate::{Chain, Entry, Link, Mark, ReadError};
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};
use std::path::Path;

/// Told now and then how many entries of how many have been checked.
pub type Progress = Box<dyn Fn(u64, u64) + Send>;

/// Entries and bytes checked within one read transaction, so that a long walk does not keep the
/// writer from recycling its WAL.
const STEP_ENTRIES: u64 = 4096;
const STEP_BYTES: usize = 4 << 20;

/// Why a walk ended before the log did.
#[derive(Debug)]
pub(super) struct Fault {
    /// Everything up to here was read and is as it was appended.
    last_good: Chain,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Damage(String),
    Sqlite(rusqlite::Error),
}

impl Fault {
    fn damage(last_good: Chain, what: impl Into<String>) -> Self {
        Self {
            last_good,
            cause: Cause::Damage(what.into()),
        }
    }

    pub(super) fn into_open_error(self, path: &Path) -> OpenError {
        match self.cause {
            Cause::Damage(what) => OpenError::damaged(path, self.last_good, what),
            Cause::Sqlite(error) => OpenError::from_sqlite(path, self.last_good, &error),
        }
    }
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        let seq = fault.last_good.seq.next();
        match fault.cause {
            Cause::Damage(what) => Self::Damaged { seq, what },
            Cause::Sqlite(error) => match error.sqlite_error_code() {
                Some(code) if super::error::is_from_the_system(code) => {
                    Self::Unavailable(error.to_string())
                }
                _ => Self::Damaged {
                    seq,
                    what: error.to_string(),
                },
            },
        }
    }
}

/// Lets `?` turn SQLite's errors into faults after `last_good`.
fn after<T>(last_good: Chain, result: rusqlite::Result<T>) -> Result<T, Fault> {
    result.map_err(|error| Fault {
        last_good,
        cause: Cause::Sqlite(error),
    })
}

/// The log's name and head.
pub(super) fn load_head(connection: &Connection) -> Result<(String, Head), Fault> {
    after(Chain::EMPTY, head::load(connection))?.ok_or_else(|| {
        Fault::damage(
            Chain::EMPTY,
            "the row that says where the log ends is missing",
        )
    })
}

/// The mark at `seq` where `base` is the log's base; `None` when there is no such entry.
pub(super) fn mark_at(
    connection: &Connection,
    base: Mark,
    seq: Seq,
) -> Result<Option<Mark>, Fault> {
    if seq == base.seq() {
        return Ok(Some(base));
    }
    let before = Chain {
        seq: Seq(seq.0.saturating_sub(1)),
        link: Link::ORIGIN,
    };
    let found = connection
        .prepare_cached("SELECT time, link FROM entries WHERE seq = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([to_sql(seq)], |row| {
                    let link = Link::from_bytes(row.get(1)?);
                    Ok(Mark {
                        chain: Chain { seq, link },
                        time: LogTime(row.get(0)?),
                    })
                })
                .optional()
        });
    after(before, found)
}

/// The highest sequence there can be.
pub(super) const END: Seq = Seq(u64::MAX);

/// Calls `take` with the entries after `from` up to `to`, each checked, until it returns `false` or
/// there are no more; returns the mark at the last one taken.
pub(super) fn each(
    connection: &Connection,
    from: Mark,
    to: Seq,
    mut take: impl FnMut(Stored<'_>) -> bool,
) -> Result<Mark, Fault> {
    let mut mark = from;
    let mut statement: CachedStatement<'_> = after(
        mark.chain,
        connection.prepare_cached(
            "SELECT seq, time, body, link FROM entries WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
        ),
    )?;
    let mut rows = after(
        mark.chain,
        statement.query([to_sql(from.seq()), to_sql(to)]),
    )?;
    while let Some(row) = after(mark.chain, rows.next())? {
        let (body, next) = check(row, mark)?;
        if !take(Stored { mark: next, body }) {
            break;
        }
        mark = next;
    }
    Ok(mark)
}

/// A checked entry whose body still lies in SQLite's page.
pub(super) struct Stored<'a> {
    pub mark: Mark,
    pub body: &'a [u8],
}

impl Stored<'_> {
    pub(super) fn to_entry(&self) -> Entry {
        Entry {
            seq: self.mark.seq(),
            time: self.mark.time,
            body: Bytes::copy_from_slice(self.body),
            link: self.mark.chain.link,
        }
    }
}

fn check<'row>(row: &'row Row<'_>, before: Mark) -> Result<(&'row [u8], Mark), Fault> {
    let damage = |what: String| Fault::damage(before.chain, what);
    let expected = before.seq().next();
    let seq: i64 = after(before.chain, row.get(0))?;
    if seq != to_sql(expected) {
        return Err(damage(format!("it is missing, and entry {seq} comes next")));
    }
    let time = LogTime(after(before.chain, row.get(1))?);
    if time < before.time {
        return Err(damage(
            "its time is before that of the entry before it".into(),
        ));
    }
    let body = after(before.chain, row.get_ref(2))?
        .as_blob()
        .map_err(|error| damage(format!("its body is not bytes: {error}")))?;
    let link = Link::from_bytes(after(before.chain, row.get(3))?);
    let chain = before.chain.extend(time, body);
    if chain.link != link {
        return Err(damage(
            "its checksum does not fit it and the entries before it".into(),
        ));
    }
    Ok((body, Mark { chain, time }))
}

/// A walk over the whole log, some entries at a time.
pub(super) struct Walk {
    at: Mark,
    done: u64,
}

/// Where a walk stands after a step.
pub(super) enum Step {
    More { done: u64, total: u64 },
    End(Head),
}

impl Walk {
    /// A walk from `base`.
    pub(super) fn from(base: Mark) -> Self {
        Self { at: base, done: 0 }
    }

    /// How many entries it has checked.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Checks some more entries and, at the end, that the log ends where its head says.
    pub(super) fn step(&mut self, connection: &Connection) -> Result<Step, Fault> {
        let transaction = after(self.at.chain, connection.unchecked_transaction())?;
        let (_, head) = load_head(&transaction)?;
        if self.at.seq() < head.base.seq() {
            // What the walk had not reached yet was truncated meanwhile.
            self.at = head.base;
        }
        let (mut entries, mut bytes, mut more) = (0, 0, false);
        self.at = each(&transaction, self.at, END, |row| {
            more = entries == STEP_ENTRIES || bytes > STEP_BYTES;
            if !more {
                entries += 1;
                bytes += row.body.len();
            }
            !more
        })?;
        self.done += entries;
        let total = head
            .tip
            .seq()
            .0
            .saturating_sub(head.base.seq().0)
            .max(self.done);
        if more {
            return Ok(Step::More {
                done: self.done,
                total,
            });
        }
        if self.at == head.tip {
            return Ok(Step::End(head));
        }
        let what = format!(
            "the log ends before it, and its head names entry {}",
            head.tip.seq()
        );
        Err(Fault::damage(self.at.chain, what))
    }
}

/// Checks the whole log; nobody writes meanwhile.
pub(super) fn walk(connection: &Connection, progress: Option<&Progress>) -> Result<Head, Fault> {
    let (_, head) = load_head(connection)?;
    let first: Option<i64> = after(
        Chain::EMPTY,
        connection.query_row("SELECT min(seq) FROM entries", [], |row| row.get(0)),
    )?;
    if let Some(first) = first
        && first <= to_sql(head.base.seq())
    {
        let what = format!(
            "entry {first} is there although the log begins after {}",
            head.base.seq()
        );
        return Err(Fault::damage(head.base.chain, what));
    }
    let mut walk = Walk::from(head.base);
    loop {
        match walk.step(connection)? {
            Step::More { done, total } => {
                if let Some(progress) = progress {
                    progress(done, total);
                }
            }
            Step::End(head) => {
                check_structure(connection, head.tip.chain)?;
                if let Some(progress) = progress {
                    progress(walk.done(), walk.done());
                }
                return Ok(head);
            }
        }
    }
}

/// Checks what the entries cannot show: a page in use that is also listed as free would be overwritten
/// by a later append.
pub(super) fn check_structure(connection: &Connection, good: Chain) -> Result<(), Fault> {
    let verdict: String = after(
        good,
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)),
    )?;
    if verdict == "ok" {
        return Ok(());
    }
    let what =
        format!("all entries before it are good, but the file's structure is not: {verdict}");
    Err(Fault::damage(good, what))
}
