//! The real binary: every test starts it as its operator would.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

mod accounts;
mod administration;
mod backup;
mod bank;
mod common;
mod configuration;
mod damage;
mod data_folder;
mod serving;
mod traces;
