//! Any sequence of appends, truncations and reopenings gives what a plain vector gives.

use crate::common::{block_on, opened, options};
use bongsu_base::Seq;
use bongsu_log::sqlite::Options;
use bongsu_log::{Log, ReadError};
use bytes::Bytes;
use futures_util::future::join_all;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub enum Step {
    /// Appends entries of these sizes at once.
    Append(Vec<usize>),
    /// Truncates at this part of 100 of everything ever appended, or beyond it.
    Truncate(u64),
    /// Reads from that part on, with a bound in bytes.
    Read(u64, usize),
    Reopen,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0..3_000usize, 1..8).prop_map(Step::Append),
        2 => (0..120u64).prop_map(Step::Truncate),
        4 => (0..120u64, 0..9_000usize).prop_map(|(part, bytes)| Step::Read(part, bytes)),
        1 => Just(Step::Reopen),
    ]
}

/// What the log must be: everything ever appended, and where it now begins.
#[derive(Default)]
struct Model {
    bodies: Vec<Bytes>,
    base: u64,
}

impl Model {
    fn part(&self, part: u64) -> u64 {
        self.bodies.len() as u64 * part / 100
    }

    fn read(&self, after: u64, max_bytes: usize) -> Option<Vec<(u64, Bytes)>> {
        if after < self.base {
            return None;
        }
        let mut found = Vec::new();
        let mut bytes = 0;
        for (index, body) in self.bodies.iter().enumerate().skip(after as usize) {
            bytes += body.len();
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push((index as u64 + 1, body.clone()));
        }
        Some(found)
    }
}

/// Takes `log` through the steps; `reopen` closes it and opens it again.
pub async fn run<L: Log>(steps: Vec<Step>, mut log: L, reopen: impl AsyncFn(L) -> L) {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(sizes) => {
                let fill = model.bodies.len() as u8;
                let bodies: Vec<Bytes> =
                    sizes.iter().map(|size| vec![fill; *size].into()).collect();
                for (body, seq) in bodies
                    .iter()
                    .zip(join_all(bodies.iter().map(|body| log.append(body.clone()))).await)
                {
                    model.bodies.push(body.clone());
                    assert_eq!(seq.expect("appended").0, model.bodies.len() as u64);
                }
                // What was appended may be read a moment later.
                log.wait(Seq(model.bodies.len() as u64 - 1)).await;
            }
            Step::Truncate(part) => {
                let keep_from = model.part(part) + 1;
                log.truncate(Seq(keep_from)).await.expect("truncated");
                model.base = model
                    .base
                    .max((keep_from - 1).min(model.bodies.len() as u64));
            }
            Step::Read(part, max_bytes) => {
                let after = model.part(part);
                match (
                    log.read(Seq(after), max_bytes).await,
                    model.read(after, max_bytes),
                ) {
                    (Ok(entries), Some(expected)) => {
                        let found = entries.into_iter().map(|entry| (entry.seq.0, entry.body));
                        assert_eq!(found.collect::<Vec<_>>(), expected);
                    }
                    (Err(ReadError::Truncated { first }), None) => {
                        assert_eq!(first.0, model.base + 1)
                    }
                    (found, expected) => panic!("{found:?} instead of {expected:?}"),
                }
            }
            Step::Reopen => log = reopen(log).await,
        }
        let bounds = log.bounds().await.expect("bounds");
        assert_eq!(
            (bounds.first.0, bounds.last.0),
            (model.base + 1, model.bodies.len() as u64)
        );
    }
}

async fn run_sqlite(steps: Vec<Step>, tail_bytes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let options = || Options {
        tail_bytes,
        page_size: 512,
        ..options()
    };
    let log = opened(&path, options()).0;
    run(steps, log, async |log| {
        log.verify(None).await.expect("good");
        drop(log);
        opened(&path, options()).0
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_vector(steps in prop::collection::vec(step(), 1..30), tail_bytes in 0..20_000usize) {
        block_on(run_sqlite(steps, tail_bytes));
    }
}
