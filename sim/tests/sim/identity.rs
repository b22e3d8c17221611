use bongsu_sim::identity::People;

seeds! {
    OneLog, "identity", People,
    sites_agree_a: 0..250;
    sites_agree_b: 250..500;
}
