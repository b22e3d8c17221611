//! What the other side may not do to us.

use crate::server::{Names, fetcher, get, head, ok, once, patient, refused, rules, serve};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n";

/// Writes `piece` until the other side has gone.
async fn without_end(mut stream: TcpStream, piece: Vec<u8>, gone: oneshot::Sender<()>) {
    head(&mut stream).await;
    let start = format!("{HEAD}\r\n");
    let mut written = stream.write_all(start.as_bytes()).await;
    while written.is_ok() {
        written = stream.write_all(&piece).await;
    }
    let _ = gone.send(());
}

#[tokio::test]
async fn of_a_body_without_end_the_beginning_is_taken() {
    let (gone, left) = oneshot::channel();
    let address = once(|stream| without_end(stream, vec![b'x'; 10_000], gone)).await;
    let fetcher = fetcher(rules(&[address.port()]), Names::default());
    let got = get(&fetcher, &format!("http://{address}/")).await;
    let got = got.expect("the beginning is there");
    assert_eq!((got.bytes.len(), got.whole), (100_000, false));
    left.await.expect("the connection was closed");
}

#[tokio::test]
async fn a_bomb_goes_off_in_a_small_room() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..100 {
        encoder.write_all(&vec![0; 1 << 20]).expect("it is written");
    }
    let bomb = encoder.finish().expect("it is written");
    let length = bomb.len();
    let start = format!("{HEAD}content-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
    let (address, _) = serve(&[("/", [start.into_bytes(), bomb].concat())]).await;
    let fetcher = fetcher(rules(&[address.port()]), Names::default());
    let got = get(&fetcher, &format!("http://{address}/")).await;
    let got = got.expect("the beginning is there");
    assert_eq!((got.bytes.len(), got.whole), (100_000, false));
}

/// Waits until the other side goes away.
async fn wait_for_the_end(mut stream: TcpStream, start: &'static str, gone: oneshot::Sender<()>) {
    head(&mut stream).await;
    let _ = stream.write_all(start.as_bytes()).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    let _ = gone.send(());
}

#[tokio::test]
async fn whoever_is_too_slow_is_left() {
    for start in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 10\r\n\r\nhalf",
    ] {
        let (gone, left) = oneshot::channel();
        let address = once(move |stream| wait_for_the_end(stream, start, gone)).await;
        let soon = Duration::from_millis(100);
        let fetcher = patient(rules(&[address.port()]), Names::default(), soon);
        refused(
            get(&fetcher, &format!("http://{address}/")).await,
            "TooSlow",
        );
        left.await.expect("the connection was closed");
    }
}

#[tokio::test]
async fn what_is_not_wanted_is_not_read() {
    let (address, _) = serve(&[
        ("/pdf", ok("application/pdf", "%PDF")),
        ("/untyped", b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()),
        (
            "/packed",
            format!("{HEAD}content-encoding: br\r\n\r\nhello").into_bytes(),
        ),
        ("/noise", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        (
            "/long",
            format!("{HEAD}x: {}\r\n\r\n", "y".repeat(200_000)).into_bytes(),
        ),
        (
            "/part",
            format!("{HEAD}content-length: 10\r\n\r\nhalf").into_bytes(),
        ),
        ("/empty", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        ("/same", b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
    ])
    .await;
    let fetcher = fetcher(rules(&[address.port()]), Names::default());
    for (path, why) in [
        ("pdf", "OtherType(\"application/pdf\")"),
        ("untyped", "OtherType(\"\")"),
        ("packed", "Coding"),
        ("noise", "Protocol"),
        ("long", "Protocol"),
        ("part", "Protocol"),
        ("empty", "Status(204)"),
        ("same", "Status(304)"),
    ] {
        refused(
            get(&fetcher, &format!("http://{address}/{path}")).await,
            why,
        );
    }
}

#[tokio::test]
async fn where_nobody_listens_there_is_nothing() {
    let (address, told) = serve(&[]).await;
    drop(told);
    let port = address.port();
    let fetcher = fetcher(rules(&[port]), Names::default());
    refused(
        get(&fetcher, &format!("http://127.0.0.9:{port}/")).await,
        "Unconnected",
    );
}
