//! Dropping the oldest entries in bounded steps.

use super::head::{self, to_sql};
use super::writer::file_bytes;
use crate::{Chain, Link, Mark};
use bongsu_base::{LogTime, Seq};
use rusqlite::{Connection, TransactionBehavior};

/// What one step adds to the WAL, roughly.
pub(super) const STEP_BYTES: usize = 1 << 20;
/// Entries deleted in one step.
const STEP_ENTRIES: u64 = 1024;
/// Pages given back to the file system in one step.
const STEP_PAGES: u32 = 256;

/// Where a truncation stands: the log now begins after `base`.
pub(super) enum Progress {
    More { base: Mark, file_bytes: u64 },
    Done { base: Mark, file_bytes: u64 },
}

/// Deletes some of the entries before `keep_from` and moves the base in the same transaction.
pub(super) fn step(connection: &mut Connection, keep_from: Seq) -> rusqlite::Result<Progress> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let head = match head::load(&transaction)? {
        Some((_, head)) => head,
        None => return Err(rusqlite::Error::QueryReturnedNoRows),
    };
    let goal = Seq(keep_from.0.saturating_sub(1)).min(head.tip.seq());
    if goal <= head.base.seq() {
        let file_bytes = file_bytes(&transaction)?;
        return Ok(Progress::Done {
            base: head.base,
            file_bytes,
        });
    }
    let seq = goal.min(Seq(head.base.seq().0 + STEP_ENTRIES));
    let base = transaction
        .prepare_cached("SELECT time, link FROM entries WHERE seq = ?1")?
        .query_row([to_sql(seq)], |row| {
            let link = Link::from_bytes(row.get(1)?);
            Ok(Mark {
                chain: Chain { seq, link },
                time: LogTime(row.get(0)?),
            })
        })?;
    transaction
        .prepare_cached("DELETE FROM entries WHERE seq <= ?1")?
        .execute([to_sql(seq)])?;
    head::set_base(&transaction, base)?;
    let file_bytes = file_bytes(&transaction)?;
    transaction.commit()?;
    if seq < goal {
        Ok(Progress::More { base, file_bytes })
    } else {
        Ok(Progress::Done { base, file_bytes })
    }
}

/// Gives some free pages back to the file system; returns whether there are more.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(free > 0)
}
