//! Sending a form, or another body.

use crate::server::{Names, fetcher, ok, once, redirect, rules, serve};
use bongsu_fetch::{FetchError, Fetcher, Rules, Url};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

fn fields() -> [(&'static str, String); 2] {
    [("token", "a b&c".to_owned()), ("other", "=".to_owned())]
}

#[tokio::test]
async fn a_form_arrives_as_it_was_meant() {
    let (tell, told) = oneshot::channel();
    let address = once(|mut stream| async move {
        let mut read = Vec::new();
        while !read.ends_with(b"other=%3D") {
            read.push(stream.read_u8().await.expect("the form comes"));
        }
        stream
            .write_all(&ok("text/plain", "taken"))
            .await
            .expect("it is read");
        tell.send(String::from_utf8(read).expect("text"))
            .expect("somebody listens");
    })
    .await;
    let url = Url::parse(&format!("http://{address}/told")).expect("a URL");
    let fetcher = fetcher(rules(&[address.port()]), Names::default());
    fetcher
        .post_form(&url, &fields())
        .await
        .expect("it is taken");
    let told = told.await.expect("it was told").to_lowercase();
    assert!(told.starts_with("post /told http/1.1\r\n"), "{told}");
    assert!(told.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(told.ends_with("\r\n\r\ntoken=a+b%26c&other=%3d"), "{told}");
}

#[tokio::test]
async fn a_form_that_is_not_taken_is_known_not_to_be() {
    let (address, _told) = serve(&[
        ("/elsewhere", redirect("/taken")),
        ("/taken", ok("a/b", "")),
    ])
    .await;
    for path in ["/elsewhere", "/nothing"] {
        let url = Url::parse(&format!("http://{address}{path}")).expect("a URL");
        let fetcher = fetcher(rules(&[address.port()]), Names::default());
        let refused = fetcher.post_form(&url, &fields()).await;
        assert!(
            matches!(refused, Err(FetchError::Status(_))),
            "{path}: {refused:?}"
        );
    }
    let url = Url::parse("http://127.0.0.1/taken").expect("a URL");
    let guarded = Fetcher::new(Rules::default())
        .post_form(&url, &fields())
        .await;
    assert!(
        matches!(guarded, Err(FetchError::AddressDenied)),
        "{guarded:?}"
    );
}

#[tokio::test]
async fn a_body_arrives_with_its_headers_and_the_status_comes_back() {
    let (tell, told) = oneshot::channel();
    let address = once(|mut stream| async move {
        let mut read = Vec::new();
        while !read.ends_with(b"{}") {
            read.push(stream.read_u8().await.expect("the body comes"));
        }
        let answer = b"HTTP/1.1 503 Not now\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.expect("it is read");
        tell.send(String::from_utf8(read).expect("text"))
            .expect("somebody listens");
    })
    .await;
    let url = Url::parse(&format!("http://{address}/told")).expect("a URL");
    let headers = HeaderMap::from_iter([(
        HeaderName::from_static("webhook-id"),
        HeaderValue::from_static("evt_1"),
    )]);
    let fetcher = fetcher(rules(&[address.port()]), Names::default());
    let status = fetcher.post(&url, &headers, "{}".into()).await;
    assert_eq!(status.expect("it answers"), 503);
    let told = told.await.expect("it was told").to_lowercase();
    assert!(told.contains("webhook-id: evt_1\r\n"), "{told}");
}

#[test]
fn a_service_is_reached_over_tls_or_on_this_machine_if_that_is_allowed() {
    let open = Fetcher::new(Rules::default());
    let own = Fetcher::new(rules(&[80, 443]));
    for (url, by_default, with_own) in [
        ("https://a.example/told", true, true),
        ("https://8.8.8.8/", true, true),
        ("http://a.example/", false, false),
        ("https://a.example/#b", false, false),
        ("https://10.0.0.1/", false, false),
        ("http://127.0.0.1/", false, true),
        ("http://localhost/", false, true),
        ("https://localhost/", false, true),
    ] {
        let parsed = Url::parse(url).expect("a URL");
        assert_eq!(open.check_service(&parsed).is_ok(), by_default, "{url}");
        assert_eq!(own.check_service(&parsed).is_ok(), with_own, "{url}");
    }
}
