//! A data centre that listens, and others that ask it.

use bongsu_base::DataCentre;
use bongsu_peer::{Authority, Identity, Limits, Offer, Patience, Peer, Rights, Server, Status};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The hour at which certificates are made.
#[expect(
    clippy::disallowed_methods,
    reason = "TLS looks at the machine's clock, so the certificates of a test do, too"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

pub fn name(text: &str) -> DataCentre {
    text.parse().unwrap()
}

/// The data centre `text` with a certificate of `authority` that is in force.
pub fn identity(authority: &Authority, text: &str) -> Identity {
    let issued = authority.issue(&name(text), now(), DAY).unwrap();
    issued.identity().unwrap()
}

/// Seoul, which listens, and what it keeps.
pub struct Seoul {
    pub authority: Authority,
    pub address: SocketAddr,
    pub media: Arc<InMemory>,
    pub snapshots: Arc<InMemory>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Seoul {
    /// It hears Busan.
    pub async fn start(limits: Limits) -> Self {
        let media = Arc::new(InMemory::new());
        Self::over(media.clone(), media, limits).await
    }

    /// It offers `offered`, behind which `media` stands.
    pub async fn over(offered: Arc<dyn ObjectStore>, media: Arc<InMemory>, limits: Limits) -> Self {
        let authority = Authority::create(now()).unwrap();
        let snapshots = Arc::new(InMemory::new());
        let offers = vec![
            Offer {
                name: "media",
                store: offered,
                rights: Rights::ReadAndPut,
            },
            Offer {
                name: "snapshots",
                store: snapshots.clone(),
                rights: Rights::Read,
            },
        ];
        let (own, admitted) = (
            identity(&authority, "seoul"),
            [name("busan"), name("daegu")],
        );
        let server = Server::bind(
            ([127, 0, 0, 1], 0).into(),
            &own,
            &admitted,
            offers,
            Status::new(|| serde_json::json!({ "ready": true })),
            limits,
        );
        let server = server.await.unwrap();
        let address = server.address().unwrap();
        let (stop, stopping) = watch::channel(false);
        Self {
            authority,
            address,
            media,
            snapshots,
            stop,
            serving: tokio::spawn(server.serve(stopping)),
        }
    }

    /// How `asking` asks it.
    pub fn asked_by(&self, asking: &Identity) -> Peer {
        self.asked_patiently(asking, Patience::default())
    }

    pub fn asked_patiently(&self, asking: &Identity, patience: Patience) -> Peer {
        Peer::new(asking, name("seoul"), &self.address.to_string(), patience).unwrap()
    }

    /// How Busan asks it.
    pub fn asked(&self) -> Peer {
        self.asked_by(&identity(&self.authority, "busan"))
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
    }
}
