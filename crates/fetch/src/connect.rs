//! One request on one connection to one address.

use crate::error::FetchError;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// The most that a response's head may take, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// How many of a host's addresses are tried.
const TRIED: usize = 3;

/// A response, and what keeps its connection going until it is dropped.
pub struct Open {
    pub response: Response<Incoming>,
    pub driver: JoinSet<Result<(), hyper::Error>>,
}

/// What is asked of a URL.
#[derive(Clone, Copy)]
pub enum Asking<'a> {
    /// What is there, of these types.
    Get(&'a HeaderValue),
    /// To take a body with these headers.
    Post(&'a HeaderMap, &'a Bytes),
}

/// TLS with these certificates alone, speaking HTTP/1.1.
pub fn tls(roots: RootCertStore) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the versions that the library was built with")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// The certificates that this machine trusts.
pub fn machine_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            "this machine has no certificates to trust, so nothing is fetched over TLS: install ca-certificates"
        );
    }
    roots
}

/// Asks for `url` at the first of `addresses` that takes the connection. No name is looked up here.
pub async fn ask(
    url: &Url,
    addresses: &[IpAddr],
    tls: &TlsConnector,
    asking: Asking<'_>,
) -> Result<Open, FetchError> {
    let port = url.port_or_known_default().unwrap_or(443);
    let stream = connect(addresses, port).await?;
    if url.scheme() == "http" {
        return exchange(stream, url, asking).await;
    }
    let name = match url.host() {
        Some(Host::Domain(name)) => {
            ServerName::try_from(name.trim_end_matches('.').to_owned()).ok()
        }
        Some(Host::Ipv4(ip)) => Some(ServerName::from(IpAddr::from(ip))),
        Some(Host::Ipv6(ip)) => Some(ServerName::from(IpAddr::from(ip))),
        None => None,
    };
    let name = name.ok_or(FetchError::BadUrl("its host's name is not one"))?;
    let stream = tls.connect(name, stream).await;
    exchange(stream.map_err(FetchError::Unconnected)?, url, asking).await
}

async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, FetchError> {
    let mut why = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for ip in addresses.iter().take(TRIED) {
        match TcpStream::connect(SocketAddr::new(*ip, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error,
        }
    }
    Err(FetchError::Unconnected(why))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    asking: Asking<'_>,
) -> Result<Open, FetchError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let (request, body) = match asking {
        Asking::Get(accept) => {
            let request = Request::get(path)
                .header(header::ACCEPT, accept)
                .header(header::ACCEPT_ENCODING, "gzip")
                .header(header::USER_AGENT, "Bongsu (link previews)");
            (request, Bytes::new())
        }
        Asking::Post(headers, body) => {
            let mut request = Request::post(path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            (request, body.clone())
        }
    };
    let request = request
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|_| FetchError::BadUrl("it does not go into a request"))?;
    let response = sender.send_request(request).await?;
    Ok(Open { response, driver })
}
