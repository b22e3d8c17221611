//! Who is heard, and who is believed.

use crate::pair::{DAY, Seoul, identity, name, now};
use bongsu_peer::{Authority, Files, Identity, Limits, Patience, Peer, PeerError};
use rustls::{ClientConfig, RootCertStore};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn refused(peer: &Peer, why: &str) {
    let error = peer.status().await.expect_err("it is refused");
    assert!(error.to_string().contains(why), "{error}, expected {why}");
}

#[tokio::test]
async fn who_was_named_is_heard() {
    let seoul = Seoul::start(Limits::default()).await;
    for asking in ["busan", "daegu"] {
        let peer = seoul.asked_by(&identity(&seoul.authority, asking));
        let status = peer.status().await.unwrap();
        assert_eq!(status, serde_json::json!({ "ready": true }));
    }
    seoul.stop().await;
}

#[tokio::test]
async fn who_was_not_named_is_not_heard() {
    let seoul = Seoul::start(Limits::default()).await;
    let stranger = identity(&seoul.authority, "gwangju");
    refused(&seoul.asked_by(&stranger), "").await;
    seoul.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_worth_nothing() {
    let seoul = Seoul::start(Limits::default()).await;
    let other = Authority::create(now()).unwrap();
    // It does not even believe the one that it asks.
    refused(&seoul.asked_by(&identity(&other, "busan")), "certificate").await;
    // One that does, with a certificate of its own making.
    let forged = other.issue(&name("busan"), now(), DAY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    seoul.authority.save(folder.path()).unwrap();
    let files = forged.save(folder.path()).unwrap();
    let forger = Identity::load(name("busan"), &files).unwrap();
    refused(&seoul.asked_by(&forger), "").await;
    seoul.stop().await;
}

#[tokio::test]
async fn a_certificate_is_in_force_for_its_time_alone() {
    let seoul = Seoul::start(Limits::default()).await;
    for from in [now() - 3 * DAY, now() + 3 * DAY] {
        let issued = seoul.authority.issue(&name("busan"), from, DAY).unwrap();
        refused(&seoul.asked_by(&issued.identity().unwrap()), "").await;
    }
    seoul.stop().await;
}

#[tokio::test]
async fn who_shows_no_certificate_is_not_heard() {
    let seoul = Seoul::start(Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    seoul.authority.save(folder.path()).unwrap();
    let mut trusted = RootCertStore::empty();
    for certificate in bongsu_store::certificates_in(&folder.path().join("authority.pem")).unwrap()
    {
        trusted.add(certificate).unwrap();
    }
    let tls = ClientConfig::builder_with_provider(bongsu_store::crypto())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let stream = TcpStream::connect(seoul.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls));
    let mut stream = connector
        .connect("seoul".try_into().unwrap(), stream)
        .await
        .unwrap();
    // In TLS 1.3 the other side says what it thinks of a certificate after the hands are shaken.
    let asked = stream
        .write_all(b"GET /peer/v1/status HTTP/1.1\r\nhost: seoul\r\n\r\n")
        .await;
    let mut answer = Vec::new();
    let answered = stream.read_to_end(&mut answer).await;
    assert!(asked.and(answered.map(drop)).is_err());
    assert_eq!(answer, b"");
    seoul.stop().await;
}

#[tokio::test]
async fn who_answers_in_anothers_place_is_not_believed() {
    let seoul = Seoul::start(Limits::default()).await;
    let busan = identity(&seoul.authority, "busan");
    let address = seoul.address.to_string();
    let peer = Peer::new(&busan, name("jeju"), &address, Patience::default()).unwrap();
    refused(&peer, "certificate").await;
    seoul.stop().await;
}

#[test]
fn a_certificate_of_another_name_is_refused_when_it_is_loaded() {
    let authority = Authority::create(now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    authority.save(folder.path()).unwrap();
    let files = authority
        .issue(&name("busan"), now(), DAY)
        .unwrap()
        .save(folder.path())
        .unwrap();
    Identity::load(name("busan"), &files).unwrap();
    let error = Identity::load(name("seoul"), &files).unwrap_err();
    assert!(matches!(error, PeerError::NotOurs(_)), "{error}");
    let swapped = Files {
        certificate: files.key.clone(),
        key: files.certificate.clone(),
        ..files
    };
    let error = Identity::load(name("busan"), &swapped).unwrap_err();
    assert!(matches!(error, PeerError::Malformed { .. }), "{error}");
}

#[test]
fn an_authority_that_was_saved_goes_on_issuing() {
    let folder = tempfile::tempdir().unwrap();
    Authority::create(now())
        .unwrap()
        .save(folder.path())
        .unwrap();
    let authority = Authority::load(folder.path()).unwrap();
    let files = authority
        .issue(&name("busan"), now(), DAY)
        .unwrap()
        .save(folder.path())
        .unwrap();
    Identity::load(name("busan"), &files).unwrap();
    for key in [files.key, folder.path().join("authority.key")] {
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", key.display());
    }
    // A key is never written over.
    assert!(
        Authority::create(now())
            .unwrap()
            .save(folder.path())
            .is_err()
    );
    assert!(Authority::load(&folder.path().join("nowhere")).is_err());
}

#[test]
fn no_key_stands_in_a_message() {
    let authority = Authority::create(now()).unwrap();
    let issued = authority.issue(&name("busan"), now(), DAY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    authority.save(folder.path()).unwrap();
    let told = format!("{authority:?} {issued:?} {:?}", issued.identity().unwrap());
    issued.save(folder.path()).unwrap();
    for key in ["authority.key", "busan.key"] {
        let key = std::fs::read_to_string(folder.path().join(key)).unwrap();
        let line = key.lines().nth(1).unwrap();
        assert!(!told.contains(line), "{told}");
    }
}

#[tokio::test]
async fn what_a_loaded_authority_issued_is_heard() {
    let seoul = Seoul::start(Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    seoul.authority.save(folder.path()).unwrap();
    let authority = Authority::load(folder.path()).unwrap();
    let issued = authority.issue(&name("busan"), now(), DAY).unwrap();
    let peer = seoul.asked_by(&issued.identity().unwrap());
    peer.status().await.unwrap();
    seoul.stop().await;
}
