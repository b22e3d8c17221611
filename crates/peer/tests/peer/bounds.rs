//! What is too much, too long or too slow, and names that lead elsewhere.

use crate::pair::{Seoul, identity};
use async_trait::async_trait;
use bongsu_peer::{Limits, Patience};
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Long enough to be on its way while something else is asked for: no socket takes all of it at once.
const LONG: usize = 32 << 20;

#[tokio::test]
async fn transfers_at_the_same_time_are_bounded() {
    let limits = Limits {
        transfers: 1,
        ..Limits::default()
    };
    let seoul = Seoul::start(limits).await;
    let store = seoul.asked().store("media");
    let path = Path::from("long");
    seoul.media.put(&path, vec![7; LONG].into()).await.unwrap();
    let found = store.get(&path).await.unwrap();
    for error in [
        store.get(&path).await.map(drop).unwrap_err(),
        store.put(&path, "x".into()).await.map(drop).unwrap_err(),
        store
            .list(None)
            .try_collect::<Vec<_>>()
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains("503"), "{error}");
    }
    assert_eq!(found.bytes().await.unwrap().len(), LONG);
    assert_eq!(
        seoul
            .asked()
            .store("media")
            .get_range(&path, 0..1)
            .await
            .unwrap()
            .len(),
        1
    );
    seoul.stop().await;
}

#[tokio::test]
async fn a_file_has_a_longest_length() {
    let limits = Limits {
        put_bytes: 1000,
        ..Limits::default()
    };
    let seoul = Seoul::start(limits).await;
    let store = seoul.asked().store("media");
    let path = Path::from("file");
    store.put(&path, vec![7; 1000].into()).await.unwrap();
    let error = store.put(&path, vec![7; 1001].into()).await.unwrap_err();
    assert!(error.to_string().contains("413"), "{error}");
    assert_eq!(seoul.media.head(&path).await.unwrap().size, 1000);
    seoul.stop().await;
}

/// A store whose files never end.
#[derive(Debug)]
struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("silent")
    }
}

#[async_trait]
impl ObjectStore for Silent {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        std::future::pending().await
    }
    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        std::future::pending().await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.head {
            return std::future::pending().await;
        }
        let model = InMemory::new();
        model.put(location, vec![7; 100].into()).await?;
        let begun = stream::once(async { Ok(Bytes::from_static(b"seven")) });
        Ok(GetResult {
            payload: GetResultPayload::Stream(begun.chain(stream::pending()).boxed()),
            ..model.get(location).await?
        })
    }
    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations
    }
    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::pending().boxed()
    }
    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        std::future::pending().await
    }
    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn who_says_nothing_is_given_up() {
    let seoul = Seoul::over(Arc::new(Silent), Arc::default(), Limits::default()).await;
    let short = Duration::from_millis(200);
    let patience = Patience {
        answer: short,
        piece: short,
        ..Patience::default()
    };
    let busan = identity(&seoul.authority, "busan");
    let store = seoul.asked_patiently(&busan, patience).store("media");
    let path = Path::from("file");
    // Shaking hands may take longer than that on a busy machine.
    seoul.asked().status().await.unwrap();
    for error in [
        store.head(&path).await.map(drop).unwrap_err(),
        store.put(&path, "x".into()).await.map(drop).unwrap_err(),
        store
            .list(None)
            .try_collect::<Vec<_>>()
            .await
            .map(drop)
            .unwrap_err(),
        match store.get(&path).await {
            Ok(found) => found.bytes().await.map(drop).unwrap_err(),
            Err(error) => error,
        },
    ] {
        assert!(error.to_string().contains("it takes too long"), "{error}");
    }
}

#[tokio::test]
async fn who_does_not_shake_hands_is_given_up() {
    let authority = bongsu_peer::Authority::create(crate::pair::now()).unwrap();
    // The operating system takes the connection; nobody else ever does.
    let frozen = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hour = Duration::from_secs(60 * 60);
    let patience = Patience {
        connect: Duration::from_millis(200),
        answer: hour,
        piece: hour,
    };
    let busan = identity(&authority, "busan");
    let address = frozen.local_addr().unwrap().to_string();
    let seoul = crate::pair::name("seoul");
    let peer = bongsu_peer::Peer::new(&busan, seoul, &address, patience).unwrap();
    let told = peer.status().await.unwrap_err().to_string();
    assert!(told.contains("shake hands"), "{told}");
    let put = peer
        .store("media")
        .put(&Path::from("file"), "x".into())
        .await;
    assert!(put.unwrap_err().to_string().contains("shake hands"));
}

