//! A view's journal, written to the disk while it grows and moved into the view's file before it is long.
//!
//! What was committed to a view may be lost in a power cut, since the log has it: a commit waits for no disk. But before
//! SQLite moves the journal into the file all of it has to be on the disk, and left alone that are 16 MiB at once, for
//! which the commits of the log wait as well. So a thread that nobody waits for has it written a MiB at a time, and it
//! is moved once whoever waited for a commit was answered.

use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How long it may become before it is moved, in bytes: 4,000 pages.
const LONG: u64 = 4_000 * 4_120;
/// How much more there is before it is tried again where readers were in the way.
const AGAIN: u64 = LONG / 4;
/// How much may wait for the disk.
const STEP: u64 = 1 << 20;

/// The journal of one view.
pub(crate) struct Journal {
    path: PathBuf,
    open: Option<Open>,
    /// How long it was when it was last written to the disk.
    written: u64,
    /// How long it has to be to be moved.
    long: u64,
}

/// The file, and whoever writes it to the disk.
struct Open {
    file: File,
    wanted: SyncSender<()>,
}

impl Journal {
    /// The journal of the view at `view`.
    pub fn of(view: &Path) -> Self {
        let mut path = view.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            open: None,
            written: 0,
            long: LONG,
        }
    }

    /// Something was committed to `db`: sees to what there is to do.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn committed(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let Some(length) = self.grown() else {
            return Ok(());
        };
        if length >= self.long {
            self.long = length + AGAIN;
            db.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
                .query_row((), |_| Ok(()))?;
        }
        Ok(())
    }

    /// How long it is. What has come is on its way to the disk if it is much.
    fn grown(&mut self) -> Option<u64> {
        if self.open.is_none() {
            self.open = open(&self.path).ok();
        }
        let Open { file, wanted } = self.open.as_ref()?;
        let length = file.metadata().ok()?.len();
        if length < self.written {
            // It began anew.
            (self.written, self.long) = (0, LONG);
        }
        // Who is still writing takes this along.
        if length - self.written >= STEP && wanted.try_send(()).is_ok() {
            self.written = length;
        }
        Some(length)
    }
}

fn open(path: &Path) -> std::io::Result<Open> {
    let file = File::open(path)?;
    let (wanted, wants) = sync_channel(1);
    let behind = file.try_clone()?;
    std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || write(&behind, &wants))?;
    Ok(Open { file, wanted })
}

/// Writes the journal to the disk whenever that is wanted, until its view is closed.
fn write(file: &File, wants: &Receiver<()>) {
    while wants.recv().is_ok() {
        if let Err(error) = file.sync_data() {
            // SQLite meets it too, and stops the lane then.
            tracing::warn!(%error, "a view's journal cannot be written to the disk");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_journal_is_moved_into_the_file_and_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("view.sqlite");
        let migrations = ["CREATE TABLE line (n INTEGER PRIMARY KEY, body BLOB NOT NULL)"];
        let db = super::super::open_writer(&path, "test", &migrations, true).expect("opened");
        let mut journal = Journal::of(&path);
        let (mut longest, mut began_anew) = (0, 0);
        for n in 0..120 {
            db.execute("INSERT INTO line VALUES (?1, zeroblob(400000))", [n])
                .expect("written");
            journal.committed(&db).expect("kept short");
            let length = std::fs::metadata(&journal.path).expect("a file").len();
            began_anew += u32::from(length < longest / 2);
            longest = longest.max(length);
            if length < longest / 2 {
                longest = length;
            }
        }
        assert!(began_anew >= 2, "it began anew {began_anew} times");
        let bytes = std::fs::metadata(&path).expect("a file").len();
        assert!(bytes > 32 << 20, "{bytes} bytes are in the file");
    }

    #[test]
    fn a_reader_in_the_way_stops_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("view.sqlite");
        let migrations = ["CREATE TABLE line (n INTEGER PRIMARY KEY, body BLOB NOT NULL)"];
        let db = super::super::open_writer(&path, "test", &migrations, true).expect("opened");
        let mut journal = Journal::of(&path);
        let reader = super::super::open_reader(&path).expect("opened");
        reader
            .execute_batch("BEGIN; SELECT * FROM line")
            .expect("looks");
        for n in 0..60 {
            db.execute("INSERT INTO line VALUES (?1, zeroblob(400000))", [n])
                .expect("written");
            journal.committed(&db).expect("kept short");
        }
        assert!(journal.grown().expect("a file") > LONG);
        reader.execute_batch("COMMIT").expect("looks away");
        for n in 60..80 {
            db.execute("INSERT INTO line VALUES (?1, zeroblob(400000))", [n])
                .expect("written");
            journal.committed(&db).expect("kept short");
        }
        assert!(journal.grown().expect("a file") < LONG);
    }
}
