//! A view's journal, moved into the view's file while it grows.
//!
//! What was committed to a view may be lost in a power cut, since the log has it: a commit waits for no disk. But to move
//! the journal into the file takes two waits for the disk and a write for each page, tens of milliseconds for 16 MiB. So a
//! thread that nobody waits for moves it a few MiB at a time. SQLite lets the journal begin anew only when all of it has been
//! moved at the moment of a commit: who commits moves what little came meanwhile, once the journal is long.

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long it may become before it is to begin anew, in pages.
const LONG: i64 = 8_000;
/// From how many pages on whoever commits moves all of it, since the thread does not keep up.
const TOO_LONG: i64 = 2 * LONG;
/// How many more there are before whoever commits tries again where readers or the thread were in the way.
const AGAIN: i64 = 500;
/// How many wait to be moved when the thread is asked to.
const STEP: i64 = 1_000;
/// How many whoever commits moves without being late.
const FEW: i64 = 250;
/// How long the thread waits for a lock; it has another turn soon.
const PATIENCE: Duration = Duration::from_millis(100);

/// The journal of one view.
pub(crate) struct Journal {
    view: PathBuf,
    /// Moves it; `None` before there is much to move.
    mover: Option<Mover>,
    /// How long it was when it was last looked at, and when the thread was last asked to.
    seen: i64,
    asked: i64,
    /// How long it has to be for whoever commits to move it.
    long: i64,
}

/// How many pages stand in the journal, and how many of them in the file, too.
struct Length {
    all: i64,
    moved: i64,
}

impl Journal {
    /// The journal of the view at `view`.
    pub fn of(view: &Path) -> Self {
        Self {
            view: view.to_owned(),
            mover: None,
            seen: 0,
            asked: 0,
            long: LONG,
        }
    }

    /// Something was committed to `db`: sees to what there is to do.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn committed(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let Length { all, moved } = length(db)?;
        if all < self.seen {
            // It began anew.
            (self.asked, self.long) = (0, LONG);
        }
        self.seen = all;
        let (left, late) = (all - moved, all >= TOO_LONG);
        if all >= self.long && left > 0 && (late || left <= FEW) {
            self.long = all + AGAIN;
            db.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
                .query_row((), |_| Ok(()))?;
        } else if !late && all - self.asked.max(moved) >= STEP {
            if self.mover.is_none() {
                self.mover = Mover::start(&self.view).ok();
            }
            // Who is still moving has another turn soon.
            if self.mover.as_ref().is_some_and(Mover::ask) {
                self.asked = all;
            }
        }
        Ok(())
    }
}

fn length(db: &Connection) -> rusqlite::Result<Length> {
    db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row((), |row| {
            let (all, moved) = (row.get(1)?, row.get(2)?);
            Ok(Length { all, moved })
        })
}

/// The thread, and its connection to the view. It has ended, and closed that, when it is dropped: the view's file may be
/// put aside then.
struct Mover {
    wants: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    fn start(view: &Path) -> std::io::Result<Self> {
        let (wants, wanted) = sync_channel(1);
        let view = view.to_owned();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                if let Err(error) = run(&view, &wanted) {
                    // Whoever commits meets it too, and the lane stops then.
                    tracing::warn!(view = %view.display(), %error, "a view's journal cannot be moved into its file");
                }
            })?;
        Ok(Self {
            wants: Some(wants),
            thread: Some(thread),
        })
    }

    /// Has it move what there is; whether it will.
    fn ask(&self) -> bool {
        let wants = self.wants.as_ref();
        wants.is_some_and(|wants| wants.try_send(()).is_ok())
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.wants = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves a view's journal panicked");
        }
    }
}

/// Moves the journal into the file whenever that is wanted, until its view is closed.
fn run(view: &Path, wanted: &Receiver<()>) -> rusqlite::Result<()> {
    let db = open_mover(view)?;
    while wanted.recv().is_ok() {
        db.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
            .query_row((), |_| Ok(()))?;
    }
    Ok(())
}

/// A connection that does nothing but move the journal.
fn open_mover(view: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(view, flags)?;
    db.busy_timeout(PATIENCE)?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Schema, open_reader, open_writer};
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

        /// Commits something of so many bytes; how long the journal is then.
        fn commit(&mut self, bytes: i64) -> i64 {
            self.db
                .execute("INSERT INTO line (body) VALUES (zeroblob(?1))", [bytes])
                .expect("written");
            self.journal.committed(&self.db).expect("kept short");
            length(&self.db).expect("a length").all
        }

        /// Commits a little again and again until the journal begins anew; how long it became.
        fn until_anew(&mut self) -> i64 {
            let mut longest = 0;
            for _ in 0..1_000_000 {
                let length = self.commit(5_000);
                if length < longest {
                    return longest;
                }
                longest = length;
            }
            panic!("it did not begin anew, and is {longest} pages long");
        }

        fn view(&self) -> PathBuf {
            self.folder.path().join("view.sqlite")
        }
    }

    #[test]
    fn a_long_journal_is_moved_into_the_file_and_begins_anew() {
        let mut bench = Bench::new();
        for _ in 0..2 {
            let longest = bench.until_anew();
            assert!(longest >= LONG, "it began anew at {longest}");
        }
        let bytes = std::fs::metadata(bench.view()).expect("a file").len();
        assert!(bytes > 16 << 20, "{bytes} bytes are in the file");
    }

    #[test]
    fn a_reader_in_the_way_stops_nothing() {
        let mut bench = Bench::new();
        let reader = open_reader(&bench.view()).expect("opened");
        let rows = "BEGIN; SELECT count(*) FROM line";
        reader.execute_batch(rows).expect("looks");
        while bench.commit(400_000) < TOO_LONG + 2 * AGAIN {}
        reader.execute_batch("COMMIT").expect("looks away");
        bench.until_anew();
    }

    #[test]
    fn nothing_holds_the_view_once_its_journal_is_given_up() {
        let mut bench = Bench::new();
        while bench.commit(400_000) < 2 * STEP {}
        assert!(bench.journal.mover.is_some());
        let Bench {
            folder,
            db,
            journal,
        } = bench;
        drop(journal);
        db.close().expect("closed");
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|file| file.expect("a file").file_name())
            .collect();
        assert_eq!(
            left,
            ["view.sqlite"],
            "the last one to close it empties the journal"
        );
    }
}
