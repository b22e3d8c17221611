//! Bad input gets the right error and leaves nothing in the log.

use super::{Server, password};
use axum::body::Body;
use bongsu_base::Seq;
use bongsu_lane::{EntryBody, Payload};
use bongsu_log::Log;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Where nothing has to be said: then it is asked for a password, or what stage there is.
const MAY_BE_EMPTY: [&str; 3] = ["/register", "/account/deactivate", "/login/get_token"];

/// How many commands are in the log.
pub async fn commands(server: &Server) -> usize {
    let entries = server.house.log.read(Seq(0), usize::MAX).await;
    let bodies = entries.expect("a log in memory");
    let bodies = bodies
        .iter()
        .map(|entry| EntryBody::decode(&entry.body).expect("an entry's body"));
    let records = bodies.flat_map(|body| body.records);
    records
        .filter(|record| matches!(record.payload, Payload::Command(_)))
        .count()
}

/// Sends these bytes; gives the status and the error's code.
async fn send(server: &Server, operation: &str, token: &str, body: &[u8]) -> (u16, String) {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = path
        .replace("{user_id}", "@mina:bongsu.test")
        .replace("{field}", "displayname")
        .replace("{device_id}", "PHONE");
    let request = Request::builder()
        .method(method.parse::<Method>().expect("a method"))
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_vec()))
        .expect("a request");
    let Ok(response) = server.router.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a body");
    let body: Value = serde_json::from_slice(&bytes.to_bytes()).unwrap_or_default();
    (
        status,
        body["errcode"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn no_endpoint_takes_a_body_that_is_none() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let before = commands(&server).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = vec![b' '; 10 << 20];
    for operation in &server.operations {
        // These read no body; the last two end what the others need.
        let bodiless = ["GET", "DELETE"]
            .iter()
            .any(|method| operation.starts_with(method))
            || ["/logout", "/logout/all"]
                .iter()
                .any(|end| operation.ends_with(end));
        if bodiless {
            continue;
        }
        if !MAY_BE_EMPTY.iter().any(|end| operation.ends_with(end)) {
            let (status, code) = send(&server, operation, &token, b"").await;
            assert_eq!((status, &*code), (400, "M_NOT_JSON"), "{operation}");
        }
        for (body, codes) in [
            (b"{".as_slice(), &["M_NOT_JSON"][..]),
            (b"\xff\xfe", &["M_NOT_JSON"]),
            (b"{\"a\":\"\xc3\x28\"}", &["M_NOT_JSON"]),
            (b"[]", &["M_BAD_JSON"]),
            (deep.as_bytes(), &["M_BAD_JSON", "M_NOT_JSON"]),
            (&large, &["M_TOO_LARGE"]),
        ] {
            let (status, code) = send(&server, operation, &token, body).await;
            let what = String::from_utf8_lossy(&body[..body.len().min(9)]).into_owned();
            assert!(
                (400..500).contains(&status) && codes.contains(&code.as_str()),
                "{operation} {what:?}: {status} {code}"
            );
        }
    }
    assert_eq!(commands(&server).await, before);
    server.close().await;
}

#[tokio::test]
async fn people_that_cannot_be_are_not_made() {
    let server = Server::with_mina().await;
    let before = commands(&server).await;
    let long = "x".repeat(300);
    let dummy = json!({"type": "m.login.dummy"});
    for (name, password) in [
        (long.as_str(), "dog"),
        ("", "dog"),
        ("a b", "dog"),
        ("a:b", "dog"),
        ("a/../b", &long.repeat(2)),
        ("A\u{0}", "dog"),
        ("봉수", "dog"),
        ("@mina", "dog"),
        ("sora", &long.repeat(2)),
    ] {
        let body = json!({"username": name, "password": password, "auth": dummy});
        let answer = server.post("/v3/register", None, body).await;
        assert!(answer.status.is_client_error(), "{name}: {answer:?}");
    }
    for body in [
        json!({"username": 5}),
        json!({"username": "sora", "password": 5, "auth": dummy}),
        json!({"username": "sora", "password": "dog", "auth": 5}),
        json!({"username": "sora", "password": "dog", "auth": dummy, "device_id": "x".repeat(300)}),
    ] {
        let answer = server.post("/v3/register", None, body.clone()).await;
        assert!(answer.status.is_client_error(), "{body}: {answer:?}");
    }
    for body in [
        json!({}),
        json!({"type": 5}),
        json!({"type": "m.login.nonsense"}),
        json!({"type": "m.login.password"}),
        json!({"type": "m.login.password", "password": "dog"}),
        json!({"type": "m.login.password", "identifier": 5, "password": "dog"}),
        json!({"type": "m.login.password", "identifier": {"type": "m.id.user"}, "password": "dog"}),
    ] {
        let answer = server.post("/v3/login", None, body.clone()).await;
        assert!(answer.status.is_client_error(), "{body}: {answer:?}");
    }
    let mut device = password("mina", "dog");
    device["device_id"] = "x".repeat(300).into();
    let answer = server.post("/v3/login", None, device).await;
    assert!(answer.status.is_client_error(), "{answer:?}");
    assert_eq!(commands(&server).await, before);
    server.close().await;
}

#[tokio::test]
async fn profiles_and_devices_take_no_nonsense() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let before = commands(&server).await;
    let mine = "/v3/profile/@mina:bongsu.test";
    for (path, body) in [
        (format!("{mine}/displayname"), json!({"displayname": 5})),
        (
            format!("{mine}/displayname"),
            json!({"displayname": "x".repeat(2_000)}),
        ),
        (format!("{mine}/displayname"), json!({})),
        (format!("{mine}/avatar_url"), json!({"avatar_url": ["x"]})),
        (format!("{mine}/{}", "k".repeat(300)), json!({"k": 1})),
        (format!("{mine}/m.tz"), json!({"m.tz": "x".repeat(70_000)})),
        (format!("{mine}/m.tz"), json!({"other": 1})),
        (
            "/v3/profile/@jun:bongsu.test/displayname".to_owned(),
            json!({"displayname": "x"}),
        ),
        (
            "/v3/profile/nonsense/displayname".to_owned(),
            json!({"displayname": "x"}),
        ),
        ("/v3/devices/PHONE".to_owned(), json!({"display_name": 5})),
        (
            "/v3/devices/PHONE".to_owned(),
            json!({"display_name": "x".repeat(300)}),
        ),
        (
            format!("/v3/devices/{}", "x".repeat(300)),
            json!({"display_name": "x"}),
        ),
    ] {
        let answer = server.put(&path, Some(&token), body.clone()).await;
        let shown: String = body.to_string().chars().take(50).collect();
        assert!(
            answer.status.is_client_error(),
            "{path} {shown}: {answer:?}"
        );
        assert_eq!(commands(&server).await, before, "{path} {shown}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_profile_that_is_full_takes_no_more() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let field = |name: &str| format!("/v3/profile/@mina:bongsu.test/{name}");
    let large = json!({"a.one": "x".repeat(60_000)});
    let first = server.put(&field("a.one"), Some(&token), large).await;
    first.is_ok(json!({}));
    let before = commands(&server).await;
    let more = json!({"a.two": "x".repeat(6_000)});
    let more = server.put(&field("a.two"), Some(&token), more).await;
    more.is(400, "M_PROFILE_TOO_LARGE");
    assert_eq!(commands(&server).await, before);
    let smaller = json!({"a.one": "x"});
    let smaller = server.put(&field("a.one"), Some(&token), smaller).await;
    smaller.is_ok(json!({}));
    server.close().await;
}
