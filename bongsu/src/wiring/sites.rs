//! What an installation in several data centres has beyond one machine: the engine of the logs, and the
//! other data centres' files.

use super::log_options;
use crate::config::{Config, Sites};
use crate::data::DataDir;
use anyhow::{Context, Result, bail};
use bongsu_base::Partition;
use bongsu_bus::NatsBus;
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{Condemned, Domain, Options, condemned};
use bongsu_log::Mark;
use bongsu_log::jetstream::{
    Engine, JetstreamLog, Layout, MirrorFile, Nats, OpenError, Opened, Options as LogOptions,
    StreamId,
};
use bongsu_media::Neighbour;
use bongsu_peer::{Identity, Peer};
use bongsu_talk::http::Far;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What data centres call the stores that they offer each other.
pub const SNAPSHOTS: &str = "snapshots";
/// The same, for media.
pub const MEDIA: &str = "media";

/// How long the engine may need to elect a leader (4 to 9 s); an append waits as long.
const ELECTION: Duration = Duration::from_secs(10);

/// The other data centres, as this one reaches them.
#[derive(Clone)]
pub struct Abroad {
    /// What is configured.
    pub sites: Sites,
    /// As whom this one speaks to the others.
    pub identity: Identity,
    /// The others, nearest first.
    pub peers: Vec<Peer>,
    nats: Nats,
}

impl Abroad {
    /// Prepares the connections, which are made in the background; `None` for one machine alone.
    pub async fn of(config: &Config) -> Result<Option<Self>> {
        match &config.sites {
            Some(sites) => Self::open(sites).await.map(Some),
            None => Ok(None),
        }
    }

    async fn open(sites: &Sites) -> Result<Self> {
        let identity = sites.identity()?;
        let peers = sites.peers(&identity)?;
        let nats = Nats::connect(sites.engine.clone()).await?;
        Ok(Self {
            sites: sites.clone(),
            identity,
            peers,
            nats,
        })
    }

    /// The snapshots of `lane` that the others have.
    pub fn snapshots(&self, lane: &'static str) -> Vec<Snapshots> {
        let peers = self.peers.iter();
        peers
            .map(|peer| Snapshots::new(peer.store(SNAPSHOTS), lane))
            .collect()
    }

    /// The others' media, as places for copies.
    pub fn media(&self) -> Vec<Neighbour> {
        let distances = (1..).zip(&self.peers);
        distances
            .map(|(distance, peer)| Neighbour {
                data_centre: peer.name().clone(),
                distance,
                store: peer.store(MEDIA),
            })
            .collect()
    }

    /// Opens the log of `D` in the locked folder `data`. A data centre that has nothing, or was away for
    /// too long, begins from a snapshot. Says whether the copy is all there is for now.
    pub async fn log<D: Domain>(
        &self,
        data: &DataDir,
        options: &Options,
    ) -> Result<(JetstreamLog, bool)> {
        let lane = D::NAME;
        let path = data.log(lane);
        if let Some(Condemned {
            log: true, reason, ..
        }) = condemned(&options.view)?
        {
            tracing::warn!(
                lane,
                reason,
                "this data centre's copy of the log is made again too"
            );
            forget_log(&path)?;
        }
        let engine = self.engine(lane);
        let copy = MirrorFile::with(path.clone(), move || log_options(lane, false));
        let nothing = !path.exists() && !options.view.exists();
        let mut how = LogOptions {
            create: if nothing { Some(stream_id()?) } else { None },
            // A server that is behind must not make the copy look as if it had lost what the view has.
            reach: bongsu_lane::view::applied(&options.view).unwrap_or_default(),
            ..LogOptions::default()
        };
        how.pace.lead_from = self.preferred(lane);
        how.pace.append_within = ELECTION;
        if !path.exists() && options.view.exists() {
            how.begin = self.begin::<D>(options, bongsu_base::Seq(1)).await?;
        }
        let opened = match JetstreamLog::open(engine.clone(), &copy, how.clone()).await {
            Err(OpenError::NeedsSnapshot { first }) => {
                how.create = None;
                how.begin = self.begin::<D>(options, first).await?;
                if how.begin.is_none() {
                    bail!(
                        "the log of {lane} begins at entry {first}, and neither this data centre nor another one has \
                         a snapshot that reaches up to it; start the others first"
                    );
                }
                forget_log(&path)?;
                JetstreamLog::open(engine, &copy, how).await
            }
            opened => opened,
        };
        let (log, opened) = opened.with_context(|| format!("the log of {lane}"))?;
        match &opened {
            Opened::Created => tracing::info!(lane, "made the log"),
            Opened::Following => tracing::info!(lane, "follows the log"),
            Opened::Alone(why) | Opened::Behind(why) => {
                tracing::warn!(
                    lane,
                    why,
                    "the log cannot be reached; reading goes on from this data centre's copy"
                );
            }
        }
        Ok((log, matches!(opened, Opened::Alone(_))))
    }

    /// The way to the others for what need not last.
    pub fn far(&self) -> Far {
        let root = &Layout::default().prefix;
        let bus = NatsBus::new(self.nats.client().clone(), root);
        Far::over(Arc::new(bus), self.sites.names().own)
    }

    /// The engine of the log of `lane`.
    pub fn engine(&self, lane: &str) -> Arc<dyn Engine> {
        let layout = Layout {
            replicas: self.sites.replicas,
            ..Layout::default()
        };
        self.nats.engine(lane, Partition::default(), layout)
    }

    /// Where this data centre's copy of a log that begins at `first` may begin: at its view, or at one made
    /// of a snapshot.
    async fn begin<D: Domain>(
        &self,
        options: &Options,
        first: bongsu_base::Seq,
    ) -> Result<Option<Mark>> {
        let begun = bongsu_lane::begin_from_snapshot::<D>(options, first).await?;
        Ok(begun.map(|progress| Mark {
            chain: progress.chain,
            time: progress.time,
        }))
    }

    /// The server that ought to lead the log of `lane`, if that is the one here: different logs prefer
    /// different data centres, so that a fire stops as few as possible.
    fn preferred(&self, lane: &str) -> Option<String> {
        let names = self.sites.names();
        let place = super::LED.iter().position(|other| *other == lane)?;
        let preferred = &names.all[place % names.all.len()];
        (*preferred == self.sites.own).then(|| preferred.to_string())
    }
}

/// An id for a new stream.
pub fn stream_id() -> Result<StreamId> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(StreamId::from_bytes(random))
}

/// Removes this data centre's copy of a log.
pub fn forget_log(path: &Path) -> Result<()> {
    let sidecar = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    };
    // The file that says which log it is a copy of goes last.
    let files = [
        path.to_owned(),
        sidecar("-wal"),
        sidecar("-shm"),
        MirrorFile::origin_path(path),
    ];
    for file in files {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be removed", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
