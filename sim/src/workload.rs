//! What a domain gives to its simulation.

use crate::Dice;
use bongsu_base::{RecordId, Seq};
use bongsu_lane::{Actor, Domain, Priority, ReadView};

/// What a client asks.
#[derive(Debug, Clone)]
pub struct Asked<C> {
    /// Who asks.
    pub actor: Actor,
    /// How important it is.
    pub priority: Priority,
    /// What is asked.
    pub command: C,
}

/// What a client asked and was told.
pub struct Told<D: Domain> {
    /// The record's id.
    pub id: RecordId,
    /// What was asked.
    pub command: D::Command,
    /// The entry that decided it.
    pub seq: Seq,
    /// What was told.
    pub outcome: Result<D::Accepted, D::Rejected>,
}

impl<D: Domain<Command: Clone>> Clone for Told<D> {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            command: self.command.clone(),
            seq: self.seq,
            outcome: self.outcome.clone(),
        }
    }
}

/// What the workload looks at in the end.
pub struct Settled<'a, D: Domain> {
    /// One site's view after the last entry.
    pub view: &'a ReadView<'a>,
    /// Everything that was told to anybody, each record once, in the order of telling.
    pub told: &'a [Told<D>],
}

/// What the clients of a domain do, and what must be true in the end.
pub trait Workload: Send + Sized + 'static {
    /// The domain.
    type Domain: Domain<Command: Clone>;

    /// The clients' common knowledge before they begin; `clients` of them will ask.
    fn new(dice: &mut Dice, clients: usize) -> Self;

    /// What client number `client` asks next.
    fn next(&mut self, client: usize, dice: &mut Dice) -> Asked<<Self::Domain as Domain>::Command>;

    /// A client was told something it did not know.
    fn heard(&mut self, client: usize, told: &Told<Self::Domain>) {
        let _ = (client, told);
    }

    /// An effect is to be carried out; it is tried again after an error.
    ///
    /// # Errors
    /// When it could not be done this time.
    fn effect(
        &mut self,
        effect: &<Self::Domain as Domain>::Effect,
        dice: &mut Dice,
    ) -> Result<(), String> {
        let _ = (effect, dice);
        Ok(())
    }

    /// Looks whether one site's final state agrees with what was told.
    ///
    /// # Errors
    /// What does not agree.
    fn check(&self, settled: &Settled<'_, Self::Domain>) -> Result<(), String>;
}
