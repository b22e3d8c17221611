//! Being up to date: a replica that has applied what it appended itself has applied everything before it.

use crate::canary::LEASE;
use crate::domain::Domain;
use crate::lane::{Lane, Shared, SubmitError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// One round serves everybody who came before it began.
#[derive(Default)]
pub(crate) struct Barrier {
    begun: AtomicU64,
    last: tokio::sync::Mutex<Option<Result<(), SubmitError>>>,
}

impl Barrier {
    async fn pass<D: Domain>(&self, shared: &Shared<D>) -> Result<(), SubmitError> {
        let before = self.begun.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        match &*last {
            // A round that began after this was asked for.
            Some(result) if self.begun.load(Ordering::Acquire) > before => result.clone(),
            _ => {
                *last = None;
                self.begun.fetch_add(1, Ordering::AcqRel);
                let tick = shared.tick(LEASE * shared.options.canary_every);
                let result = shared.put_system(tick).await.map(drop);
                *last = Some(result.clone());
                result
            }
        }
    }
}

impl<D: Domain> Lane<D> {
    /// Returns once this replica has applied everything that had been acknowledged anywhere when this was
    /// called. It costs an append, which those who ask at the same time share. Over a log that no other
    /// process appends to there is nothing to wait for.
    ///
    /// # Errors
    /// `Detached` or `Unknown` when the log is not reached `within` that time; otherwise see
    /// [`SubmitError`].
    pub async fn catch_up(&self, within: Duration) -> Result<(), SubmitError> {
        let shared = &self.shared;
        if shared.options.sites.is_none() {
            return Ok(());
        }
        if shared.is_stalled() {
            return Err(SubmitError::Detached);
        }
        timeout(within, shared.barrier.pass(shared))
            .await
            .unwrap_or(Err(SubmitError::Unknown))
    }
}
