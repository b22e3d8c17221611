//! Fetching keys and lists.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const LONGEST: usize = 1 << 20;

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The content.
    pub body: Vec<u8>,
    /// For how many seconds it may be relied on, as `Cache-Control` has it (RFC 9111, section 5.2.2.1).
    pub max_age: Option<i64>,
}

/// Whoever fetches. Tests put another in its place.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// What is at `url`.
    ///
    /// # Errors
    /// Why it could not be fetched, for the log.
    async fn get(&self, url: &str) -> Result<Fetched, String>;
}

/// Fetches over HTTP, with the certificates that this machine trusts.
#[derive(Debug, Clone)]
pub struct HttpFetch {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Default for HttpFetch {
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
        let client = Client::builder(TokioExecutor::new()).build(https);
        Self { client }
    }
}

#[async_trait]
impl Fetch for HttpFetch {
    async fn get(&self, url: &str) -> Result<Fetched, String> {
        let uri: Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
        let request = Request::get(uri)
            .header(header::USER_AGENT, "bongsu-rp-kit")
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let fetching = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| error.to_string())?;
            if !response.status().is_success() {
                return Err(format!("it answered {}", response.status()));
            }
            let kept = response.headers().get(header::CACHE_CONTROL);
            let max_age = kept.and_then(|value| max_age(value.to_str().ok()?));
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            Ok(Fetched {
                body: body.to_vec(),
                max_age,
            })
        };
        timeout(PATIENCE, fetching)
            .await
            .unwrap_or_else(|_| Err("it takes too long".to_owned()))
    }
}

fn max_age(text: &str) -> Option<i64> {
    let mut parts = text.split(',').map(str::trim);
    parts.find_map(|part| part.strip_prefix("max-age=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::max_age;

    #[test]
    fn how_long_something_may_be_kept_is_read() {
        for (text, expect) in [
            ("public, max-age=86400", Some(86_400)),
            ("max-age=0", Some(0)),
            ("no-store", None),
            ("max-age=soon", None),
        ] {
            assert_eq!(max_age(text), expect, "{text}");
        }
    }
}
