//! Requests to S3 services, over the HTTP client and the TLS that the rest of the house uses.

use crate::place::PlaceError;
use crate::tls::{crypto, roots};
use async_trait::async_trait;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::ClientConfig;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long a service may take to answer; it has the request by then, a piece of 5 MiB at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long the next piece of an answer may take.
const PIECE_WITHIN: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(30);

type Requests = Client<HttpsConnector<Tcp>, HttpRequestBody>;

/// Makes clients that share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    requests: Requests,
}

impl Connector {
    /// Trusting in the certificates in the file `trusted`, or in the operating system's.
    pub(crate) fn new(trusted: Option<&Path>) -> Result<Self, PlaceError> {
        let tls = ClientConfig::builder_with_provider(crypto())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(trusted)?)
            .with_no_client_auth();
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let requests = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https);
        Ok(Self { requests })
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = timeout(ANSWER_WITHIN, self.requests.request(request)).await;
        let answer = answer
            .map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?
            .map_err(failed)?;
        let (parts, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, timely(body)))
    }
}

/// What a failed request means for its being repeated.
fn failed(error: ClientError) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error)
}

/// An answer's body of which no piece may be late.
fn timely(body: Incoming) -> HttpResponseBody {
    let frames = try_unfold(body, |mut body| async move {
        let frame = timeout(PIECE_WITHIN, body.frame()).await;
        let frame = frame.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let frame = frame
            .transpose()
            .map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        Ok(frame.map(|frame| (frame, body)))
    });
    HttpResponseBody::new(StreamBody::new(frames))
}
