use bongsu_sim::talk::Talkers;

seeds! {
    OneLog, "talk", Talkers,
    sites_agree_a: 0..250;
    sites_agree_b: 250..500;
}
