use bongsu_sim::ledger::Payers;

seeds! {
    OneLog, "ledger", Payers,
    sites_agree_a: 0..250;
    sites_agree_b: 250..500;
    sites_agree_c: 500..750;
    sites_agree_d: 750..1_000;
}
