//! Opening and closing one lane.

use super::{Abroad, Pace, log, snapshot_store};
use crate::data::{DataDir, Session};
use crate::engine::LogWatch;
use crate::say::Progress;
use anyhow::{Context, Result, bail};
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{Domain, Lane, Options, ReachError, View};
use bongsu_log::Log;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A lane whose loops run.
pub struct OpenLane<D: Domain> {
    /// The lane.
    pub lane: Lane<D>,
    /// Waits until the lane's thread has ended.
    join: Box<dyn FnOnce() + Send>,
    session: Session,
    view: PathBuf,
    /// How the engine of its log is, where there is one.
    pub engine: Option<LogWatch>,
}

impl<D: Domain> OpenLane<D> {
    /// Opens the lane in the locked folder `data` and returns once it has applied all that its log held.
    pub async fn open(data: &DataDir, pace: &Pace, abroad: Option<&Abroad>) -> Result<Self> {
        let view = data.view(D::NAME);
        let mut options = options::<D>(data, pace, abroad)?;
        let mut engine = None;
        let log: Arc<dyn Log> = match abroad {
            Some(abroad) => {
                let (log, alone) = abroad.log::<D>(data, &options).await?;
                options.log_may_lag = alone;
                let own = abroad.sites.own.to_string();
                engine = Some(LogWatch::new(D::NAME, own, &log));
                Arc::new(log)
            }
            None => {
                let folder = data.clone();
                Arc::new(tokio::task::spawn_blocking(move || log::open(&folder, D::NAME)).await??)
            }
        };
        let last = log.bounds().await?.last;
        let (session, _) = Session::look(&view);
        let (lane, runner, how) = Lane::<D>::open(log, options).await?;
        tell::<D>(&how);
        let running = runner.start().context("no thread for the lane")?;
        let join = Box::new(move || running.join());
        let open = Self {
            lane,
            join,
            session,
            view,
            engine,
        };
        open.catch_up(last).await?;
        if abroad.is_none() && open.lane.behaviour().active < D::VERSION {
            // Nobody else is to be upgraded.
            open.lane.activate(D::VERSION).await?;
        }
        open.session.begin()?;
        Ok(open)
    }

    async fn catch_up(&self, last: bongsu_base::Seq) -> Result<()> {
        let progress = Progress::counting(format!("applying the log of {}", D::NAME));
        loop {
            match self.lane.reach(last, Duration::from_millis(250)).await {
                Ok(()) => return Ok(()),
                Err(ReachError::Late { wanted, applied }) => progress.at(applied.0, Some(wanted.0)),
                Err(ReachError::Stopped(why)) => bail!("the lane {} has stopped: {why}", D::NAME),
            }
        }
    }

    /// Answers what was asked, ends the loops, and brings the view to the disk.
    pub async fn close(self) -> Result<()> {
        let Self {
            lane,
            join,
            session,
            view,
            engine: _,
        } = self;
        lane.close().await;
        drop(lane);
        let flushed = tokio::task::spawn_blocking(move || {
            join();
            flush(&view).with_context(|| format!("the view {} cannot be flushed", view.display()))
        });
        flushed.await??;
        session.end()
    }
}

/// How the lane of `D` runs in the folder `data`.
fn options<D: Domain>(data: &DataDir, pace: &Pace, abroad: Option<&Abroad>) -> Result<Options> {
    let mut options = Options::new(data.view(D::NAME));
    options.snapshots = Some(Snapshots::new(snapshot_store(&data.snapshots())?, D::NAME));
    options.canary_every = pace.canary;
    options.snapshot_every = pace.snapshot_every;
    if let Some(abroad) = abroad {
        options.sites = Some(abroad.sites.names());
        options.peers = abroad.snapshots(D::NAME);
    }
    let checking = Progress::counting(format!("checking the view of {}", D::NAME));
    options.checking = Some(Arc::new(move |rows| checking.at(rows, None)));
    Ok(options)
}

/// Moves everything into the view's file and that to the disk.
fn flush(view: &std::path::Path) -> rusqlite::Result<()> {
    let db = rusqlite::Connection::open(view)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
}

fn tell<D: Domain>(how: &View) {
    let lane = D::NAME;
    match how {
        View::Kept => tracing::debug!(lane, "the view is sound"),
        View::Fresh => tracing::info!(lane, "began an empty view"),
        View::Restored(seq, None) => {
            tracing::info!(
                lane,
                seq = seq.0,
                "there was no view; made it from a snapshot and the log"
            );
        }
        View::Restored(seq, Some(damage)) => {
            tracing::warn!(
                lane,
                seq = seq.0,
                damage,
                "the view was damaged; made it again from a snapshot and the log"
            );
        }
        View::Rebuilt(damage) => tracing::warn!(
            lane,
            damage,
            "the view was damaged; made it again from the log"
        ),
    }
}
