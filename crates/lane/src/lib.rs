//! The lane: what turns a domain's commands into state, the same in every replica.
//!
//! A lane appends records to a [`bongsu_log::Log`], follows that log, applies every record to a SQLite
//! view in the log's order, and answers whoever waits with the outcome. It promises:
//!
//! - a record is applied once; a repeat of its id gives the first outcome ([`OUTCOME_RETENTION`]);
//! - the view's applied sequence moves in the same transaction as the state;
//! - nothing is skipped: a replica that cannot apply for a reason of its own stops and says so, while a
//!   panic in a domain's rule is an outcome like any other, the same everywhere;
//! - nothing waits unboundedly: what is over a bound is refused before it is appended;
//! - the state's digest is kept with the state, so that two replicas can be compared in 16 bytes and a
//!   damaged view is noticed.
//!
//! It never knows what a command means, nor who speaks which protocol.

mod applier;
mod barrier;
mod canary;
mod cx;
mod domain;
mod effects;
mod entropy;
mod keeper;
mod known;
mod lane;
mod metrics;
mod open;
mod outdated;
mod queue;
mod record;
mod run;
pub mod snapshot;
pub mod view;
mod wake;
mod witness;

pub use applier::{Applied, Applier, ApplyError, Applying, OUTCOME_RETENTION, Verdict};
pub use canary::Health;
pub use cx::Cx;
pub use domain::{Domain, NoEffect, Outcome, Refusal};
pub use effects::{EffectError, EffectHandler, EffectId};
pub use entropy::{Entropy, OsEntropy};
pub use lane::{Behaviour, Decision, Lane, LaneState, ReachError, Request, SubmitError};
pub use metrics::{LaneMetrics, LanesMetrics};
pub use open::{Offload, OpenError, Options, Progress, Sites, View, begin_from_snapshot};
pub use queue::Priority;
pub use record::{Actor, Checkpoint, EntryBody, Payload, Record, Report, System, SystemAccount};
pub use run::{Runner, Running};
pub use view::{ReadError, ReadView};
pub use wake::{Told, Topic, Waiter, Wake};
pub use witness::{Condemned, condemned};
