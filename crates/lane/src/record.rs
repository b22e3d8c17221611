//! Records and entries as they stand in the log.
//!
//! The encoding is postcard 1 (<https://postcard.jamesmunns.com/wire-format>). It is never changed:
//! variants are only appended, and the golden logs of every domain decode for ever.

use bongsu_base::{DataCentre, DeviceId, LogTime, ProcessId, RecordId, Seed, Seq, UserId};
use bongsu_log::{Chain, Entry};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who asked for a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// Nobody known: someone who is not signed in.
    Nobody,
    /// A signed-in person, on one of their devices.
    User {
        /// The person.
        user: UserId,
        /// The device that the request came from.
        device: DeviceId,
    },
    /// Whoever runs this installation.
    Operator,
    /// The platform itself: a flow or the lane.
    Platform,
    /// Whoever runs this installation, where it is known with which account of the machine.
    OperatorAs(SystemAccount),
}

/// An account of the operating system, on the machine where somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAccount {
    /// Its number (POSIX, `uid_t`).
    pub uid: u32,
    /// Its name, where the machine knows one.
    pub name: Option<String>,
}

impl fmt::Display for SystemAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uid = self.uid;
        match &self.name {
            Some(name) => write!(f, "{name} (uid {uid})"),
            None => write!(f, "uid {uid}"),
        }
    }
}

impl Actor {
    /// What whoever runs this installation is called in the audit log; `None` for everybody else.
    #[must_use]
    pub fn operator(&self) -> Option<String> {
        match self {
            Self::Operator => Some("operator".to_owned()),
            Self::OperatorAs(account) => Some(format!("operator {account}")),
            Self::Nobody | Self::User { .. } | Self::Platform => None,
        }
    }

    /// Whether it is whoever runs this installation.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        matches!(self, Self::Operator | Self::OperatorAs(_))
    }

    /// As releases write it that know `behaviour` and no more: with which account somebody administers, all lanes know since
    /// behaviour 2.
    #[must_use]
    pub(crate) fn known_to(self, behaviour: u32) -> Self {
        match self {
            Self::OperatorAs(_) if behaviour < 2 => Self::Operator,
            actor => actor,
        }
    }
}

/// One command as written in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id, made by whoever asked.
    pub id: RecordId,
    /// Who asked.
    pub actor: Actor,
    /// Where whatever must look random comes from.
    pub seed: Seed,
    /// What is asked.
    pub payload: Payload,
}

/// What a record asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// A domain's command, encoded.
    Command(Vec<u8>),
    /// Something of the lane itself.
    System(System),
}

/// What a lane asks of itself through its own log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum System {
    /// The canary: proves that this process can append and see it applied. It also renews or takes the
    /// lane's lease, whose holder runs the effects.
    Tick {
        /// The process that says it is alive.
        process: ProcessId,
        /// How long the lease lasts from the entry's time, in milliseconds.
        lease_ms: i64,
    },
    /// An effect has been done; it is pending no longer.
    Complete {
        /// Where the effect was written: its [`bongsu_base::Position`] as a number.
        effect: i64,
    },
    /// From this record on, every replica behaves as `version`.
    ActivateVersion {
        /// The version; a lower one than is active changes nothing.
        version: u32,
    },
    /// What a data centre made of the log, for the others to compare.
    Report(Report),
}

/// What one data centre says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The data centre.
    pub site: DataCentre,
    /// The schema version of its view: digests of different schemas cannot be compared.
    pub schema: u32,
    /// Its latest checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Up to this entry the log is no longer needed there: its snapshots, of which there are enough, hold
    /// what it gave. [`Seq::ZERO`] before that.
    pub held: Seq,
}

/// What a replica was at the end of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The entry.
    pub seq: Seq,
    /// The chain's link at it.
    pub link: [u8; 16],
    /// The digest of the state after it.
    pub digest: [u8; 16],
}

/// An entry's body: the records that were appended together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryBody {
    /// In the order in which they are applied.
    pub records: Vec<Record>,
}

impl EntryBody {
    /// The bytes that go into the log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("records hold nothing that postcard cannot encode")
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not an entry's body in the form of this or an earlier release.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (body, rest) = postcard::take_from_bytes(bytes)?;
        if rest.is_empty() {
            Ok(body)
        } else {
            Err(postcard::Error::DeserializeBadEncoding)
        }
    }

    /// The entry that a log would make of this after `chain`: for tests and benchmarks that apply
    /// without a log.
    #[must_use]
    pub fn entry_after(&self, chain: Chain, time: LogTime) -> Entry {
        let body = Bytes::from(self.encode());
        let Chain { seq, link } = chain.extend(time, &body);
        Entry {
            seq,
            time,
            body,
            link,
        }
    }
}

impl Record {
    /// About how many bytes the record takes in the log.
    pub(crate) fn encoded_len(&self) -> usize {
        let actor = match &self.actor {
            Actor::User { user, device } => user.as_str().len() + device.as_str().len(),
            Actor::OperatorAs(account) => 5 + account.name.as_ref().map_or(0, String::len),
            Actor::Nobody | Actor::Operator | Actor::Platform => 0,
        };
        let payload = match &self.payload {
            Payload::Command(bytes) => bytes.len(),
            Payload::System(_) => 0,
        };
        // The id, the seed, and a length or a tag before each part.
        actor + payload + 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asked_is_read_as_it_was_written() {
        let account = |name: Option<&str>| SystemAccount {
            uid: 300,
            name: name.map(str::to_owned),
        };
        let named = Actor::OperatorAs(account(Some("mina")));
        let unnamed = Actor::OperatorAs(account(None));
        for (actor, bytes, operator) in [
            (Actor::Nobody, &[0][..], None),
            (Actor::Operator, &[2], Some("operator")),
            (Actor::Platform, &[3], None),
            (
                named,
                b"\x04\xac\x02\x01\x04mina",
                Some("operator mina (uid 300)"),
            ),
            (unnamed, b"\x04\xac\x02\x00", Some("operator uid 300")),
        ] {
            assert_eq!(postcard::to_stdvec(&actor).as_deref(), Ok(bytes));
            assert_eq!(postcard::from_bytes(bytes).as_ref(), Ok(&actor));
            assert_eq!(actor.operator().as_deref(), operator);
        }
    }
}
