//! The simulation repeats itself, and catches what it must catch.

use bongsu_sim::ledger::{Payers, Vice};
use bongsu_sim::{Kind, Workload, check_seeds, run};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

#[test]
fn a_seed_is_one_history() {
    fn check<W: Workload>(kind: Kind) {
        let mut hashes = HashSet::new();
        for seed in 10_000..10_020 {
            let first = run::<W>(kind, seed).expect("it holds");
            assert!(first.told > 0);
            for _ in 0..2 {
                assert_eq!(
                    run::<W>(kind, seed).expect("it holds"),
                    first,
                    "seed {seed}"
                );
            }
            assert!(hashes.insert(first.hash), "seeds differ");
        }
    }
    for kind in [Kind::OneLog, Kind::Engine] {
        check::<Payers>(kind);
        check::<bongsu_sim::identity::People>(kind);
        check::<bongsu_sim::talk::Talkers>(kind);
    }
}

/// The seeds of a domain with the vice `V` fail, and the message says how to see it again.
fn is_caught<V: Vice>() {
    let message =
        std::panic::catch_unwind(|| check_seeds::<Payers<V>>(Kind::OneLog, "itself", 0..3))
            .expect_err("it is caught");
    let message = message.downcast_ref::<String>().expect("a text");
    assert!(message.contains("a replay of the log gives"), "{message}");
    assert!(
        message.contains("cargo nextest run -p bongsu-sim itself"),
        "{message}"
    );
}

struct Clock;

impl Vice for Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the vice that must be caught"
    )]
    fn taint(memo: i64) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        memo + now.map_or(0, |now| now.as_nanos() as i64)
    }
}

#[test]
fn a_domain_that_reads_the_clock_is_caught() {
    is_caught::<Clock>();
}

struct MapOrder;

impl Vice for MapOrder {
    fn taint(memo: i64) -> i64 {
        let set: HashSet<i64> = (0..16).map(|n| memo + n).collect();
        set.into_iter().next().unwrap_or_default()
    }
}

#[test]
fn a_domain_that_follows_a_hash_maps_order_is_caught() {
    is_caught::<MapOrder>();
}

struct Coin;

impl Vice for Coin {
    fn taint(memo: i64) -> i64 {
        RandomState::new().hash_one(memo) as i64
    }
}

#[test]
fn a_domain_with_randomness_of_its_own_is_caught() {
    is_caught::<Coin>();
}
