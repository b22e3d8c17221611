//! What is wrong when the engine no longer holds what it had acknowledged, and how sure that is.

use super::engine::{Away, Found};
use super::origin::Origin;
use crate::ReadError;
use bongsu_base::{Epoch, Seq};

/// What the engine did to the log. A site that has seen one takes no entry any more and reads none
/// beyond its own copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no stream of this log any more.
    #[error(
        "the engine has no stream of this log any more, and this site's copy ends at entry {held}{RESTORE}"
    )]
    Gone {
        /// The last entry of this site's copy.
        held: Seq,
    },
    /// Another stream stands where this one was.
    #[error(
        "the engine has another stream in place of the one that this site's copy was made from; the copy ends at \
         entry {held}{RESTORE}"
    )]
    Replaced {
        /// The last entry of this site's copy.
        held: Seq,
    },
    /// The log was restored into a new stream.
    #[error(
        "the log goes on in epoch {epoch}, in a stream that was restored from copies; restart this process"
    )]
    Moved {
        /// The new stream's epoch.
        epoch: Epoch,
    },
    /// The stream was closed for ever, which is the beginning of a restoration.
    #[error("the log's stream is sealed; a restoration began, and has not ended yet")]
    Sealed,
    /// The stream ends before this site's copy does.
    #[error(
        "the engine's log ends at entry {last}, and this site's copy at entry {held}: the engine has lost entries \
         that it had acknowledged{RESTORE}"
    )]
    Shorter {
        /// The last entry in the engine.
        last: Seq,
        /// The last entry of this site's copy.
        held: Seq,
    },
    /// Entries that follow on this site's copy are missing.
    #[error("the engine no longer has entry {seq}, and this site never had it{RESTORE}")]
    Hole {
        /// The first entry that is missing.
        seq: Seq,
    },
    /// An entry was acknowledged and is not there.
    #[error("the engine acknowledged entry {seq} and does not have it{RESTORE}")]
    Unheld {
        /// The entry.
        seq: Seq,
    },
    /// An entry is not what was appended.
    #[error("entry {seq} is not what was appended: {what}{RESTORE}")]
    Altered {
        /// The entry.
        seq: Seq,
        /// What is wrong with it.
        what: String,
    },
    /// This site's copy cannot be written.
    #[error("this site's copy of the log cannot be written: {0}")]
    Mirror(String),
}

const RESTORE: &str = "; `bongsu restore-log` makes a new log of what the sites hold";

impl Fault {
    /// As an answer to whoever reads.
    pub(super) fn read_error(&self) -> ReadError {
        match self {
            Self::Mirror(what) => ReadError::Unavailable(what.clone()),
            _ => ReadError::Lost(self.to_string()),
        }
    }
}

/// Why a look at the engine, or a read, led nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It did not answer.
    Away(String),
    /// It looks wrong. A server that is behind, or that has been cut off from the others without having
    /// noticed, says the same, so it counts once it has been so for some time.
    Suspect(Fault),
    /// It is wrong.
    Certain(Fault),
}

impl From<Away> for Trouble {
    fn from(away: Away) -> Self {
        Self::Away(away.0)
    }
}

/// Whether the stream that was found is the one `own` is about, and holds what this site's copy holds
/// up to the entry `held`.
pub(super) fn judge(own: &Origin, held: Seq, found: Option<&Found>) -> Result<(), Trouble> {
    let Some(found) = found else {
        return Err(Trouble::Suspect(Fault::Gone { held }));
    };
    let origin = &found.origin;
    if origin.id != own.id {
        let epoch = origin.epochs.current();
        return Err(if epoch > own.epochs.current() {
            Trouble::Certain(Fault::Moved { epoch })
        } else {
            Trouble::Suspect(Fault::Replaced { held })
        });
    }
    if found.sealed {
        return Err(Trouble::Suspect(Fault::Sealed));
    }
    if found.last < own.message(held) {
        let last = own.entry(found.last);
        return Err(Trouble::Suspect(Fault::Shorter { last, held }));
    }
    if found.first > own.message(held) + 1 {
        return Err(Trouble::Suspect(Fault::Hole { seq: held.next() }));
    }
    Ok(())
}
