//! Asking another data centre.

mod failure;
mod prompt;
mod store;
mod upload;

use crate::error::PeerError;
use crate::identity::Identity;
use crate::wire::{STATUS, STORES, escape};
use bongsu_base::DataCentre;
use bytes::Bytes;
use failure::Failure;
use futures_util::stream::{BoxStream, StreamExt, try_unfold};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ObjectStore;
use object_store::path::Path;
use prompt::Prompt;
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use store::PeerStore;
use tokio::time::timeout;

/// The longest word about how a data centre is.
const MAX_STATUS: usize = 1 << 20;
/// How long a connection is kept for the next request: less than the other side waits for one.
const IDLE: Duration = Duration::from_secs(20);

/// How long another data centre may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To be connected with, hands shaken.
    pub connect: Duration,
    /// To answer, once it has the request: connecting is part of it.
    pub answer: Duration,
    /// To give or take the next piece of a file.
    pub piece: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(10),
            piece: Duration::from_secs(10),
        }
    }
}

type Sent = BoxBody<Bytes, io::Error>;

/// Another data centre. Cloning it gives another handle with the same connections.
#[derive(Debug, Clone)]
pub struct Peer {
    name: DataCentre,
    address: Arc<str>,
    client: Client<Prompt<HttpsConnector<Tcp>>, Sent>,
    patience: Patience,
}

impl Peer {
    /// The data centre `name`, which listens at `address` (host and port), asked as `identity`. Nothing
    /// is asked yet; whoever answers there without `name`'s certificate will not be spoken with.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        identity: &Identity,
        name: DataCentre,
        address: &str,
        patience: Patience,
    ) -> Result<Self, PeerError> {
        let shown = ServerName::try_from(name.as_str().to_owned())
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(identity.asking()?)
            .https_only()
            .with_server_name_resolver(FixedServerNameResolver::new(shown))
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(Prompt::new(https, patience.connect));
        Ok(Self {
            name,
            address: address.into(),
            client,
            patience,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &DataCentre {
        &self.name
    }

    /// The store that it offers as `name`. Nothing is asked yet.
    #[must_use]
    pub fn store(&self, name: &'static str) -> Arc<dyn ObjectStore> {
        Arc::new(PeerStore {
            peer: self.clone(),
            name,
        })
    }

    /// How it is, by its own word.
    ///
    /// # Errors
    /// When it does not answer in time, or not with JSON of at most 1 MiB.
    pub async fn status(&self) -> Result<Value, PeerError> {
        let unreachable = |why: String| PeerError::Unreachable {
            peer: self.name.clone(),
            why,
        };
        let request = Request::get(self.uri(STATUS)).body(nothing());
        let request = request.map_err(|error| unreachable(error.to_string()))?;
        let answer = self
            .ask(request)
            .await
            .map_err(|failure| unreachable(failure.to_string()))?;
        let body = Limited::new(answer.into_body(), MAX_STATUS).collect();
        let body = timeout(self.patience.answer, body).await;
        let body = body
            .map_err(|late| unreachable(late.to_string()))?
            .map_err(|error| unreachable(error.to_string()))?;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| unreachable(error.to_string()))
    }

    fn uri(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    fn file(&self, store: &str, name: &Path) -> String {
        self.uri(&format!("{STORES}/{store}/{}", escape(name.as_ref())))
    }

    /// Sends `request`, whose body is there already, and gives the answer if it is a good one.
    async fn ask(&self, request: Request<Sent>) -> Result<Response<Incoming>, Failure> {
        let answer = timeout(self.patience.answer, self.client.request(request)).await;
        let answer = answer
            .map_err(|_| Failure::late())?
            .map_err(Failure::of_client)?;
        Failure::unless_good(answer, self.patience.answer).await
    }

    /// The pieces of an answer, none of them late.
    fn pieces(&self, body: Incoming) -> BoxStream<'static, Result<Bytes, Failure>> {
        let patience = self.patience.piece;
        let pieces = try_unfold(body.into_data_stream(), move |mut pieces| async move {
            let piece = timeout(patience, pieces.next()).await;
            let piece = piece.map_err(|_| Failure::late())?;
            let piece = piece.transpose().map_err(Failure::of_body)?;
            Ok(piece.map(|piece| (piece, pieces)))
        });
        pieces.boxed()
    }
}

fn nothing() -> Sent {
    Empty::new().map_err(|never| match never {}).boxed()
}
