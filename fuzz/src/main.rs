//! The fuzz targets: both domains' endpoints over logs in memory, with two people and a room, and the OpenID
//! provider; one binary for all of them, since building is what takes long. `BONGSU_FUZZ` names the target.
//!
//! A target turns bytes into requests. Whatever they are, nothing may panic and no answer may be a 500:
//! that is a defect of ours by definition.
#![no_main]

mod door;
mod house;
mod targets;
mod words;

use door::{ISSUER, signer, with_door};
use house::with_house;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use targets::{TARGETS, Target};
use words::Words;

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("BONGSU_FUZZ").unwrap_or_default();
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    let all = TARGETS.map(|(target, _)| target).join(", ");
    found
        .unwrap_or_else(|| panic!("BONGSU_FUZZ is \"{name}\" and must be one of {all}"))
        .1
}

fuzz_target!(|data: &[u8]| TARGET.get_or_init(chosen)(data));
