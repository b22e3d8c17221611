//! What the writer has committed, as readers see it without touching the file.

use super::head::Head;
use crate::room::Room;
use crate::{Bounds, Entry, Mark, ReadError};
use bongsu_base::Seq;
use std::collections::VecDeque;

/// What one entry in memory costs beside its body.
const ENTRY_OVERHEAD: usize = size_of::<Entry>();

/// Where the log begins and ends, and its newest entries.
pub(super) struct Committed {
    head: Head,
    file_bytes: u64,
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    tail_bound: usize,
}

/// Where entries are to be read.
pub(super) enum Found {
    /// Here they are.
    Entries(Vec<Entry>),
    /// They are older than what is kept in memory.
    InFile,
}

impl Committed {
    pub(super) fn new(head: Head, file_bytes: u64, tail_bound: usize) -> Self {
        Self {
            head,
            file_bytes,
            tail: VecDeque::new(),
            tail_bytes: 0,
            tail_bound,
        }
    }

    pub(super) fn tip(&self) -> Mark {
        self.head.tip
    }

    pub(super) fn base(&self) -> Mark {
        self.head.base
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            first: self.head.base.seq().next(),
            last: self.head.tip.seq(),
            link: self.head.tip.chain.link,
            bytes: self.file_bytes,
        }
    }

    /// Adds what was just committed.
    pub(super) fn extend(&mut self, entries: Vec<Entry>, tip: Mark, file_bytes: u64) {
        self.head.tip = tip;
        self.file_bytes = file_bytes;
        for entry in entries {
            self.tail_bytes += entry.body.len() + ENTRY_OVERHEAD;
            self.tail.push_back(entry);
        }
        while self.tail_bytes > self.tail_bound {
            self.drop_oldest();
        }
    }

    /// Forgets what was just truncated.
    pub(super) fn truncate(&mut self, base: Mark, file_bytes: u64) {
        self.head.base = base;
        self.file_bytes = file_bytes;
        while self
            .tail
            .front()
            .is_some_and(|entry| entry.seq <= base.seq())
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        match self.tail.pop_front() {
            Some(entry) => self.tail_bytes -= entry.body.len() + ENTRY_OVERHEAD,
            None => self.tail_bytes = 0,
        }
    }

    /// The entries after `after`.
    pub(super) fn read(&self, after: Seq, max_bytes: usize) -> Result<Found, ReadError> {
        let first = self.head.base.seq().next();
        if after.next() < first {
            return Err(ReadError::Truncated { first });
        }
        if after >= self.head.tip.seq() {
            return Ok(Found::Entries(Vec::new()));
        }
        let Some(oldest) = self.tail.front().map(|entry| entry.seq) else {
            return Ok(Found::InFile);
        };
        let Some(skip) = after.next().0.checked_sub(oldest.0) else {
            return Ok(Found::InFile);
        };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let mut room = Room::new(max_bytes);
        let entries = self
            .tail
            .iter()
            .skip(skip)
            .take_while(|entry| room.take(entry.body.len()));
        Ok(Found::Entries(entries.cloned().collect()))
    }
}
