//! Keeping the log short: a snapshot now and then, and truncation behind it.

use crate::domain::Domain;
use crate::lane::{Lane, Shared, stopped};
use crate::snapshot::{Manifest, SnapshotError};
use crate::witness;
use bongsu_base::Seq;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How many snapshots are kept; the log reaches back to the oldest of them.
const SNAPSHOTS: usize = 2;
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Takes a snapshot whenever enough was appended since the last one; and soon where the log does not reach back to it, as
/// at a data centre that began with another one's: should that one burn, the others begin with this one's.
pub(crate) async fn keep_loop<D: Domain>(shared: Arc<Shared<D>>) {
    let mut state = shared.state.subscribe();
    let mut last = newest::<D>(&shared).await;
    loop {
        tokio::select! {
            biased;
            _ = stopped(&mut state) => return,
            () = sleep(LOOK_EVERY) => {}
        }
        let bounds = shared.log.bounds().await;
        if let Ok(bounds) = &bounds {
            shared.metrics.log_bytes.set(bounds.bytes as i64);
        }
        release(&shared).await;
        let applied = shared.applied.borrow().chain.seq;
        let cut_off = bounds.is_ok_and(|bounds| bounds.first > last.next());
        if applied.0.saturating_sub(last.0) < shared.options.snapshot_every && !cut_off {
            continue;
        }
        match snapshot(&shared).await {
            Ok(Some(manifest)) => last = manifest.seq,
            // There is nowhere to put one.
            Ok(None) => {}
            Err(error) => tracing::error!(lane = D::NAME, %error, "no snapshot could be taken"),
        }
    }
}

/// Has the log let go of what no data centre needs any longer, if this process is the one to do so.
async fn release<D: Domain>(shared: &Arc<Shared<D>>) {
    let lane = Lane {
        shared: shared.clone(),
    };
    let Some(sites) = shared.options.sites.as_ref().filter(|_| lane.leads()) else {
        return;
    };
    let held = lane
        .read(|view| witness::held_by_all(view.db(), sites))
        .await;
    let released = match held {
        Ok(Some(held)) => shared
            .log
            .release(held.next())
            .await
            .map_err(|error| error.to_string()),
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = released {
        tracing::warn!(
            lane = D::NAME,
            error,
            "the log could not be told what is needed no longer"
        );
    }
}

/// The newest snapshot there is; cuts off what of the log is no longer needed.
async fn newest<D: Domain>(shared: &Shared<D>) -> Seq {
    match &shared.options.snapshots {
        Some(snapshots) => match snapshots.list().await {
            Ok(list) => {
                // It may have ended between a snapshot and the truncation behind it.
                cut(shared, &list).await;
                let newest = list.first().map_or(Seq::ZERO, |manifest| manifest.seq);
                shared.metrics.snapshot_seq.set(newest.0 as i64);
                newest
            }
            Err(error) => {
                tracing::warn!(lane = D::NAME, %error, "the snapshots cannot be listed");
                Seq::ZERO
            }
        },
        None => Seq::ZERO,
    }
}

async fn snapshot<D: Domain>(shared: &Shared<D>) -> Result<Option<Manifest>, SnapshotError> {
    let Some(snapshots) = &shared.options.snapshots else {
        return Ok(None);
    };
    let _alone = shared.snapshotting.lock().await;
    let manifest = snapshots
        .take(&shared.options.view, shared.options.offload)
        .await?;
    tracing::info!(
        lane = D::NAME,
        seq = manifest.seq.0,
        bytes = manifest.bytes,
        "took a snapshot"
    );
    shared.metrics.snapshot_seq.set(manifest.seq.0 as i64);
    shared.empty_journal.store(true, Ordering::Relaxed);
    let kept = snapshots.prune(SNAPSHOTS).await?;
    cut(shared, &kept).await;
    Ok(Some(manifest))
}

/// Truncates the log behind the oldest of `kept`, newest first, and notes that it is needed no further back. Nothing is
/// done while there are too few, or while the view here has not come as far itself: it still has to read what is before.
async fn cut<D: Domain>(shared: &Shared<D>, kept: &[Manifest]) {
    let applied = shared.applied.borrow().chain.seq;
    let oldest = kept.get(SNAPSHOTS - 1).map(|manifest| manifest.seq);
    let Some(oldest) = oldest.filter(|oldest| *oldest <= applied) else {
        return;
    };
    match shared.log.truncate(oldest.next()).await {
        // Not sooner: what all data centres say here, the engine is told to let go of.
        Ok(()) => *shared.held.lock() = oldest,
        Err(error) => {
            tracing::error!(lane = D::NAME, %error, "the log could not be truncated");
        }
    }
}

impl<D: Domain> Lane<D> {
    /// Takes a snapshot now, forgets the oldest beyond those that are kept, and truncates the log behind
    /// them. `None` when this lane has nowhere to put one.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub async fn snapshot(&self) -> Result<Option<Manifest>, SnapshotError> {
        snapshot(&self.shared).await
    }
}
