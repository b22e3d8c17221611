use bongsu_sim::pay::Town;

seeds! {
    OneLog, "pay", Town,
    money_is_moved_once_a: 0..200;
    money_is_moved_once_b: 200..400;
}
