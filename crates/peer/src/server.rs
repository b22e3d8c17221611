//! What other data centres ask for here.

mod connections;
mod get;
mod list;
mod put;
mod refused;

use crate::admission::of;
use crate::error::PeerError;
use crate::identity::Identity;
use crate::wire::{STATUS, STORES};
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::get as at;
use axum::{Json, Router};
use bongsu_base::DataCentre;
use bongsu_store::Pace;
use object_store::ObjectStore;
use object_store::path::Path;
use refused::Refused;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// What other data centres may do with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Read, and list.
    Read,
    /// Write, too, over what is there as well. Nobody may delete.
    ReadAndPut,
}

/// A store that other data centres may use.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What it is called: letters, digits and `-`.
    pub name: &'static str,
    /// The store. What is written to it unasked is its own affair to refuse.
    pub store: Arc<dyn ObjectStore>,
    /// What they may do.
    pub rights: Rights,
}

/// How much other data centres may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time. What is over it waits in the operating system's queue.
    pub connections: usize,
    /// Files that are read, written or listed at the same time. Each that is written holds up to two
    /// pieces of 5 MiB in memory. What is over it is refused with 503.
    pub transfers: usize,
    /// The longest file that is taken, in bytes.
    pub put_bytes: u64,
    /// Bytes that are read and written a second, together.
    pub bytes_a_second: u64,
    /// How long the other side may take for the next piece.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            transfers: 16,
            put_bytes: 1 << 30,
            bytes_a_second: 256 << 20,
            patience: Duration::from_secs(10),
        }
    }
}

/// Tells how this data centre is. It is asked for every answer, and must not wait.
#[derive(Clone)]
pub struct Status(Arc<dyn Fn() -> Value + Send + Sync>);

impl Status {
    /// What `tell` gives.
    pub fn new(tell: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Status")
    }
}

/// Listens for other data centres.
pub struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
    admitted: Arc<[DataCentre]>,
    router: Router,
    limits: Limits,
}

impl Server {
    /// Listens at `address` as the data centre `identity` for the data centres `admitted`, to whom
    /// `offers` and `status` are given. Nobody is answered before [`Server::serve`].
    ///
    /// # Errors
    /// When the address cannot be listened on, or TLS cannot be set up.
    pub async fn bind(
        address: SocketAddr,
        identity: &Identity,
        admitted: &[DataCentre],
        offers: Vec<Offer>,
        status: Status,
        limits: Limits,
    ) -> Result<Self, PeerError> {
        let tls = TlsAcceptor::from(Arc::new(identity.hearing(admitted)?));
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| PeerError::Listen { address, error })?;
        Ok(Self {
            listener,
            tls,
            admitted: admitted.into(),
            router: router(offers, status, &limits),
            limits,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stopping` is true; then ends what was begun, within seconds, and returns.
    pub async fn serve(self, stopping: watch::Receiver<bool>) {
        connections::serve(self, stopping).await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .field("admitted", &self.admitted)
            .finish_non_exhaustive()
    }
}

/// What all requests share.
#[derive(Debug, Clone)]
struct House {
    offers: Arc<BTreeMap<&'static str, Offer>>,
    status: Status,
    transfers: Arc<Semaphore>,
    pace: Pace,
    put_bytes: u64,
    patience: Duration,
}

fn router(offers: Vec<Offer>, status: Status, limits: &Limits) -> Router {
    let house = House {
        offers: Arc::new(
            offers
                .into_iter()
                .map(|offer| (offer.name, offer))
                .collect(),
        ),
        status,
        transfers: Arc::new(Semaphore::new(limits.transfers)),
        pace: Pace::new(limits.bytes_a_second),
        put_bytes: limits.put_bytes,
        patience: limits.patience,
    };
    let file = at(get::get).head(get::head).put(put::put);
    Router::new()
        .route(STATUS, at(tell))
        .route(&format!("{STORES}/{{store}}"), at(list::list))
        .route(&format!("{STORES}/{{store}}/{{*name}}"), file)
        // Files have a bound of their own.
        .layer(DefaultBodyLimit::disable())
        .with_state(house)
}

async fn tell(State(house): State<House>) -> Json<Value> {
    Json((house.status.0)())
}

impl House {
    fn offer(&self, store: &str) -> Result<&Offer, Refused> {
        self.offers.get(store).ok_or(Refused::NotOffered)
    }

    /// A place among the transfers.
    fn transfer(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let place = self.transfers.clone().try_acquire_owned();
        place.map_err(|_| Refused::Overloaded)
    }
}

/// The file `name`. What would lead out of the store is no name, nor is what would have to be put right.
fn file(name: &str) -> Result<Path, Refused> {
    let path = Path::parse(name).map_err(|_| Refused::NoName)?;
    if path.as_ref() == name {
        Ok(path)
    } else {
        Err(Refused::NoName)
    }
}
