//! What everybody in a run shares.

use crate::Dice;
use crate::network::{Bell, SiteLog, Weather};
use crate::site::Place;
use crate::workload::{Told, Workload};
use bongsu_base::{RecordId, Seed, Seq};
use bongsu_lane::{Decision, Domain, Entropy};
use bongsu_log::memory::{Faults, MemoryLog};
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
    pub faults: Faults,
    pub weather: Weather,
}

impl Plan {
    fn draw(dice: &mut Dice) -> Self {
        let rough = dice.u32(0..10) > 0;
        let weather = Weather {
            lag: dice.u64(0..400),
            read_errors: dice.u32(0..5),
            short_reads: dice.u32(0..50),
        };
        Self {
            clients: dice.usize(2..5),
            commands: dice.usize(4..16),
            snapshot_every: dice.u64(5..40),
            queue_bound: dice.usize(4..64),
            batch_records: dice.usize(1..8),
            appends_in_flight: dice.usize(1..4),
            faults: if rough { Faults::ROUGH } else { Faults::NONE },
            weather: if rough { weather } else { Weather::CALM },
        }
    }
}

pub struct World<W: Workload> {
    pub plan: Plan,
    pub log: MemoryLog,
    pub bell: Bell,
    pub store: Arc<InMemory>,
    pub sites: Vec<Place<W::Domain>>,
    pub workload: Mutex<W>,
    pub record: Mutex<Record<W::Domain>>,
}

impl<W: Workload> World<W> {
    pub fn new(seed: u64, dice: &mut Dice, dir: &Path) -> Self {
        let plan = Plan::draw(dice);
        let log = MemoryLog::new(log_seed(seed), plan.faults.clone());
        let bell = Bell::default();
        let sites = (0..SITES).map(|n| {
            let way = SiteLog::new(log.clone(), bell.clone(), plan.weather.clone(), dice.fork());
            Place::new(n, dir.join(format!("site-{n}.sqlite")), way)
        });
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
            log,
            bell,
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
