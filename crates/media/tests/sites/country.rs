//! Three data centres, and what may befall them.

use crate::faults::{Fault, Faulty};
use async_trait::async_trait;
use bongsu_base::{DataCentre, LogTime, Millis};
use bongsu_media::{
    Blob, BlobId, Limits, Media, MediaError, Named, NamedError, Neighbour, Plan, Repair,
};
use bongsu_peer::{
    Authority, Identity, Limits as PeerLimits, Offer, Patience, Peer, Rights, Server, Status,
};
use bytes::Bytes;
use futures_util::stream;
use object_store::local::LocalFileSystem;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const NAMES: [&str; 3] = ["seoul", "busan", "gwangju"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than any of the tests' blobs.
pub const MAX: u64 = 64 << 20;
/// How long the tests' data centres wait for one that hangs. Whoever does not hang is quicker, on a busy
/// machine too.
pub const STALLED: Duration = Duration::from_secs(4);
/// Longer than that, so that nothing else decides.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(
    clippy::disallowed_methods,
    reason = "TLS and file systems look at the machine's clock, so the tests do, too"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

pub fn log_time(time: SystemTime) -> LogTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    LogTime(i64::try_from(since.as_millis()).unwrap())
}

/// What the view of a data centre says.
#[derive(Debug)]
pub struct View {
    pub named: Mutex<BTreeSet<BlobId>>,
    pub as_of: Mutex<LogTime>,
}

#[async_trait]
impl Named for View {
    async fn as_of(&self) -> Result<LogTime, NamedError> {
        Ok(*self.as_of.lock().unwrap())
    }

    async fn is_named(&self, id: BlobId) -> Result<bool, NamedError> {
        Ok(self.named.lock().unwrap().contains(&id))
    }

    async fn page(&self, after: Option<BlobId>, most: usize) -> Result<Vec<BlobId>, NamedError> {
        let named = self.named.lock().unwrap();
        let later = named
            .iter()
            .filter(|id| after.is_none_or(|after| **id > after));
        Ok(later.take(most).copied().collect())
    }
}

/// A data centre.
pub struct Site {
    pub media: Media,
    pub view: Arc<View>,
    /// What its own store suffers from.
    pub fault: Arc<Fault>,
    folder: TempDir,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
}

/// All three, each a neighbour of the others; the first one's nearest is the second.
pub struct Country {
    pub sites: Vec<Site>,
    pub view: Arc<View>,
}

/// A data centre before it knows the others.
struct Ground {
    identity: Identity,
    folder: TempDir,
    fault: Arc<Fault>,
    media: Media,
}

impl Ground {
    fn new(authority: &Authority, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issued = authority.issue(&name.parse().unwrap(), now(), DAY).unwrap();
        let fault = Arc::new(Fault::default());
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let limits = Limits {
            stalled_after: STALLED,
            ..Limits::default()
        };
        Self {
            identity: issued.identity().unwrap(),
            media: Media::new(Arc::new(Faulty::new(store, fault.clone())), limits),
            folder,
            fault,
        }
    }

    /// A store is offered before its owner knows its own neighbours: what others bring is not passed on.
    async fn offer(&self) -> Server {
        let others: Vec<_> = NAMES.map(|name| name.parse().unwrap()).into();
        let offer = Offer {
            name: "media",
            store: self.media.shelf(),
            rights: Rights::ReadAndPut,
        };
        let server = Server::bind(
            ([127, 0, 0, 1], 0).into(),
            &self.identity,
            &others,
            vec![offer],
            Status::new(|| serde_json::Value::Null),
            PeerLimits::default(),
        );
        server.await.unwrap()
    }

    fn neighbours(&self, addresses: &[(DataCentre, SocketAddr)]) -> Vec<Neighbour> {
        let others = addresses
            .iter()
            .filter(|(name, _)| name != self.identity.name());
        let neighbour = |(distance, (name, address)): (usize, &(DataCentre, SocketAddr))| {
            let address = address.to_string();
            let patience = Patience {
                connect: PATIENCE,
                answer: PATIENCE,
                piece: PATIENCE,
            };
            let peer = Peer::new(&self.identity, name.clone(), &address, patience).unwrap();
            Neighbour {
                data_centre: name.clone(),
                distance: distance as u32,
                store: peer.store("media"),
            }
        };
        others.enumerate().map(neighbour).collect()
    }
}

