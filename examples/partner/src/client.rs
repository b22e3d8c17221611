//! Requests to the token endpoints of providers. What is only read is fetched with `rp-kit`.

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oauth2::{HttpRequest, HttpResponse};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: usize = 1 << 20;

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

impl Unanswered {
    fn because(why: impl ToString) -> Self {
        Self(why.to_string())
    }
}

/// Sends requests over HTTP, with the certificates that this machine trusts.
#[derive(Debug, Clone)]
pub struct Sender(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Default for Sender {
    fn default() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows the versions that the library was built with")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Self(Client::builder(TokioExecutor::new()).build(https))
    }
}

impl Sender {
    /// Sends a request; it follows no redirects, which a token endpoint has no use for.
    pub async fn send(self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let sending = async {
            let answer = self.0.request(request.map(|body| Full::new(body.into())));
            let (parts, body) = answer.await.map_err(Unanswered::because)?.into_parts();
            let body = Limited::new(body, LONGEST).collect().await;
            let body = body.map_err(Unanswered::because)?.to_bytes();
            Ok(Response::from_parts(parts, body.to_vec()))
        };
        timeout(PATIENCE, sending)
            .await
            .unwrap_or_else(|_| Err(Unanswered::because("it takes too long")))
    }
}
