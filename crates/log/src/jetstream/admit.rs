//! Whether a message of the engine is the next entry.

use super::engine::Message;
use super::envelope::{self, Checksum};
use super::origin::Origin;
use crate::Entry;
use bongsu_base::{LogTime, Seq};
use bytes::Bytes;

/// A message that is an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Admitted {
    pub time: LogTime,
    pub body: Bytes,
    pub checksum: Checksum,
}

/// Why a message is not the next entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is a later one.
    Hole,
    /// It is not what was appended.
    Altered(&'static str),
}

/// The entry in `message`, which ought to be the entry `seq`.
pub(super) fn admit(origin: &Origin, seq: Seq, message: &Message) -> Result<Admitted, Wrong> {
    if message.seq != origin.message(seq) {
        return Err(Wrong::Hole);
    }
    let opened = envelope::open(&origin.id, &message.payload).map_err(Wrong::Altered)?;
    Ok(Admitted {
        time: opened.time.unwrap_or(message.time),
        body: opened.body,
        checksum: opened.checksum,
    })
}

/// The entries in all messages of a stream, in their order; `None` when one is none.
pub fn entries<'a>(
    origin: &Origin,
    messages: impl IntoIterator<Item = &'a Message>,
) -> Option<Vec<Entry>> {
    let mut mark = origin.base;
    let entry = |message| {
        let admitted = admit(origin, mark.seq().next(), message).ok()?;
        mark = mark.extend(admitted.time, &admitted.body);
        Some(Entry {
            seq: mark.seq(),
            time: mark.time,
            body: admitted.body,
            link: mark.chain.link,
        })
    };
    messages.into_iter().map(entry).collect()
}
