//! A copy of the log at every site, over a model of JetStream.

use super::{Ground, Opened};
use crate::Dice;
use crate::world::SITES;
use async_trait::async_trait;
use bongsu_base::{Seed, Seq};
use bongsu_lane::snapshot::Snapshots;
use bongsu_log::jetstream::{self, JetstreamLog, OpenError, Options, StreamId};
use bongsu_log::memory::{Cluster, EngineFaults, MemoryMirror};
use bongsu_log::{Entry, Log, Mark};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::sleep;

pub struct OverEngine {
    cluster: Cluster,
    sites: Vec<SiteCopy>,
    faults: EngineFaults,
}

/// One site's copy, and the log over it while it runs.
#[derive(Default)]
struct SiteCopy {
    mirror: MemoryMirror,
    log: Mutex<Weak<JetstreamLog>>,
}

impl OverEngine {
    /// An engine that holds nothing.
    pub fn new(seed: Seed, rough: bool) -> Self {
        let faults = if rough {
            EngineFaults::ROUGH
        } else {
            EngineFaults::NONE
        };
        Self {
            cluster: Cluster::new(seed, SITES, faults.clone()),
            sites: (0..SITES).map(|_| SiteCopy::default()).collect(),
            faults,
        }
    }
}

#[async_trait]
impl Ground for OverEngine {
    async fn open(
        &self,
        n: usize,
        applied: Seq,
        snapshots: &Snapshots,
    ) -> Result<Option<Opened>, String> {
        let site = &self.sites[n];
        let list = snapshots.list().await.map_err(|error| error.to_string())?;
        let begin = list.first().map(|manifest| {
            let chain = manifest.chain().map_err(|error| error.to_string());
            chain.map(|chain| Mark {
                chain,
                time: manifest.time,
            })
        });
        let reach = list
            .first()
            .map_or(applied, |newest| applied.max(newest.seq));
        let options = Options {
            // All sites make the same stream, whichever of them is the first.
            create: list.is_empty().then_some(StreamId::from_bytes([1; 16])),
            begin: begin.transpose()?,
            reach,
            reach_within: Some(Duration::from_secs(3)),
            ..Options::default()
        };
        let opened = JetstreamLog::open(self.cluster.engine(n), &site.mirror, options).await;
        match opened {
            Ok((log, how)) => {
                let log = Arc::new(log);
                *site.log.lock() = Arc::downgrade(&log);
                let reach = match how {
                    jetstream::Opened::Alone(_) | jetstream::Opened::Behind(_) => Seq::ZERO,
                    _ => reach,
                };
                let alone = matches!(how, jetstream::Opened::Alone(_));
                Ok(Some(Opened { log, reach, alone }))
            }
            // The stream, or what the snapshots say, is not to be reached now.
            Err(OpenError::Away(_) | OpenError::NoStream | OpenError::NeedsSnapshot { .. }) => {
                Ok(None)
            }
            Err(error) => Err(format!("site {n} cannot open its log: {error}")),
        }
    }

    async fn ended(&self, n: usize) {
        let log = self.sites[n].log.lock().upgrade();
        if let Some(log) = log {
            // A process that ended does nothing more; here, a client may still hold its lane.
            log.close().await;
        }
    }

    fn harm(&self, n: usize, dice: &mut Dice) {
        let mirror = &self.sites[n].mirror;
        match dice.u32(0..8) {
            0 | 1 => mirror.cut(dice.usize(0..20)),
            2 => mirror.wipe(),
            _ => {}
        }
    }

    fn cut(&self, n: usize, cut: bool) {
        self.cluster.cut(n, cut);
    }

    async fn stop(&self, span: Duration) {
        self.cluster.elect(span);
        sleep(span).await;
    }

    fn set_rough(&self, rough: bool) {
        self.cluster.set_faults(if rough {
            self.faults.clone()
        } else {
            EngineFaults::NONE
        });
    }

    async fn tidy(&self) {
        let bounds: Option<Vec<_>> = self.sites.iter().map(|site| site.mirror.bounds()).collect();
        let Some(first) = bounds.and_then(|all| all.iter().map(|bounds| bounds.first).min()) else {
            return;
        };
        for site in &self.sites {
            let log = site.log.lock().upgrade();
            if let Some(log) = log {
                // Another time, if the engine is away.
                let _ = log.release(first.max(Seq(1))).await;
                return;
            }
        }
    }

    fn calm(&self) {
        self.cluster.set_faults(EngineFaults::NONE);
        for n in 0..SITES {
            self.cluster.cut(n, false);
        }
    }

    fn history(&self) -> Vec<Entry> {
        self.cluster.history()
    }
}
