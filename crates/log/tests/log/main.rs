//! The logs do what the trait says, whatever happens to them.

#![allow(missing_docs, reason = "tests have no interface")]

mod common;
mod create_after;
mod damage;
mod jetstream;
mod kill;
mod memory;
mod model;
mod sqlite;
