//! Why a log's file cannot be opened.

use crate::Chain;
use bongsu_base::Seq;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why a log's file cannot be opened. Opening never repairs anything.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has the log open.
    #[error("the log {} is already open elsewhere; stop the other process first", path.display())]
    Locked {
        /// The log's file.
        path: PathBuf,
    },
    /// The file is not a log, or not this one.
    #[error(
        "{} cannot be used as this log: {what}; if it was this log once, restore it with `bongsu restore`",
        path.display()
    )]
    NotALog {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The file is a log, but not all that was appended can be read back as it was.
    #[error(
        "the log {} is damaged at entry {seq}: {what}; the last good entry is {}; restore it with `bongsu restore`",
        path.display(),
        last_good.seq
    )]
    Damaged {
        /// The log's file.
        path: PathBuf,
        /// The first entry that is missing, altered or cannot be trusted.
        seq: Seq,
        /// What is wrong.
        what: String,
        /// The chain up to the last entry before the damage.
        last_good: Chain,
    },
    /// The log was to be cut after an entry it does not hold.
    #[error("the log {} cannot be cut after entry {after}: it holds {first} to {last}", path.display())]
    NoSuchEntry {
        /// The log's file.
        path: PathBuf,
        /// The entry asked for.
        after: Seq,
        /// The first entry that can be read.
        first: Seq,
        /// The last entry.
        last: Seq,
    },
    /// The file could not be read or written.
    #[error("the log {} cannot be opened: {what}", path.display())]
    Io {
        /// The log's file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
}

impl OpenError {
    pub(super) fn not_a_log(path: &Path, what: impl Into<String>) -> Self {
        Self::NotALog {
            path: path.into(),
            what: what.into(),
        }
    }

    pub(super) fn io(path: &Path, what: impl ToString) -> Self {
        Self::Io {
            path: path.into(),
            what: what.to_string(),
        }
    }

    /// The error at the entry after `last_good`.
    pub(super) fn damaged(path: &Path, last_good: Chain, what: impl Into<String>) -> Self {
        let seq = last_good.seq.next();
        Self::Damaged {
            path: path.into(),
            seq,
            what: what.into(),
            last_good,
        }
    }

    /// What an error of SQLite means when everything up to `last_good` was found good.
    pub(super) fn from_sqlite(path: &Path, last_good: Chain, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::not_a_log(path, "it is not an SQLite database"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { path: path.into() }
            }
            Some(code) if is_from_the_system(code) => Self::io(path, error),
            _ => Self::damaged(path, last_good, error.to_string()),
        }
    }
}

/// Whether SQLite got this from the operating system, so that the file itself may be sound.
pub(super) fn is_from_the_system(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly
            | ErrorCode::OperationInterrupted
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NoLargeFileSupport
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
    )
}
