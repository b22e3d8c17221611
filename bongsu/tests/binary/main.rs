//! The real binary: every test starts it as its operator would.

mod accounts;
mod backup;
mod common;
mod configuration;
mod damage;
mod data_folder;
mod serving;
mod traces;