impl Country {
    pub async fn new() -> Self {
        let authority = Authority::create(now()).unwrap();
        let view = Arc::new(View {
            named: Mutex::default(),
            as_of: Mutex::new(log_time(now())),
        });
        let grounds = NAMES.map(|name| Ground::new(&authority, name));
        let (mut servers, mut addresses) = (Vec::new(), Vec::new());
        for ground in &grounds {
            let server = ground.offer().await;
            addresses.push((ground.identity.name().clone(), server.address().unwrap()));
            servers.push(server);
        }
        let mut sites = Vec::new();
        for (ground, server) in grounds.into_iter().zip(servers) {
            let (stop, stopping) = watch::channel(false);
            sites.push(Site {
                media: ground.media.clone().across(ground.neighbours(&addresses)),
                view: view.clone(),
                fault: ground.fault,
                folder: ground.folder,
                stop,
                serving: Some(tokio::spawn(server.serve(stopping))),
            });
        }
        Self { sites, view }
    }

    /// Uploads in the first data centre, and names what was uploaded.
    pub async fn upload(&self, content: &[u8]) -> Blob {
        let blob = self.sites[0].put(content).await.unwrap();
        self.view.named.lock().unwrap().insert(blob.hash);
        blob
    }

    /// Which data centres hold a sound copy.
    pub fn holders(&self, id: BlobId) -> Vec<usize> {
        let holds = |place: &usize| {
            let content = std::fs::read(self.sites[*place].file(id));
            content.is_ok_and(|content| BlobId::of(&content) == id)
        };
        (0..self.sites.len()).filter(holds).collect()
    }

    /// Has every data centre catch up.
    pub async fn repair_all(&self) {
        for site in &self.sites {
            site.repair().pass().await.unwrap();
        }
    }
}

impl Site {
    pub async fn put(&self, content: &[u8]) -> Result<Blob, MediaError> {
        let pieces: Vec<_> = content
            .chunks(700_000)
            .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
            .collect();
        self.media.put(stream::iter(pieces), MAX).await
    }

    /// What keeps it whole: quick, and with a day of patience for what is not named.
    pub fn repair(&self) -> Repair {
        let plan = Plan {
            fetched_bytes_a_second: u64::MAX,
            scrubbed_bytes_a_second: u64::MAX,
            kept_unnamed: Millis(24 * 60 * 60 * 1000),
            ..Plan::default()
        };
        Repair::new(self.media.clone(), self.view.clone(), plan)
    }

    pub fn file(&self, id: BlobId) -> PathBuf {
        let id = id.to_string();
        self.folder
            .path()
            .join("blobs")
            .join(&id[..2])
            .join(&id[2..])
    }

    /// Flips a bit in the middle of the blob.
    pub fn damage(&self, id: BlobId) {
        let file = self.file(id);
        let mut content = std::fs::read(&file).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        std::fs::write(file, content).unwrap();
    }

    /// All blobs are gone, as after a fire.
    pub fn wipe(&self) {
        std::fs::remove_dir_all(self.folder.path().join("blobs")).unwrap();
    }

    /// Nobody else reaches it any more.
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap();
        }
    }

    /// Files that stand here, but for whole blobs.
    pub fn drafts(&self) -> usize {
        match std::fs::read_dir(self.folder.path().join("uploads")) {
            Ok(entries) => entries.count(),
            Err(_) => 0,
        }
    }

    /// A counter or gauge by its name, without `bongsu_media_`.
    pub fn measured(&self, name: &str) -> u64 {
        let mut registry = prometheus_client::registry::Registry::default();
        self.media.metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let start = format!("bongsu_media_{name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap().parse().unwrap()
    }
}

/// `bytes` bytes that are the same in no other blob.
pub fn content(seed: u8, bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[seed]);
    hasher.finalize_xof().fill(&mut content);
    content
}
