//! An S3 service behind TLS, of which only so much is there as a test needs.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

use bongsu_store::{Bucket, Place, PlaceError, Secret, crypto};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\netag: \"1\"\r\n\
    last-modified: Wed, 25 Nov 2026 00:00:00 GMT\r\n\r\nbeacon";

/// Answers every request with a file, and gives its address and a file with its certificate.
async fn service(folder: &TempDir) -> (SocketAddr, PathBuf) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let trusted = folder.path().join("trusted.pem");
    std::fs::write(&trusted, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(crypto())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust it breaks off here.
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut lines = BufReader::new(stream).lines();
            while lines
                .next_line()
                .await
                .unwrap()
                .is_some_and(|line| !line.is_empty())
            {}
            let mut stream = lines.into_inner().into_inner();
            stream.write_all(ANSWER).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (address, trusted)
}

fn bucket(address: SocketAddr, trusted: Option<PathBuf>) -> Bucket {
    Bucket {
        endpoint: Some(format!("https://{address}")),
        region: "kr-seoul".to_owned(),
        bucket: "blobs".to_owned(),
        prefix: String::new(),
        access_key_id: "bongsu".to_owned(),
        secret_access_key: Secret::new("secret"),
        trusted,
    }
}

#[tokio::test]
async fn who_is_trusted_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (address, trusted) = service(&folder).await;
    let store = Place::S3(bucket(address, Some(trusted))).open().unwrap();
    let found = store.get(&Path::from("file")).await.unwrap();
    assert_eq!(found.bytes().await.unwrap(), "beacon");
}

#[tokio::test]
async fn who_is_not_trusted_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = service(&folder).await;
    let other = tempfile::tempdir().unwrap();
    let (_, trusted) = service(&other).await;
    let store = Place::S3(bucket(address, Some(trusted))).open().unwrap();
    let error = store.get(&Path::from("file")).await.unwrap_err();
    let told = format!("{error:?}");
    assert!(told.contains("Certificate"), "{told}");
}

#[test]
fn what_cannot_be_trusted_in_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trusted.pem");
    let address = "127.0.0.1:1".parse().unwrap();
    let open = || Place::S3(bucket(address, Some(file.clone()))).open();
    for text in [None, Some(""), Some("no certificate")] {
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let error = open().expect_err("there is no certificate");
        assert!(matches!(error, PlaceError::Certificates { .. }), "{error}");
        assert!(error.to_string().contains("trusted.pem"), "{error}");
    }
}

#[tokio::test]
async fn a_folder_is_made_when_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("some/where");
    let store = Place::Folder(below.clone()).open().unwrap();
    store.put(&Path::from("a/b"), "x".into()).await.unwrap();
    assert_eq!(std::fs::read(below.join("a/b")).unwrap(), b"x");
    let error = Place::Folder(below.join("a/b"))
        .open()
        .expect_err("it is a file");
    assert!(matches!(error, PlaceError::Folder { .. }), "{error}");
}
