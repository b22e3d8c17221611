//! Cutting off an end that nobody was told of.

use super::error::OpenError;
use super::head::{self, to_sql};
use super::walk::Fault;
use super::{file, walk};
use bongsu_base::Seq;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::Path;

/// Removes the entries after `after`; see [`super::SqliteLog::cut_tail`].
pub(super) fn cut_tail(path: &Path, after: Seq) -> Result<u64, OpenError> {
    let _lock = file::lock(path)?;
    if !file::exists(path)? {
        return Err(OpenError::not_a_log(path, "there is no such file"));
    }
    let connection = file::open(path, true)?;
    cut(&connection, path, after)
}

fn cut(connection: &Connection, path: &Path, after: Seq) -> Result<u64, OpenError> {
    let fault = |fault: Fault| fault.into_open_error(path);
    let (_, head) = walk::load_head(connection).map_err(fault)?;
    let tip = walk::each(connection, head.base, after, |_| true).map_err(fault)?;
    if tip.seq() != after {
        let first = head.base.seq().next();
        return Err(OpenError::NoSuchEntry {
            path: path.into(),
            after,
            first,
            last: tip.seq(),
        });
    }
    let failed = |error| OpenError::from_sqlite(path, tip.chain, &error);
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
    let cut = transaction
        .execute("DELETE FROM entries WHERE seq > ?1", [to_sql(after)])
        .map_err(failed)?;
    head::set_tip(&transaction, tip).map_err(failed)?;
    // Deleting does not mend the file's structure.
    walk::check_structure(&transaction, tip.chain).map_err(fault)?;
    transaction.commit().map_err(failed)?;
    Ok(cut as u64)
}
