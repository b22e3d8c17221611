//! What happens to a data centre's disk.

use super::{Altered, Striker};
use crate::cluster::name;
use crate::disk;
use crate::record::Health;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use tokio::time::Instant;

/// How many bytes of a view are changed: enough for one of them to matter.
const IN_A_VIEW: usize = 64;
/// How many bytes of the log.
const IN_A_BLOCK: usize = 8;
/// How many uploads are altered.
const BLOBS: usize = 6;
/// A disk that holds everything, in KiB.
const LARGE: u64 = 8 << 20;
/// How often a disk is made full that is written to at the same time.
const ATTEMPTS: u64 = 40;

impl Striker<'_> {
    pub(super) async fn damage_view(&mut self, site: usize) -> Result<()> {
        self.cluster.gone(site).await?;
        let views = self.cluster.site_dir(site).join("data/view");
        let found = disk::files(&views, |path| ends(path, ".sqlite"));
        let view = disk::largest(&found).context("there is no view")?;
        self.recorder
            .mark(format!("{}: its view is damaged", name(site)));
        disk::damage(view, IN_A_VIEW, &mut self.rng)
    }

    pub(super) async fn damage_block(&mut self, site: usize) -> Result<()> {
        self.cluster.gone(site).await?;
        let engine = self.cluster.site_dir(site).join("nats");
        let ours = |path: &Path| path.components().any(|part| part.as_os_str() == "msgs");
        let foreign = |path: &Path| path.to_string_lossy().contains("/FIRE-");
        let found = disk::files(&engine, |path| {
            ends(path, ".blk") && ours(path) && !foreign(path)
        });
        let block = disk::largest(&found).context("the engine has no blocks")?;
        self.recorder
            .mark(format!("{}: its log is damaged", name(site)));
        disk::damage(block, IN_A_BLOCK, &mut self.rng)
    }

    pub(super) fn damage_blobs(&mut self, site: usize) -> Result<()> {
        let media = self.cluster.site_dir(site).join("data/media/blobs");
        let found = disk::newest(disk::files(&media, |_| true));
        ensure!(!found.is_empty(), "{} has no uploads", media.display());
        self.recorder
            .mark(format!("{}: uploads are damaged", name(site)));
        for path in found.into_iter().take(BLOBS) {
            let wanted = blake3::hash(&std::fs::read(&path)?);
            disk::damage(&path, IN_A_BLOCK - 1, &mut self.rng)?;
            self.altered.push(Altered { path, wanted });
        }
        Ok(())
    }

    pub(super) async fn wipe(&mut self, site: usize) -> Result<()> {
        self.blow(site, Health::Down, "burns, with its disks").await;
        self.cluster.end("wipe", site).await?;
        if self.limited {
            self.cluster.bound(site, LARGE)?;
        }
        Ok(())
    }

    pub(super) async fn bound(&mut self, site: usize) -> Result<()> {
        if let Some(has) = self.cluster.bounded() {
            if let Some(place) = self.drawn.iter().position(|drawn| *drawn == has) {
                self.drawn.swap(0, place);
            }
            self.healed = Some(Instant::now());
            return Ok(());
        }
        self.blow(site, Health::Down, "gets another disk").await;
        self.cluster.end("wipe", site).await?;
        self.cluster.bound(site, LARGE)?;
        self.healed = Some(Instant::now());
        self.cluster.order("heal", site).await
    }

    pub(super) async fn fill(&mut self, site: usize) -> Result<()> {
        let folder = self.cluster.site_dir(site);
        self.blow(site, Health::Down, "has a full disk").await;
        let mut last = Ok(());
        for attempt in 1..=ATTEMPTS {
            last = disk::resize(&folder, disk::used_kib(&folder)? + attempt * 16);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Makes room, and has everything in it end and begin again: an engine that had no room stores nothing more
    /// until it is started again.
    pub(super) async fn empty(&mut self, site: usize) -> Result<()> {
        self.recorder
            .mark(format!("{} has room again, and is restarted", name(site)));
        disk::resize(&self.cluster.site_dir(site), LARGE)?;
        self.cluster.end("burn", site).await
    }

    pub(super) async fn unbound(&mut self, site: usize) -> Result<()> {
        self.blow(site, Health::Down, "gets its usual disk again")
            .await;
        self.cluster.end("wipe", site).await?;
        self.cluster.unbound().await
    }
}

fn ends(path: &Path, ending: &str) -> bool {
    path.to_string_lossy().ends_with(ending)
}
