//! What everybody in a run shares.

use crate::Dice;
use crate::ground::{Ground, Kind, OneLog, OverEngine};
use crate::site::Place;
use crate::workload::{Told, Workload};
use bongsu_base::{RecordId, Seed, Seq};
use bongsu_lane::{Decision, Domain, Entropy};
use object_store::memory::InMemory;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub const SITES: usize = 3;

/// What was told to the clients so far.
pub struct Record<D: Domain> {
    pub told: Vec<Told<D>>,
    /// For each record, where it stands in `told` and the bytes of its outcome.
    known: BTreeMap<RecordId, (usize, Vec<u8>)>,
    /// The highest entry that anybody was told of.
    pub highest: Seq,
    /// What must not happen and did.
    pub wrong: Vec<String>,
}

impl<D: Domain> Record<D> {
    /// A client is told of a decision; `floor` was the highest entry told of when it first asked.
    /// Returns what was told if that is news.
    pub fn tell(
        &mut self,
        id: RecordId,
        command: &D::Command,
        floor: Seq,
        decision: &Decision<D>,
    ) -> Option<&Told<D>>
    where
        D::Command: Clone,
    {
        let seq = decision.seq;
        let bytes = bytes_of(&decision.outcome);
        self.highest = self.highest.max(seq);
        if seq <= floor {
            self.wrong.push(format!(
                "record {id} was decided in entry {seq}, but it was asked after somebody was told of {floor}"
            ));
        }
        if let Some((n, before)) = self.known.get(&id) {
            let told = &self.told[*n];
            if (told.seq, before) != (seq, &bytes) {
                self.wrong.push(format!(
                    "record {id} was told {:?} in entry {}, and then {:?} in entry {seq}",
                    told.outcome, told.seq, decision.outcome
                ));
            }
            return None;
        }
        self.known.insert(id, (self.told.len(), bytes));
        self.told.push(Told {
            id,
            command: command.clone(),
            seq,
            outcome: decision.outcome.clone(),
        });
        self.told.last()
    }
}

/// An outcome, to be compared.
pub fn bytes_of<A: serde::Serialize, R: serde::Serialize>(outcome: &Result<A, R>) -> Vec<u8> {
    postcard::to_stdvec(outcome).expect("outcomes are plain data")
}

/// How this run is: all drawn from the seed at its beginning.
#[derive(Debug, Clone)]
pub struct Plan {
    pub clients: usize,
    /// Commands of each client.
    pub commands: usize,
    pub snapshot_every: u64,
    pub queue_bound: usize,
    pub batch_records: usize,
    pub appends_in_flight: usize,
    pub rough: bool,
}

impl Plan {
    fn draw(dice: &mut Dice) -> Self {
        let rough = dice.u32(0..10) > 0;
        Self {
            clients: dice.usize(2..5),
            commands: dice.usize(4..16),
            snapshot_every: dice.u64(5..40),
            queue_bound: dice.usize(4..64),
            batch_records: dice.usize(1..8),
            appends_in_flight: dice.usize(1..4),
            rough,
        }
    }
}

pub struct World<W: Workload> {
    pub plan: Plan,
    pub ground: Arc<dyn Ground>,
    pub store: Arc<InMemory>,
    pub sites: Vec<Place<W::Domain>>,
    pub workload: Mutex<W>,
    pub record: Mutex<Record<W::Domain>>,
}

impl<W: Workload> World<W> {
    pub fn new(kind: Kind, seed: u64, dice: &mut Dice, dir: &Path) -> Self {
        let plan = Plan::draw(dice);
        let ground: Arc<dyn Ground> = match kind {
            Kind::OneLog => {
                let one = Arc::new(OneLog::new(log_seed(seed), plan.rough, dice));
                // It ends with the runtime.
                tokio::spawn(one.clone().ring());
                one
            }
            Kind::Engine => Arc::new(OverEngine::new(log_seed(seed), plan.rough)),
        };
        let sites = (0..SITES).map(|n| Place::new(n, dir.join(format!("site-{n}.sqlite"))));
        Self {
            sites: sites.collect(),
            workload: Mutex::new(W::new(&mut dice.fork(), plan.clients)),
            record: Mutex::new(Record {
                told: Vec::new(),
                known: BTreeMap::new(),
                highest: Seq::ZERO,
                wrong: Vec::new(),
            }),
            store: Arc::new(InMemory::new()),
            plan,
            ground,
        }
    }
}

fn log_seed(seed: u64) -> Seed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Seed::from_bytes(bytes)
}

/// Random bytes that are not random.
pub struct Rolled(pub Mutex<Dice>);

impl Entropy for Rolled {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill(bytes);
    }
}
