//! What a domain's rule sees while it applies one record.

use crate::domain::Domain;
use crate::record::Actor;
use crate::wake::Topic;
use bongsu_base::{LogTime, Position, Seed, Seq};
use rusqlite::Connection;
use std::marker::PhantomData;

/// Positions above this are kept for the outcomes of the entry's records.
const LAST_INDEX: u32 = Position::MAX_INDEX - (1 << 16);

/// The state, the record and the entry's time: all that applying may look at.
pub struct Cx<'a, D: Domain> {
    pub(crate) db: &'a Connection,
    pub(crate) actor: &'a Actor,
    pub(crate) seed: &'a Seed,
    pub(crate) seq: Seq,
    pub(crate) time: LogTime,
    pub(crate) version: u32,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) domain: PhantomData<D>,
}

/// What applying leaves behind beside the state.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// How many positions of the current entry have been given out.
    pub next_index: u32,
    pub topics: Vec<Topic>,
    /// Of what nothing that was read before is to be remembered.
    pub outdated: Vec<Topic>,
    /// Whether the view now holds effects that it did not hold before.
    pub new_effects: bool,
    /// Whether the lease's holder was heard in the current entry.
    pub leader_heard: bool,
}

impl<D: Domain> Cx<'_, D> {
    /// The view. Use `prepare_cached`; never call an SQL function that looks outside, and hand on every
    /// error with `?`: one that was swallowed or unwrapped could hide that this replica's disk is full,
    /// and a statement of several rows that failed halfway has already been counted in the digest.
    #[must_use]
    pub fn db(&self) -> &Connection {
        self.db
    }

    /// Who asked.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        self.actor
    }

    /// The entry's time: the only "now" there is.
    #[must_use]
    pub fn time(&self) -> LogTime {
        self.time
    }

    /// Where whatever must look random comes from.
    #[must_use]
    pub fn seed(&self) -> &Seed {
        self.seed
    }

    /// The entry's sequence.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The behaviour that is active, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A position for the next change, later than every one given before.
    ///
    /// # Panics
    /// When one entry's commands ask for about a million; the command is then a defect.
    pub fn position(&mut self) -> Position {
        assert!(
            self.scratch.next_index < LAST_INDEX,
            "too many changes in one entry"
        );
        let position = Position::new(self.seq, self.scratch.next_index);
        self.scratch.next_index += 1;
        position
    }

    /// Wakes whoever waits for `topic`, once the change can be read.
    pub fn wake(&mut self, topic: Topic) {
        self.scratch.topics.push(topic);
    }

    /// Has nothing remembered of `topic` that was read before this change; see [`Lane::outdated`](crate::Lane::outdated).
    pub fn outdate(&mut self, topic: Topic) {
        self.scratch.outdated.push(topic);
    }

    /// Asks for something outside the domain. It is done after commit, at least once, by the holder of
    /// the lane's lease; the handler makes it once by the effect's id.
    ///
    /// # Errors
    /// When the view cannot be written.
    pub fn effect(&mut self, effect: &D::Effect) -> rusqlite::Result<()> {
        let id = self.position();
        let body = postcard::to_stdvec(effect).expect("effects are plain data");
        self.db
            .prepare_cached("INSERT INTO lane_effect (id, body) VALUES (?1, ?2)")?
            .execute((id.as_i64(), body))?;
        self.scratch.new_effects = true;
        Ok(())
    }
}
