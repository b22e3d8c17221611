use bongsu_sim::check_seeds;
use bongsu_sim::ledger::Payers;

/// A seed is a run: see `bongsu_sim`.
const SEEDS: u64 = 1000;

#[test]
fn sites_agree_whatever_happens() {
    check_seeds::<Payers>("ledger::sites_agree", 0..SEEDS);
}
