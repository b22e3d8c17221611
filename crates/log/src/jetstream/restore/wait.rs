//! Waiting for the engine while a log is restored: bounded, and never silent.

use super::RestoreError;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the engine may do nothing before restoring is given up.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Who is told what is waited for, whenever that is something else than before.
pub type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// A wait that ends with an error once nothing went on for [`PATIENCE`].
pub(super) struct Wait<'a> {
    tell: Tell<'a>,
    since: Instant,
    told: String,
}

impl<'a> Wait<'a> {
    pub fn new(tell: Tell<'a>) -> Self {
        Self {
            tell,
            since: Instant::now(),
            told: String::new(),
        }
    }

    /// Something went on.
    pub fn goes_on(&mut self) {
        self.since = Instant::now();
        self.told.clear();
    }

    /// Waits a little, because of `why`.
    pub async fn pause(&mut self, why: &str) -> Result<(), RestoreError> {
        if self.since.elapsed() >= PATIENCE {
            return Err(RestoreError::Waited {
                seconds: PATIENCE.as_secs(),
                why: why.to_owned(),
            });
        }
        if self.told != why {
            (self.tell)(why);
            why.clone_into(&mut self.told);
        }
        sleep(PAUSE).await;
        Ok(())
    }
}
