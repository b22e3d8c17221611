//! What waits for the writer. It is bounded in entries and in bytes.

use crate::{AppendError, ReadError};
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// An entry that waits to be written.
pub(super) struct Waiting {
    pub body: Bytes,
    /// When it was taken elsewhere; otherwise the writer's clock says.
    pub time: Option<LogTime>,
    pub answer: oneshot::Sender<Result<Seq, AppendError>>,
}

/// A truncation that waits to be done.
pub(super) struct Truncation {
    pub keep_from: Seq,
    pub answer: oneshot::Sender<Result<(), ReadError>>,
}

/// What the writer does next.
pub(super) enum Work {
    /// Everything here, in this order.
    Do {
        batch: Vec<Waiting>,
        truncations: Vec<Truncation>,
    },
    /// Nothing waits and nothing will.
    End,
}

/// How much may wait, and how much of it makes one commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub waiting_entries: usize,
    pub waiting_bytes: usize,
    pub batch_entries: usize,
    pub batch_bytes: usize,
}

#[derive(Default)]
struct Inner {
    appends: VecDeque<Waiting>,
    bytes: usize,
    truncations: Vec<Truncation>,
    closed: bool,
    /// Why nothing is taken any more.
    stopped: Option<String>,
}

/// The line in front of the writer.
pub(super) struct Queue {
    bounds: Bounds,
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            inner: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Lets an entry wait for the writer.
    pub(super) fn append(&self, waiting: Waiting) -> Result<(), AppendError> {
        let mut inner = self.inner.lock();
        if let Some(why) = &inner.stopped {
            return Err(AppendError::Stopped(why.clone()));
        }
        let bytes = inner.bytes + waiting.body.len();
        if inner.appends.len() >= self.bounds.waiting_entries || bytes > self.bounds.waiting_bytes {
            let what = format!(
                "{} entries with {} bytes are waiting, and {} bytes more are over the bound",
                inner.appends.len(),
                inner.bytes,
                waiting.body.len(),
            );
            return Err(AppendError::Refused(what));
        }
        inner.bytes = bytes;
        inner.appends.push_back(waiting);
        drop(inner);
        self.changed.notify_one();
        Ok(())
    }

    /// Lets a truncation wait for the writer.
    pub(super) fn truncate(&self, truncation: Truncation) -> Result<(), ReadError> {
        let mut inner = self.inner.lock();
        if let Some(why) = &inner.stopped {
            return Err(ReadError::Unavailable(why.clone()));
        }
        inner.truncations.push(truncation);
        drop(inner);
        self.changed.notify_one();
        Ok(())
    }

    /// What the writer does next. With `busy`, it has other work and does not want to wait.
    pub(super) fn next(&self, busy: bool) -> Work {
        let mut inner = self.inner.lock();
        while inner.appends.is_empty() && inner.truncations.is_empty() {
            if inner.closed {
                return Work::End;
            }
            if busy {
                break;
            }
            self.changed.wait(&mut inner);
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = inner.appends.front() {
            let over = bytes + next.body.len() > self.bounds.batch_bytes && !batch.is_empty();
            if over || batch.len() == self.bounds.batch_entries {
                break;
            }
            bytes += next.body.len();
            batch.extend(inner.appends.pop_front());
        }
        inner.bytes -= bytes;
        Work::Do {
            batch,
            truncations: std::mem::take(&mut inner.truncations),
        }
    }

    /// Takes nothing more; the writer ends once it has done what waits.
    pub(super) fn close(&self) {
        self.inner.lock().closed = true;
        self.changed.notify_one();
    }

    /// Takes nothing more and answers everything that waits: none of it was written.
    pub(super) fn stop(&self, why: &str) {
        let mut inner = self.inner.lock();
        inner.stopped.get_or_insert_with(|| why.to_owned());
        inner.bytes = 0;
        let appends = std::mem::take(&mut inner.appends);
        let truncations = std::mem::take(&mut inner.truncations);
        drop(inner);
        for waiting in appends {
            let _ = waiting
                .answer
                .send(Err(AppendError::Stopped(why.to_owned())));
        }
        for truncation in truncations {
            let _ = truncation
                .answer
                .send(Err(ReadError::Unavailable(why.to_owned())));
        }
    }
}
