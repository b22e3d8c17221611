//! The same over a model of JetStream.

use bongsu_sim::identity::People;
use bongsu_sim::ledger::Payers;
use bongsu_sim::pay::Town;
use bongsu_sim::talk::Talkers;

seeds! {
    Engine, "engine", Payers,
    ledgers_agree_a: 0..400;
    ledgers_agree_b: 400..800;
    ledgers_agree_c: 800..1_200;
}

seeds! {
    Engine, "engine", People,
    people_agree_a: 0..200;
    people_agree_b: 200..400;
}

seeds! {
    Engine, "engine", Talkers,
    talks_agree_a: 0..200;
    talks_agree_b: 200..400;
}

seeds! {
    Engine, "engine", Town,
    money_is_moved_once_a: 0..100;
    money_is_moved_once_b: 100..200;
}
