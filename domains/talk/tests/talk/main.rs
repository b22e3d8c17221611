//! Talk through its endpoints: what a client sees.

#![allow(missing_docs, reason = "tests have no interface")]

mod bad_input;
mod golden;
mod history;
mod house;
mod media;
mod membership;
mod receipts;
mod rooms;
mod sync;

mod own;
mod presence;
mod push;
