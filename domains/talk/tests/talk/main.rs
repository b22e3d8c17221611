//! Talk through its endpoints: what a client sees.

#![allow(missing_docs, reason = "tests have no interface")]

mod administration;
mod bad_input;
mod crowd;
mod directory;
mod edges;
mod entrance;
mod erasure;
mod golden;
mod gone;
mod history;
mod house;
mod media;
mod media_more;
mod membership;
mod receipts;
mod relations;
mod retention;
mod rooms;
mod shapes;
mod spaces;
mod sync;
mod sync_more;
mod upgrade;
mod versions;

mod first_forms;
mod found;
mod guests;
mod own;
mod presence;
mod previews;
mod push;
