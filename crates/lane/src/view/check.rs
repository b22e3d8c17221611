//! Looking over a view's file before trusting it.

use super::seal::check_schema;
use super::{Progress, digest, open_reader, progress};
use crate::known;
use std::path::Path;

/// What a sound view says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// How far it has come.
    pub progress: Progress,
    /// Rows read.
    pub rows: u64,
}

/// What is wrong with a view's file.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// SQLite finds its structure broken.
    #[error("its structure is broken: {0}")]
    Structure(String),
    /// It is whole, but what it holds is not what was written.
    #[error("its content has the digest {found}, but {expected} was written")]
    Content {
        /// What the rows add up to.
        found: digest::Digest,
        /// What the view says they should.
        expected: digest::Digest,
    },
}

impl From<rusqlite::Error> for CheckError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Structure(error.to_string())
    }
}

/// Reads the whole file at `path`: its structure (`PRAGMA integrity_check`), its schema and its
/// content's digest.
/// `seen` is told how many rows have been read.
///
/// # Errors
/// See [`CheckError`].
pub fn check_file(path: &Path, mut seen: impl FnMut(u64)) -> Result<Checked, CheckError> {
    if !path.exists() {
        return Err(CheckError::Missing);
    }
    let db = open_reader(path)?;
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CheckError::Structure(
            verdict.lines().last().unwrap_or_default().to_owned(),
        ));
    }
    db.execute_batch("BEGIN DEFERRED")?;
    let progress = progress(&db)?;
    check_schema(&db)?;
    let mut rows = 0;
    let found = digest::scan(&db, |count| {
        rows = count;
        seen(count);
    })?;
    db.execute_batch("COMMIT")?;
    if known::missing(&db)? > 0 {
        let what = "outcomes are missing from the index over records".to_owned();
        return Err(CheckError::Structure(what));
    }
    if found != progress.digest {
        return Err(CheckError::Content {
            found,
            expected: progress.digest,
        });
    }
    Ok(Checked { progress, rows })
}
