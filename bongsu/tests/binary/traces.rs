//! Traces reach a collector.

use crate::common::{Data, PATIENCE, Server, poll, text};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Takes one request, answers it, and gives its head and body.
fn collect(collector: &TcpListener) -> (String, Vec<u8>) {
    collector.set_nonblocking(true).unwrap();
    let (mut stream, _) = poll("a span is sent", || collector.accept().ok());
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "the request broke off: {}", text(&request));
        request.extend_from_slice(&piece[..read]);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = text(&request[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        if request.len() == end + 4 + length.parse::<usize>().unwrap() {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            return (head, request.split_off(end + 4));
        }
    }
}

#[test]
fn a_collector_gets_a_span_for_each_request() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let data = Data::new();
    let server = Server::start(&data.name(), &["--otlp-endpoint", &endpoint]);
    server.get("/health/live");
    let collected = std::thread::spawn(move || collect(&collector));
    // What was not sent before is sent when it stops.
    let (status, said) = server.stop();
    assert_eq!(status.code(), Some(0), "{said}");
    let (head, body) = collected.join().unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    // Strings stand in protobuf as they are.
    let body = text(&body);
    for expected in [
        "GET /health/live",
        "http.response.status_code",
        "service.name",
        "bongsu",
    ] {
        assert!(body.contains(expected), "{expected}");
    }
}
