//! Ending processes in order, and starting them again.

use super::Striker;
use crate::cluster::{LOOK, Part, name};
use crate::record::Health;
use crate::whole;
use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a process may take to end and to be started again.
const PATIENCE: Duration = Duration::from_secs(40);

impl Striker<'_> {
    /// Restarts the platform, and then the engine, of `site`, as an upgrade does.
    pub(super) async fn restart(&mut self, site: usize) -> Result<()> {
        self.blow(site, Health::Down, "restarts its platform").await;
        self.again(site, Part::Platform).await?;
        whole::ready(self.cluster, site).await?;
        self.recorder.set(site, Health::Well);
        self.blow(site, Health::Well, "restarts its engine").await;
        self.again(site, Part::Engine).await?;
        self.healed = Some(Instant::now());
        Ok(())
    }

    /// Asks a process to end, and waits until another one runs in its place.
    async fn again(&self, site: usize, part: Part) -> Result<()> {
        let pid = self.cluster.pid(site, part)?;
        kill(pid, Signal::SIGTERM)?;
        self.replaced(site, part, pid).await
    }

    /// Returns once another process than `pid` runs as this part of `site`.
    pub(super) async fn replaced(&self, site: usize, part: Part, pid: Pid) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.cluster.pid(site, part).is_ok_and(|now| now == pid)
            || !self.cluster.runs(site, part)
        {
            let what = part.name();
            ensure!(
                Instant::now() < deadline,
                "{what} of {} does not restart",
                name(site)
            );
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Sets the clock of the platform of `site` ahead, for which it is restarted.
    pub(super) async fn skew(&mut self, site: usize) -> Result<()> {
        self.blow(site, Health::Down, "restarts with a wrong clock")
            .await;
        let pid = self.cluster.pid(site, Part::Platform)?;
        self.cluster.order("skew", site).await?;
        self.skewed = Some(site);
        self.replaced(site, Part::Platform, pid).await?;
        whole::ready(self.cluster, site).await?;
        self.recorder.set(site, Health::Well);
        Ok(())
    }
}
