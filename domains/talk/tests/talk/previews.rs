//! Previews of pages that people link to, on servers that each test makes for itself.

use crate::house::{Answer, House};
use bongsu_fetch::{Fetcher, Limits, RootCertStore, Rules, SystemResolver};
use bongsu_lane::{Actor, Priority};
use bongsu_talk::command::{AddMedia, Command, KeepPicture};
use bongsu_talk::http::Previews;
use futures_util::future::join_all;
use image::{ImageFormat, RgbaImage};
use serde_json::json;
use std::collections::HashMap;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A page: its type and its content.
type Page = (&'static str, Vec<u8>);

/// Answers each path with what stands there, and counts the requests.
async fn serve(pages: Vec<(&str, Page)>) -> (SocketAddr, Arc<AtomicUsize>) {
    let pages: HashMap<String, Page> = pages
        .into_iter()
        .map(|(path, page)| (path.to_owned(), page))
        .collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let head = String::from_utf8(head).expect("a head is text");
            let path = head.split(' ').nth(1).unwrap_or_default();
            let start = match pages.get(path) {
                Some(("redirect", to)) => {
                    let to = String::from_utf8_lossy(to);
                    format!("302 Found\r\nlocation: {to}")
                }
                Some((kind, _)) => format!("200 OK\r\ncontent-type: {kind}"),
                None => "404 Not Found".to_owned(),
            };
            let content = pages.get(path).map(|(_, content)| content.as_slice());
            let answer = format!("HTTP/1.1 {start}\r\n\r\n");
            // Who asked may have gone once it knew enough.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(content.unwrap_or_default()).await;
        }
    });
    (address, asked)
}

/// A house that makes previews of pages at `address`, and of no other loopback's.
async fn house(address: SocketAddr) -> House {
    let rules = Rules {
        ports: vec![address.port(), 80],
        allow_networks: vec!["127.0.0.1/32".parse().expect("a network")],
        deny_hosts: vec!["denied.example".parse().expect("a name")],
        ..Rules::default()
    };
    let resolver = Arc::new(SystemResolver::default());
    let fetcher = Fetcher::with(rules, Limits::default(), resolver, RootCertStore::empty());
    let previews = Some(Previews::new(fetcher));
    House::fetching(previews, |config| config.max_upload_bytes = 100_000).await
}

fn html(text: &str) -> Page {
    ("text/html", text.as_bytes().to_vec())
}

fn png(side: u32) -> Page {
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::new(side, side)
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("it is written");
    ("image/png", bytes.into_inner())
}

async fn ask(house: &House, url: &str) -> Answer {
    let path = format!("/_matrix/client/v1/media/preview_url?url={}", quoted(url));
    house.get("mina", &path).await
}

fn quoted(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
    bytes.collect()
}

