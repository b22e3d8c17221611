//! Every route, asked by nobody and by an ordinary account. What each answers stands in
//! `snapshots/authorization.snap`; a new route without a line there fails.

use super::{Parts, of};
use crate::config::{Config, Layer};
use crate::data::{DataDir, Installation, Lock};
use crate::health::Watch;
use crate::metrics::{HttpMetrics, Metrics};
use crate::page::Page;
use crate::wiring::House;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

/// Method and path of all that is served.
fn operations() -> BTreeSet<(String, String)> {
    let matrix = bongsu_identity::http::operations()
        .into_iter()
        .chain(bongsu_talk::http::operations())
        .map(|operation| (operation.path.to_owned(), operation.method));
    let identity = bongsu_identity::http::admin::routes();
    let sign_in = bongsu_identity::http::oauth::routes();
    let clients = bongsu_identity::http::admin::provider_routes();
    let talk = bongsu_talk::http::admin::routes();
    let pay = bongsu_pay::http::routes();
    let pay_admin = bongsu_pay::http::admin::routes();
    let administration = identity
        .operations()
        .iter()
        .chain(pay.operations())
        .chain(pay_admin.operations())
        .chain(talk.operations())
        .chain(clients.operations())
        .chain(sign_in.operations());
    let administration =
        administration.map(|(method, path)| ((*path).to_owned(), method.to_string()));
    let own = [
        "/",
        "/page.css",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/openapi.json",
        "/.well-known/bongsu",
    ];
    let own = own.map(|path| (path.to_owned(), "GET".to_owned()));
    matrix.chain(administration).chain(own).collect()
}

/// A path of something that is not there.
fn filled(path: &str) -> String {
    let segment = |part: &str| match part {
        "{user_id}" | "{user}" => "@nobody:localhost".to_owned(),
        "{room_id}" | "{room}" | "{room_id_or_alias}" => "!none:localhost".to_owned(),
        "{room_alias}" => "%23none:localhost".to_owned(),
        "{event_id}" => "$none".to_owned(),
        part if part.starts_with('{') => "x".to_owned(),
        part => part.to_owned(),
    };
    let parts: Vec<String> = path.split('/').map(segment).collect();
    parts.join("/")
}

/// What the gate says: how it refuses, or that it lets through.
async fn knock(router: &Router, (path, method): &(String, String), token: Option<&str>) -> String {
    // Whoever asks for news waits for some.
    let query = if path.ends_with("/events") {
        "?timeout=0"
    } else {
        ""
    };
    let mut request = Request::builder()
        .method(method.as_str())
        .uri(filled(path) + query)
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if method == "GET" { "" } else { "{}" };
    let request = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match (status, body["errcode"].as_str()) {
        // A further stage is asked of whoever passed the gate.
        (401, None) if body["flows"].is_array() => "asks for more".to_owned(),
        (401 | 403, Some(code)) => format!("{status} {code}"),
        (401 | 403, None) => status.to_string(),
        _ => "lets through".to_owned(),
    }
}

async fn sign_in(router: &Router) -> String {
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "mina" },
        "password": "dog",
    });
    let request = Request::builder()
        .method("POST")
        .uri("/_matrix/client/v3/login")
        .body(Body::from(body.to_string()));
    let response = router.clone().oneshot(request.unwrap()).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn router(house: &House, config: &Config, stopping: watch::Receiver<bool>) -> Router {
    let watch = Watch::new(Duration::from_secs(9));
    let page = Page {
        server_name: "localhost".into(),
        base_url: "http://localhost".into(),
        registration: config.registration,
        watch: watch.clone(),
    };
    let parts = Parts {
        page,
        watch,
        metrics: Metrics::new(|_| ()),
        http: HttpMetrics::new(false),
        stopping,
    };
    let base_url = "http://localhost";
    let provider = house.begin_sign_in(config, base_url);
    let talk = house.talk_api(config, base_url, &provider);
    let apis = (talk, house.pay_api(config, &provider), provider);
    of(house, apis, base_url, parts)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_through_whom_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Layer {
        data: Some(folder.path().join("data")),
        ..Layer::default()
    };
    let config = Config::load(flags, None, |_| None).unwrap();
    let data = DataDir::new(&config.data);
    data.create().unwrap();
    let _lock = Lock::take(&data, "test").unwrap();
    let installation = Installation::settle(&data, None).unwrap();
    let house = House::open(&data, &config, &installation).await.unwrap();
    house.accounts.create("mina", "dog", false).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let router = router(&house, &config, stopping);
    let mut token = sign_in(&router).await;
    let mut told = String::new();
    for operation in operations() {
        let nobody = knock(&router, &operation, None).await;
        let ordinary = knock(&router, &operation, Some(&token)).await;
        // Whoever signed out has to sign in again.
        if operation.0.starts_with("/_matrix/") && operation.0.contains("/logout") {
            token = sign_in(&router).await;
        }
        let (path, method) = operation;
        writeln!(
            told,
            "{method} {path}: nobody {nobody}; an account {ordinary}"
        )
        .unwrap();
    }
    drop(router);
    house.close().await.unwrap();
    insta::assert_snapshot!("authorization", told);
}
