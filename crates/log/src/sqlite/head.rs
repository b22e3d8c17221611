//! The one row that says where the log begins and ends.

use crate::{Chain, Link, Mark};
use bongsu_base::{LogTime, Seq};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Where the log begins and ends. It changes in the same transaction as the entries, so that an end
/// that went missing is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The last entry that was truncated away.
    pub base: Mark,
    /// The last entry.
    pub tip: Mark,
}

impl Head {
    pub(super) const EMPTY: Self = Self {
        base: Mark::EMPTY,
        tip: Mark::EMPTY,
    };

    /// The head of a log without entries that goes on after `mark`.
    pub(super) const fn after(mark: Mark) -> Self {
        Self {
            base: mark,
            tip: mark,
        }
    }
}

/// SQLite's integers are signed; a log never gets near that many entries.
pub(super) fn to_sql(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn insert(connection: &Connection, name: &str, head: Head) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO log (id, name, base_seq, base_time, base_link, tip_seq, tip_time, tip_link)
         VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            name,
            to_sql(head.base.seq()),
            head.base.time.0,
            head.base.chain.link.as_bytes(),
            to_sql(head.tip.seq()),
            head.tip.time.0,
            head.tip.chain.link.as_bytes(),
        ],
    )?;
    Ok(())
}

/// The log's name and head, or `None` when the row is missing.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<(String, Head)>> {
    connection
        .prepare_cached(
            "SELECT name, base_seq, base_time, base_link, tip_seq, tip_time, tip_link
             FROM log WHERE id = 0",
        )?
        .query_row([], |row| {
            Ok((
                row.get(0)?,
                Head {
                    base: mark(row, 1)?,
                    tip: mark(row, 4)?,
                },
            ))
        })
        .optional()
}

fn mark(row: &Row<'_>, at: usize) -> rusqlite::Result<Mark> {
    let seq: i64 = row.get(at)?;
    let seq = u64::try_from(seq).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, seq))?;
    let link = Link::from_bytes(row.get(at + 2)?);
    Ok(Mark {
        chain: Chain {
            seq: Seq(seq),
            link,
        },
        time: LogTime(row.get(at + 1)?),
    })
}

pub(super) fn set_tip(connection: &Connection, tip: Mark) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE log SET tip_seq = ?1, tip_time = ?2, tip_link = ?3 WHERE id = 0")?
        .execute(params![
            to_sql(tip.seq()),
            tip.time.0,
            tip.chain.link.as_bytes()
        ])?;
    Ok(())
}

pub(super) fn set_base(connection: &Connection, base: Mark) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE log SET base_seq = ?1, base_time = ?2, base_link = ?3 WHERE id = 0",
        )?
        .execute(params![
            to_sql(base.seq()),
            base.time.0,
            base.chain.link.as_bytes()
        ])?;
    Ok(())
}