#[tokio::test]
async fn a_page_says_what_it_is_and_shows_its_picture() {
    let page = "<title>no</title><meta property=og:title content='차 한 잔'>
                <meta property=og:image content='tea.png'><meta property=og:image:alt content=cup>
                <meta name=description content=' Green\n tea '>";
    let picture = png(40);
    let (address, _) = serve(vec![
        ("/a/page?x=1", html(page)),
        ("/a/tea.png", picture.clone()),
    ])
    .await;
    let house = house(address).await;
    let url = format!("http://{address}/a/page?x=1#top");
    let told = ask(&house, &url).await.ok();
    let uri = told["og:image"].as_str().expect("a picture").to_owned();
    let expect = json!({
        "og:title": "차 한 잔",
        "og:description": "Green tea",
        "og:image": uri,
        "og:image:alt": "cup",
        "og:image:type": "image/png",
        "og:image:width": 40,
        "og:image:height": 40,
        "matrix:image:size": picture.1.len(),
    });
    assert_eq!(told, expect);
    let id = uri.strip_prefix("mxc://").expect("an mxc URI");
    let path = format!("/_matrix/client/v1/media/download/{id}");
    assert_eq!(house.get("jun", &path).await.bytes, picture.1);
    let old = format!("/_matrix/media/v3/preview_url?ts=5&url={}", quoted(&url));
    assert_eq!(house.get("jun", &old).await.ok(), expect);
    house.get("", &old).await.refused(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn a_page_is_asked_once_for_all() {
    let (address, asked) = serve(vec![("/", html("<title>tea</title>"))]).await;
    let house = house(address).await;
    let there = format!("http://{address}/");
    for answer in join_all((0..20).map(|_| ask(&house, &there))).await {
        assert_eq!(answer.ok(), json!({"og:title": "tea"}));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    for _ in 0..3 {
        let missing = ask(&house, &format!("{there}missing")).await;
        missing.refused(502, "M_UNKNOWN");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(house.commands(), 0, "what is remembered is not in the log");
}

#[tokio::test]
async fn pages_are_read_in_their_own_letters() {
    let korean = "<title>봉수대</title>";
    let (old, _, _) = encoding_rs::EUC_KR.encode(korean);
    let (address, _) = serve(vec![
        ("/header", ("text/html; charset=euc-kr", old.to_vec())),
        ("/silent", ("text/html", old.to_vec())),
        ("/new", html(korean)),
    ])
    .await;
    let house = house(address).await;
    for path in ["header", "silent", "new"] {
        let told = ask(&house, &format!("http://{address}/{path}")).await.ok();
        assert_eq!(told, json!({"og:title": "봉수대"}), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_a_picture_or_nothing() {
    let (address, _) = serve(vec![
        ("/cat%20one.png", png(3)),
        ("/tea.pdf", ("application/pdf", b"%PDF".to_vec())),
        ("/nothing", html("")),
        (
            "/broken",
            html("<title>a</title><meta property=og:image content='broken.png'>"),
        ),
        ("/broken.png", ("image/png", b"<html>".to_vec())),
        (
            "/huge",
            html("<title>b</title><meta property=og:image content='huge.png'>"),
        ),
        (
            "/huge.png",
            ("image/png", [png(3).1, vec![0; 200_000]].concat()),
        ),
        (
            "/gone",
            html("<title>c</title><meta property=og:image content='gone.png'>"),
        ),
        (
            "/inner",
            html("<title>d</title><meta property=og:image content='http://127.0.0.2/'>"),
        ),
        (
            "/data",
            html("<title>e</title><meta property=og:image content='data:image/png,x'>"),
        ),
    ])
    .await;
    let house = house(address).await;
    let tell = async |path: &str| ask(&house, &format!("http://{address}/{path}")).await.ok();
    let picture = tell("cat%20one.png").await;
    assert_eq!(picture["og:title"], "cat%20one.png");
    assert_eq!(picture["og:image:height"], 3);
    for (path, expect) in [
        ("tea.pdf", json!({})),
        ("nothing", json!({})),
        ("broken", json!({"og:title": "a"})),
        ("huge", json!({"og:title": "b"})),
        ("gone", json!({"og:title": "c"})),
        ("inner", json!({"og:title": "d"})),
        ("data", json!({"og:title": "e"})),
    ] {
        assert_eq!(tell(path).await, expect, "{path}");
    }
}

#[tokio::test]
async fn what_may_not_be_asked_is_refused() {
    let (address, asked) = serve(vec![(
        "/metadata",
        ("redirect", b"http://169.254.169.254/latest/".to_vec()),
    )])
    .await;
    let house = house(address).await;
    for url in [
        "",
        "tea",
        "/tea",
        "http:",
        "ftp://tea.example/",
        "file:///etc/passwd",
        "http://tea.example:22/",
        "http://mina:secret@tea.example/",
        &format!("http://tea.example/{}", "x".repeat(5_000)),
    ] {
        ask(&house, url).await.refused(400, "M_INVALID_PARAM");
    }
    ask(&house, "http://denied.example/")
        .await
        .refused(403, "M_FORBIDDEN");
    // Of what is within reach nothing is told: each of these looks the same.
    let port = address.port();
    let mut told = Vec::new();
    for url in [
        format!("http://127.0.0.2:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://{address}/metadata"),
        format!("http://{address}/missing"),
        "http://10.0.0.1/".to_owned(),
    ] {
        told.push(ask(&house, &url).await.refused(502, "M_UNKNOWN"));
    }
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(house.commands(), 0);
    house
        .get("mina", "/_matrix/client/v1/media/preview_url")
        .await
        .refused(400, "M_MISSING_PARAM");
    let closed = House::new().await;
    ask(&closed, "http://tea.example/")
        .await
        .refused(404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn a_picture_is_kept_once_and_not_when_it_is_withheld() {
    let page = |name: &str| {
        html(&format!(
            "<title>{name}</title><meta property=og:image content=p>"
        ))
    };
    let (address, _) = serve(vec![
        ("/1", page("one")),
        ("/2", page("two")),
        ("/3", page("three")),
        ("/p", png(5)),
    ])
    .await;
    let house = house(address).await;
    let tell = async |path: &str| ask(&house, &format!("http://{address}/{path}")).await.ok();
    let first = tell("1").await["og:image"].clone();
    let after = house.commands();
    assert_eq!(tell("2").await["og:image"], first);
    assert_eq!(house.commands(), after);
    let id = first.as_str().and_then(|uri| uri.rsplit('/').next());
    let id = id.expect("an id");
    withhold(&house, id).await;
    assert_eq!(tell("3").await.get("og:image"), None);
    let path = format!("/_matrix/client/v1/media/download/test/{id}");
    house.get("mina", &path).await.refused(404, "M_NOT_FOUND");
}

async fn withhold(house: &House, id: &str) {
    let command = Command::QuarantineMedia {
        id: id.to_owned(),
        quarantined: true,
    };
    let lane = &house.api.lane;
    let request = lane.request(Actor::Operator, Priority::Normal, command);
    let told = lane.submit(request).await.expect("the lane runs");
    assert!(told.outcome.is_ok());
}

async fn keep(house: &House, actor: Actor, id: &str, lifetime_ms: i64) -> bool {
    let media = AddMedia {
        id: id.to_owned(),
        blob: blake3::hash(id.as_bytes()).to_string(),
        bytes: 5,
        content_type: Some("image/png".to_owned()),
        filename: None,
    };
    let command = Command::KeepPicture(KeepPicture { media, lifetime_ms });
    let request = house.api.lane.request(actor, Priority::Normal, command);
    let told = house.api.lane.submit(request).await.expect("the lane runs");
    told.outcome.is_ok()
}

#[tokio::test]
async fn what_has_expired_goes_when_something_comes() {
    let house = House::new().await;
    let there = async |id: &str| {
        let look = house
            .api
            .lane
            .read(|view| bongsu_talk::state::media::item(view.db(), id));
        look.await.expect("a view").is_some()
    };
    for id in ["old", "withheld"] {
        assert!(keep(&house, Actor::Platform, id, 0).await);
        if id == "withheld" {
            withhold(&house, id).await;
        }
    }
    assert!(!there("old").await, "the next one took it away");
    assert!(keep(&house, Actor::Platform, "young", 60_000).await);
    assert!(keep(&house, Actor::Platform, "last", 60_000).await);
    assert!(there("withheld").await && there("young").await);
    assert!(!keep(&house, Actor::Platform, "young", 60_000).await);
    let mina = Actor::User {
        user: "@mina:test".parse().expect("an id"),
        device: "PHONE".parse().expect("an id"),
    };
    assert!(!keep(&house, mina, "hers", 60_000).await);
    let usage = house
        .api
        .lane
        .read(|view| bongsu_talk::state::media::usage(view.db(), "@mina:test"));
    assert_eq!(usage.await.expect("a view").files, 0);
}
