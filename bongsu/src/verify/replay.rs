//! Applying a log again, to compare what comes out.

use crate::data::DataDir;
use crate::say::Progress;
use crate::wiring::snapshot_store;
use anyhow::{Context, Result};
use async_trait::async_trait;
use bongsu_base::Seq;
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::view::Digest;
use bongsu_lane::{Domain, Lane, Options, ReachError};
use bongsu_log::sqlite::SqliteLog;
use bongsu_log::{AppendError, Bounds, Entry, Log, ReadError};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Applies `log` up to `last` to a view of its own, begun from the newest snapshot that does not reach
/// beyond; gives the digest, or why it could not be done.
pub async fn replay<D: Domain>(
    data: &DataDir,
    log: Arc<SqliteLog>,
    bounds: Bounds,
    last: Seq,
) -> Result<Result<Digest, String>> {
    let scratch = tempfile::tempdir().context("no place for temporary files")?;
    let mut options = Options::new(scratch.path().join("view.sqlite"));
    options.snapshots = Some(Snapshots::new(snapshot_store(&data.snapshots())?, D::NAME));
    options.snapshot_every = u64::MAX;
    options.check_on_open = false;
    options.durable_view = false;
    let link = match last {
        last if last == bounds.last => bounds.link,
        last if last < bounds.first => return Ok(Err("its log was truncated further".to_owned())),
        last => match log.read(Seq(last.0 - 1), 1).await?.first() {
            Some(entry) => entry.link,
            None => return Ok(Err(format!("entry {last} cannot be read"))),
        },
    };
    let ended = Arc::new(Notify::new());
    let log = Arc::new(UpTo {
        log,
        bounds: Bounds {
            last,
            link,
            ..bounds
        },
        ended: ended.clone(),
    });
    let (lane, runner, _) = match Lane::<D>::open(log, options).await {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let running = runner.start().context("no thread for the lane")?;
    let progress = Progress::counting(format!("applying the log of {} again", D::NAME));
    let reached = loop {
        match lane.reach(last, Duration::from_millis(250)).await {
            Ok(()) => break Ok(lane.progress().digest),
            Err(ReachError::Late { applied, .. }) => progress.at(applied.0, Some(last.0)),
            Err(error @ ReachError::Stopped(_)) => break Err(error.to_string()),
        }
    };
    ended.notify_one();
    lane.close().await;
    tokio::task::spawn_blocking(move || running.join()).await?;
    Ok(reached)
}

/// A log as it was at some entry, to which nothing can be added.
struct UpTo {
    log: Arc<SqliteLog>,
    bounds: Bounds,
    /// Told once nobody needs it any more.
    ended: Arc<Notify>,
}

#[async_trait]
impl Log for UpTo {
    async fn append(&self, _: Bytes) -> Result<Seq, AppendError> {
        // The lane's canary has to wait until everything is applied.
        self.ended.notified().await;
        Err(AppendError::Stopped("the log was applied again".to_owned()))
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        let mut entries = self.log.read(after, max_bytes).await?;
        entries.retain(|entry| entry.seq <= self.bounds.last);
        Ok(entries)
    }

    async fn wait(&self, _: Seq) {
        std::future::pending().await
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        Ok(self.bounds)
    }

    async fn truncate(&self, _: Seq) -> Result<(), ReadError> {
        Ok(())
    }
}
