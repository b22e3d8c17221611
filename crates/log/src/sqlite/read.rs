//! Reading what is no longer in memory, and checking all of it, through a second connection.

use super::head::Head;
use super::walk::{self, Step, Walk};
use crate::room::Room;
use crate::{Entry, ReadError};
use bongsu_base::Seq;
use parking_lot::Mutex;
use rusqlite::Connection;

/// The reading connection, until the log is closed.
pub(super) struct Reader(Mutex<Option<Connection>>);

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(Some(connection)))
    }

    /// Closes the file once the read that uses it now has ended.
    pub(super) fn close(&self) {
        self.0.lock().take();
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        match self.0.lock().as_ref() {
            Some(connection) => run(connection),
            None => Err(ReadError::Unavailable("the log was closed".into())),
        }
    }

    /// The entries after `after`, as [`crate::Log::read`] gives them.
    pub(super) fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        self.with(|connection| {
            let unavailable = |error: rusqlite::Error| ReadError::Unavailable(error.to_string());
            // One transaction, so that a truncation cannot come between the head and the entries.
            let transaction = connection.unchecked_transaction().map_err(unavailable)?;
            let (_, head) = walk::load_head(&transaction)?;
            let first = head.base.seq().next();
            if after.next() < first {
                return Err(ReadError::Truncated { first });
            }
            let Some(mark) = walk::mark_at(&transaction, head.base, after)? else {
                return Ok(Vec::new());
            };
            let mut room = Room::new(max_bytes);
            let mut entries = Vec::new();
            let walked = walk::each(&transaction, mark, walk::END, |stored| {
                let fits = room.take(stored.body.len());
                if fits {
                    entries.push(stored.to_entry());
                }
                fits
            });
            match walked {
                // What comes before the fault is good; whoever reads on meets the fault itself.
                Err(fault) if entries.is_empty() => Err(fault.into()),
                _ => Ok(entries),
            }
        })
    }

    /// Checks every entry in the file; other reads get their turn in between.
    pub(super) fn verify(&self, progress: impl Fn(u64, u64)) -> Result<Head, ReadError> {
        let mut walk =
            self.with(|connection| Ok(Walk::from(walk::load_head(connection)?.1.base)))?;
        loop {
            match self.with(|connection| Ok(walk.step(connection)?))? {
                Step::More { done, total } => progress(done, total),
                Step::End(head) => {
                    progress(walk.done(), walk.done());
                    return Ok(head);
                }
            }
        }
    }
}
