//! Whole clusters in one process, from one seed.
//!
//! Three sites run a domain's lane over one log in memory, or each over its own copy of the log and a
//! model of JetStream. The log is slow and forgetful, sites crash, lose the end of their views, of their
//! copies, or all of them, are cut off, close and come back; snapshots are taken and
//! the log is truncated behind them, while clients ask, are told that nobody knows, and ask again
//! elsewhere. In the end everything is calm, and the sites must agree with one another, with a replay of
//! the whole log, and with everything that a client was ever told.
//!
//! It promises that a run follows from its seed alone: one thread, one clock that is only ever moved
//! when everybody waits, and no order that is not decided. It never knows what a domain means; a
//! [`Workload`] does.

mod chaos;
mod client;
mod ground;
pub mod identity;
pub mod ledger;
pub mod pay;
mod run;
mod seeds;
mod site;
pub mod talk;
mod verdict;
mod workload;
mod world;

pub use ground::Kind;
pub use run::{Ran, run};
pub use seeds::check_seeds;
pub use workload::{Asked, Settled, Told, Workload};

/// Where every choice comes from.
pub type Dice = fastrand::Rng;
