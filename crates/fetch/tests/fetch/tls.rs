//! Certificates: whom this machine trusts, under the name that was asked for.

use crate::server::{Names, get, head, ok, refused, rules};
use bongsu_fetch::{Fetcher, Limits, RootCertStore};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority's certificate, and a server's with its key for `tea.example`.
fn certificates() -> (
    CertificateDer<'static>,
    CertificateDer<'static>,
    PrivateKeyDer<'static>,
) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
        .expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["tea.example".to_owned()]).expect("a name");
    let server = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    (authority.der().clone(), server.der().clone(), key)
}

async fn serve(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust the certificate goes away.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                head(&mut stream).await;
                let _ = stream.write_all(&ok("text/html", "safe")).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    address
}

#[tokio::test]
async fn only_who_is_trusted_under_the_name_is_listened_to() {
    let (authority, certificate, key) = certificates();
    let address = serve(certificate, key).await;
    let port = address.port();
    let names = || {
        Names::default()
            .with("tea.example", &[&["127.0.0.1"]])
            .with("other.example", &[&["127.0.0.1"]])
    };
    let mut roots = RootCertStore::empty();
    roots.add(authority).expect("an authority");
    let with = |roots| Fetcher::with(rules(&[port]), Limits::default(), Arc::new(names()), roots);
    let trusting = with(roots);
    let url = format!("https://tea.example:{port}/");
    let got = get(&trusting, &url).await.expect("it is trusted");
    assert_eq!(got.bytes, b"safe");
    let other = format!("https://other.example:{port}/");
    refused(get(&trusting, &other).await, "Unconnected");
    refused(
        get(&trusting, &format!("https://127.0.0.1:{port}/")).await,
        "Unconnected",
    );
    let wary = with(RootCertStore::empty());
    refused(get(&wary, &url).await, "Unconnected");
}
