//! What the sites stand on: where their logs come from, and what goes wrong there.

mod engine;
mod one;

use crate::Dice;
use async_trait::async_trait;
use bongsu_base::Seq;
use bongsu_lane::snapshot::Snapshots;
use bongsu_log::{Entry, Log};
use std::sync::Arc;
use std::time::Duration;

pub use engine::OverEngine;
pub use one::OneLog;

/// Which ground a run stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One log in memory that all sites read.
    OneLog,
    /// A copy of the log at every site, over a model of JetStream.
    Engine,
}

/// What the sites stand on.
#[async_trait]
pub trait Ground: Send + Sync + 'static {
    /// Opens the log at site `n`, whose view has applied `applied`; `snapshots` are where the site may
    /// begin. `None` when it cannot be opened now.
    ///
    /// # Errors
    /// What must not happen and did.
    async fn open(
        &self,
        n: usize,
        applied: Seq,
        snapshots: &Snapshots,
    ) -> Result<Option<Opened>, String>;

    /// The process of site `n` has ended, one way or another.
    async fn ended(&self, n: usize);

    /// Something happens to what site `n` has of the log, while its process does not run.
    fn harm(&self, n: usize, dice: &mut Dice);

    /// Cuts site `n` off, or ends that.
    fn cut(&self, n: usize, cut: bool);

    /// Nothing is taken for so long.
    async fn stop(&self, span: Duration);

    /// Nothing goes wrong from now on, or as much as at the beginning.
    fn set_rough(&self, rough: bool);

    /// Every site has snapshots up to some entry: what is before it may go.
    async fn tidy(&self);

    /// Ends all trouble.
    fn calm(&self);

    /// Every entry there ever was.
    fn history(&self) -> Vec<Entry>;
}

/// A log at one site.
pub struct Opened {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The last entry that it surely has; snapshots that other sites take meanwhile may be further.
    pub reach: Seq,
    /// Whether its source is away, so that it may lack what it had.
    pub alone: bool,
}
