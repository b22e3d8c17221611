//! Taking connections, as many as are allowed, until it is time to stop.

use super::{Server, of};
use crate::stalling::Stalling;
use axum::Router;
use bongsu_base::DataCentre;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tower::ServiceExt;

/// How long shaking hands may take.
const HANDS_WITHIN: Duration = Duration::from_secs(5);
/// How long the head of a request may take, counted from the answer before it.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// The longest head.
const MAX_HEAD: usize = 16 << 10;
/// How long transfers may go on after it was said to stop. What is cut is sent again, or by others.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// After a failed accept: most often there are no files left, and some are closed in a moment.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(server: Server, mut stopping: watch::Receiver<bool>) {
    let server = Arc::new(server);
    let places = Arc::new(Semaphore::new(server.limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let place = places
                .clone()
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            (server.listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            next = next => next,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection of another data centre could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (server, watcher) = (server.clone(), graceful.watcher());
        let mut stopping = stopping.clone();
        tokio::spawn(async move {
            let answered = async {
                if let Err(error) = server.answer(stream, from, watcher).await {
                    tracing::debug!(%from, %error, "a connection of another data centre broke off");
                }
            };
            // What goes on after the last answers is cut: a sender of a stopped server is gone.
            let cut = async {
                let _ = stopping.wait_for(|stop| *stop).await;
                tokio::time::sleep(LAST_ANSWERS).await;
            };
            tokio::select! {
                () = answered => {}
                () = cut => {}
            }
            drop(place);
        });
    }
    if timeout(LAST_ANSWERS, graceful.shutdown()).await.is_err() {
        tracing::warn!("some files were still on their way to other data centres and are cut");
    }
}

impl Server {
    async fn answer(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        watcher: Watcher,
    ) -> io::Result<()> {
        // Answers are small and wait for nothing; a failure here costs only time.
        let _ = stream.set_nodelay(true);
        let stream = Stalling::new(stream, self.limits.patience);
        let stream = match timeout(HANDS_WITHIN, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::warn!(%from, %error, "refused to speak with a stranger");
                return Ok(());
            }
            Err(late) => return Err(late.into()),
        };
        let (_, tls) = stream.get_ref();
        let certificate = tls.peer_certificates().and_then(|chain| chain.first());
        let Some(who) = certificate.and_then(|shown| of(shown, &self.admitted)) else {
            return Ok(());
        };
        tracing::debug!(%from, %who, "another data centre connected");
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service(&self.router, who));
        watcher.watch(connection).await.map_err(io::Error::other)
    }
}

/// Answers the requests of the data centre `who`.
fn service(
    router: &Router,
    who: &DataCentre,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + use<> {
    let (router, who) = (router.clone(), who.clone());
    service_fn(move |request: Request<Incoming>| {
        tracing::trace!(%who, method = %request.method(), path = request.uri().path(), "asked");
        router.clone().oneshot(request)
    })
}
