//! The canary: the only proof of health is a record that was appended and seen applied, here, lately.

use crate::domain::Domain;
use crate::lane::{LaneState, Shared, stopped};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many canaries the lease outlasts.
pub(crate) const LEASE: u32 = 3;

/// Whether a lane can do its work.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether it runs, and if not, why.
    pub state: LaneState,
    /// How long ago the last canary was applied; `None` before the first.
    pub canary_age: Option<Duration>,
    /// How long the last canary took from being asked to being applied.
    pub canary_took: Option<Duration>,
}

impl Health {
    /// Whether the lane works: it runs, and a canary was applied within `within`.
    #[must_use]
    pub fn is_ready(&self, within: Duration) -> bool {
        self.state == LaneState::Running && self.canary_age.is_some_and(|age| age <= within)
    }
}

#[derive(Debug, Clone, Copy)]
struct Sung {
    at: Instant,
    took: Duration,
}

/// When the canary last sang.
#[derive(Debug, Default)]
pub(crate) struct Canary(Mutex<Option<Sung>>);

impl Canary {
    pub fn health(&self, state: LaneState) -> Health {
        let sung = *self.0.lock();
        Health {
            state,
            canary_age: sung.map(|sung| sung.at.elapsed()),
            canary_took: sung.map(|sung| sung.took),
        }
    }
}

/// Sends a canary now and then.
pub(crate) async fn tick_loop<D: Domain>(shared: Arc<Shared<D>>) {
    let mut state = shared.state.subscribe();
    loop {
        let tick = shared.tick(LEASE * shared.options.canary_every);
        let begun = Instant::now();
        tokio::select! {
            biased;
            _ = stopped(&mut state) => return,
            sung = shared.put_system(tick) => match sung {
                Ok(_) => {
                    let took = begun.elapsed();
                    shared.metrics.canary.set(took.as_secs_f64());
                    *shared.canary.0.lock() = Some(Sung { at: Instant::now(), took });
                }
                Err(_) if *shared.state.borrow() == LaneState::Closing => {}
                Err(error) => tracing::warn!(lane = D::NAME, %error, "the canary did not come back"),
            }
        }
        tokio::select! {
            biased;
            _ = stopped(&mut state) => return,
            () = sleep(shared.options.canary_every) => {}
        }
    }
}
