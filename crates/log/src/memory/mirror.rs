//! A site's copy of the log in memory, for simulation.

use crate::jetstream::{Mirror, MirrorError, MirrorStore, Origin};
use crate::room::Room;
use crate::{AppendError, Bounds, Entry, Mark, ReadError};
use async_trait::async_trait;
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use parking_lot::Mutex;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::Notify;

/// A place for a site's copy that outlives the site's process. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryMirror(Arc<Shared>);

#[derive(Default)]
struct Shared {
    copy: Mutex<Option<Copy>>,
    changed: Notify,
}

struct Copy {
    origin: Origin,
    base: Mark,
    tip: Mark,
    entries: Vec<Entry>,
}

impl MemoryMirror {
    /// Takes the last `entries` entries away, as a power cut may. There is nobody who uses the copy.
    pub fn cut(&self, entries: usize) {
        let mut copy = self.0.copy.lock();
        let Some(copy) = copy.as_mut() else { return };
        let keep = copy.entries.len().saturating_sub(entries);
        copy.entries.truncate(keep);
        copy.tip = copy.entries.last().map_or(copy.base, Mark::from);
    }

    /// Takes all of it away.
    pub fn wipe(&self) {
        *self.0.copy.lock() = None;
    }

    /// What it holds, if there is one.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        self.0.copy.lock().as_ref().map(Copy::bounds)
    }

    fn with<T>(&self, run: impl FnOnce(&mut Copy) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let missing = || ReadError::Unavailable("the copy was taken away".into());
        run(self.0.copy.lock().as_mut().ok_or_else(missing)?)
    }
}

impl Copy {
    fn bounds(&self) -> Bounds {
        Bounds {
            first: self.base.seq().next(),
            last: self.tip.seq(),
            link: self.tip.chain.link,
            bytes: self.entries.iter().map(|e| e.body.len() as u64).sum(),
        }
    }

    /// How many entries there are up to `seq`.
    fn index(&self, seq: Seq) -> usize {
        let index = seq.0.saturating_sub(self.base.seq().0);
        usize::try_from(index).map_or(self.entries.len(), |index| index.min(self.entries.len()))
    }
}

#[async_trait]
impl Mirror for MemoryMirror {
    async fn extend(&self, entries: Vec<(LogTime, Bytes)>) -> Result<(), AppendError> {
        let extended = self.with(|copy| {
            for (time, body) in entries {
                copy.tip = copy.tip.extend(time, &body);
                copy.entries.push(Entry {
                    seq: copy.tip.seq(),
                    time: copy.tip.time,
                    body,
                    link: copy.tip.chain.link,
                });
            }
            Ok(())
        });
        self.0.changed.notify_waiters();
        extended.map_err(|error| AppendError::Stopped(error.to_string()))
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        self.with(|copy| {
            if after < copy.base.seq() {
                let first = copy.base.seq().next();
                return Err(ReadError::Truncated { first });
            }
            let mut room = Room::new(max_bytes);
            let entries = copy.entries[copy.index(after)..].iter();
            Ok(entries
                .take_while(|entry| room.take(entry.body.len()))
                .cloned()
                .collect())
        })
    }

    async fn wait(&self, after: Seq) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // From here on, no change is missed.
            changed.as_mut().enable();
            if self.bounds().is_some_and(|bounds| bounds.last > after) {
                return;
            }
            changed.await;
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        self.with(|copy| Ok(copy.bounds()))
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        self.with(|copy| {
            let gone = copy.index(Seq(keep_from.0.saturating_sub(1)));
            if let Some(last) = copy.entries[..gone].last() {
                copy.base = Mark::from(last);
                copy.entries.drain(..gone);
            }
            Ok(())
        })
    }
}

#[async_trait]
impl MirrorStore for MemoryMirror {
    async fn open(&self) -> Result<Option<(Origin, Arc<dyn Mirror>)>, MirrorError> {
        let origin = self.0.copy.lock().as_ref().map(|copy| copy.origin.clone());
        let mirror: Arc<dyn Mirror> = Arc::new(self.clone());
        Ok(origin.map(|origin| (origin, mirror)))
    }

    async fn make(&self, origin: &Origin, begin: Mark) -> Result<Arc<dyn Mirror>, MirrorError> {
        *self.0.copy.lock() = Some(Copy {
            origin: origin.clone(),
            base: begin,
            tip: begin,
            entries: Vec::new(),
        });
        Ok(Arc::new(self.clone()))
    }

    async fn adopt(&self, origin: &Origin) -> Result<(), MirrorError> {
        if let Some(copy) = self.0.copy.lock().as_mut() {
            copy.origin = origin.clone();
        }
        Ok(())
    }
}
