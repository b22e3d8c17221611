use bongsu_sim::check_seeds;
use bongsu_sim::identity::People;

/// A seed is a run: see `bongsu_sim`.
const SEEDS: u64 = 500;

#[test]
fn sites_agree_whatever_happens() {
    check_seeds::<People>("identity::sites_agree", 0..SEEDS);
}
