//! A data folder belongs to one process at a time.

use super::DataDir;
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

/// The lock on a data folder; it ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder for this process, which is about to `verb`.
    pub fn take(data: &DataDir, verb: &str) -> Result<Self> {
        let path = data.root().join("lock");
        let failed = || format!("the lock {} cannot be taken", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).with_context(failed)?;
                let holder = if holder.trim().is_empty() {
                    "another process"
                } else {
                    holder.trim()
                };
                bail!(
                    "the data folder {} is in use by {holder}; stop that first, or name another folder with --data",
                    data.root().display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        file.set_len(0).with_context(failed)?;
        file.rewind().with_context(failed)?;
        writeln!(file, "process {} (bongsu {verb})", std::process::id()).with_context(failed)?;
        Ok(Self { _file: file })
    }

    /// Whether some process has the folder.
    pub fn is_taken(data: &DataDir) -> bool {
        let file = File::open(data.root().join("lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}
