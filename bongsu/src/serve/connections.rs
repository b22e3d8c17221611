//! Taking connections, as many as are allowed, until it is time to stop.

use super::proxies::Proxies;
use crate::metrics::HttpMetrics;
use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

/// How long a client may take to send a request's head, counted from the answer before it.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The longest head.
const MAX_HEAD: usize = 64 << 10;
/// How long requests may go on after it was said to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(15);
/// After a failed accept: most often there are no files left, and some are closed in a moment.
const PAUSE: Duration = Duration::from_millis(100);

/// Who may connect, and how many.
pub struct Limits {
    /// Connections at the same time.
    pub open: u32,
    /// Who is believed when they say for whom they ask.
    pub proxies: Proxies,
}

/// Serves `router` on `listener` until `stopping`; then answers what was asked, and returns.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: &HttpMetrics,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.open as usize));
    let proxies = Arc::new(limits.proxies);
    let graceful = GracefulShutdown::new();
    loop {
        // Over the bound, connections wait in the operating system's queue.
        let next = async {
            let place = places
                .clone()
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, peer, router.clone(), proxies.clone()));
        let open = metrics.connections.clone();
        tokio::spawn(async move {
            open.inc();
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection broke off");
            }
            open.dec();
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_ANSWERS, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were not answered in time; their connections are cut");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    proxies: Arc<Proxies>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    // Answers are small and wait for nothing; a failure here costs only time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let client = proxies.client(peer.ip(), request.headers());
        let client = ConnectInfo(SocketAddr::new(client, peer.port()));
        request.extensions_mut().insert(client);
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}
