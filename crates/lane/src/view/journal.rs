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

/// How long it may become before it is moved, in pages.
const LONG: i64 = 4_000;
/// How many more there are before it is tried again where readers were in the way.
const AGAIN: i64 = LONG / 4;
/// How many may wait for the disk.
const STEP: i64 = 256;

/// The journal of one view.
pub(crate) struct Journal {
    path: PathBuf,
    /// Has it written to the disk; `None` before it is there.
    writer: Option<SyncSender<()>>,
    /// How long it was when it was last written to the disk.
    written: i64,
    /// How long it has to be to be moved.
    long: i64,
}

impl Journal {
    /// The journal of the view at `view`.
    pub fn of(view: &Path) -> Self {
        let mut path = view.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            writer: None,
            written: 0,
            long: LONG,
        }
    }

    /// Something was committed to `db`: sees to what there is to do.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn committed(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let length = length(db)?;
        if length < self.written {
            // It began anew.
            (self.written, self.long) = (0, LONG);
        }
        if length - self.written >= STEP {
            if self.writer.is_none() {
                self.writer = writer(&self.path).ok();
            }
            // Who is still writing takes this along.
            let asked = self.writer.as_ref().map(|writer| writer.try_send(()));
            if asked.is_some_and(|asked| asked.is_ok()) {
                self.written = length;
            }
        }
        if length >= self.long {
            self.long = length + AGAIN;
            db.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
                .query_row((), |_| Ok(()))?;
        }
        Ok(())
    }
}

/// How many pages stand in the journal.
fn length(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row((), |row| row.get(1))
}

fn writer(path: &Path) -> std::io::Result<SyncSender<()>> {
    let file = File::open(path)?;
    let (wanted, wants) = sync_channel(1);
    std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || write(&file, &wants))?;
    Ok(wanted)
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
    use crate::view::{Schema, open_reader, open_writer};
    use std::ops::Range;
    use tempfile::TempDir;

    struct Bench {
        folder: TempDir,
        db: Connection,
        journal: Journal,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("view.sqlite");
            let schema = Schema {
                domain: "test",
                migrations: &["CREATE TABLE line (n INTEGER PRIMARY KEY, body BLOB NOT NULL)"],
                migrated: |_| Ok(()),
            };
            Self {
                db: open_writer(&path, &schema, true).expect("opened"),
                journal: Journal::of(&path),
                folder,
            }
        }

        /// Commits about a hundred pages for each of these; gives the journal's lengths after them.
        fn commit(&mut self, lines: Range<i64>) -> Vec<i64> {
            let mut lengths = Vec::new();
            for n in lines {
                self.db
                    .execute("INSERT INTO line VALUES (?1, zeroblob(400000))", [n])
                    .expect("written");
                self.journal.committed(&self.db).expect("kept short");
                lengths.push(length(&self.db).expect("a length"));
            }
            lengths
        }
    }

    #[test]
    fn a_long_journal_is_moved_into_the_file_and_begins_anew() {
        let mut bench = Bench::new();
        let lengths = bench.commit(0..120);
        assert!(lengths.iter().all(|length| *length < LONG + 200));
        let begun = lengths.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert_eq!(begun, 2, "{lengths:?}");
        let path = bench.folder.path().join("view.sqlite");
        let bytes = std::fs::metadata(&path).expect("a file").len();
        assert!(bytes > 30 << 20, "{bytes} bytes are in the file");
    }

    #[test]
    fn a_reader_in_the_way_stops_nothing() {
        let mut bench = Bench::new();
        let path = bench.folder.path().join("view.sqlite");
        let reader = open_reader(&path).expect("opened");
        let rows = "BEGIN; SELECT count(*) FROM line";
        reader.execute_batch(rows).expect("looks");
        let lengths = bench.commit(0..60);
        assert!(lengths.last().is_some_and(|length| *length > LONG + 1_000));
        reader.execute_batch("COMMIT").expect("looks away");
        let lengths = bench.commit(60..80);
        assert!(lengths.last().is_some_and(|length| *length < LONG));
    }
}