#[tokio::test]
async fn who_sends_nothing_is_given_up() {
    let limits = Limits {
        patience: Duration::from_millis(200),
        transfers: 1,
        ..Limits::default()
    };
    let seoul = Seoul::start(limits).await;
    let store = seoul.asked().store("media");
    let path = Path::from("file");
    let mut upload = store.put_multipart(&path).await.unwrap();
    upload.put_part(vec![7; 1000].into()).await.unwrap();
    // Nothing more comes: Seoul answers before it has everything, and has a place again.
    let error = loop {
        if let Err(error) = upload.put_part("".into()).await {
            break error;
        }
        tokio::task::yield_now().await;
    };
    assert!(
        error.to_string().contains("nothing came for a while"),
        "{error}"
    );
    store.put(&path, "x".into()).await.unwrap();
    seoul.stop().await;
}

#[tokio::test]
async fn who_takes_nothing_is_given_up() {
    let limits = Limits {
        patience: Duration::from_millis(200),
        transfers: 1,
        ..Limits::default()
    };
    let seoul = Seoul::start(limits).await;
    let store = seoul.asked().store("media");
    let path = Path::from("long");
    seoul.media.put(&path, vec![7; LONG].into()).await.unwrap();
    let found = store.get(&path).await.unwrap();
    // It is not read: Seoul breaks the connection, and has a place again.
    let again = loop {
        match store.get_range(&path, 0..1).await {
            Ok(part) => break part,
            Err(error) => assert!(error.to_string().contains("503"), "{error}"),
        }
    };
    assert_eq!(again.len(), 1);
    assert!(found.bytes().await.is_err());
    seoul.stop().await;
}

/// What is answered to a path that no well-behaved peer writes.
async fn answer(seoul: &Seoul, method: &str, path: &str) -> (StatusCode, String) {
    let busan = seoul.authority.issue(
        &crate::pair::name("busan"),
        crate::pair::now(),
        crate::pair::DAY,
    );
    let folder = tempfile::tempdir().unwrap();
    seoul.authority.save(folder.path()).unwrap();
    let files = busan.unwrap().save(folder.path()).unwrap();
    let mut trusted = rustls::RootCertStore::empty();
    for certificate in bongsu_store::certificates_in(&files.authority).unwrap() {
        trusted.add(certificate).unwrap();
    }
    let key = std::fs::read(&files.key).unwrap();
    let key = rustls::pki_types::pem::PemObject::from_pem_slice(&key).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(bongsu_store::crypto())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_client_auth_cert(
            bongsu_store::certificates_in(&files.certificate).unwrap(),
            key,
        )
        .unwrap();
    let stream = tokio::net::TcpStream::connect(seoul.address).await.unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(tls))
        .connect("seoul".try_into().unwrap(), stream)
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "seoul")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    connection.abort();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn no_name_leads_out_of_a_store() {
    let seoul = Seoul::start(Limits::default()).await;
    seoul
        .snapshots
        .put(&Path::from("secret"), "secret".into())
        .await
        .unwrap();
    for name in [
        "../snapshots/secret",
        "%2e%2e/snapshots/secret",
        "..%2fsnapshots%2fsecret",
        "a/../../snapshots/secret",
        "a/%2e%2e/b",
        "./a",
        "a//b",
        "%2fetc%2fpasswd",
        "a%00b",
        "a%0ab",
    ] {
        for method in ["GET", "HEAD", "PUT"] {
            let path = format!("/peer/v1/stores/media/{name}");
            let (status, body) = answer(&seoul, method, &path).await;
            assert!(status.is_client_error(), "{method} {name}: {status}");
            assert_ne!(body, "secret");
        }
    }
    assert_eq!(
        seoul
            .media
            .list(None)
            .try_collect::<Vec<_>>()
            .await
            .unwrap(),
        []
    );
    seoul.stop().await;
}

#[tokio::test]
async fn there_is_nothing_else() {
    let seoul = Seoul::start(Limits::default()).await;
    for (method, path, expected) in [
        ("GET", "/", 404),
        ("GET", "/metrics", 404),
        ("POST", "/peer/v1/status", 405),
        ("POST", "/peer/v1/stores/media/a", 405),
        ("DELETE", "/peer/v1/stores/media/a", 405),
        ("GET", "/peer/v1/stores/media?prefix=..", 400),
        ("GET", "/peer/v1/stores/log", 403),
    ] {
        let (status, body) = answer(&seoul, method, path).await;
        assert_eq!(status, expected, "{method} {path}: {body}");
    }
    seoul.stop().await;
}
