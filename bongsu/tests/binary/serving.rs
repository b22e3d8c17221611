//! What a running server answers, and how it stops.

use crate::common::{Data, Server, ask, good, poll};
use serde_json::{Value, json};

#[test]
fn it_tells_of_its_health() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    assert_eq!(server.get("/health/live").body(), r#"{"live":true}"#);
    let ready: Value = serde_json::from_slice(&server.get("/health/ready").body).unwrap();
    let names: Vec<_> = ready["domains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|domain| &domain["domain"])
        .collect();
    assert_eq!(names, ["identity", "talk", "pay"]);
    for domain in ready["domains"].as_array().unwrap() {
        assert_eq!(domain["state"], "running");
        assert!(
            domain["canary_age_ms"].as_u64().is_some() && domain["applied"].as_u64() >= Some(1),
            "{domain}"
        );
    }
}

#[test]
fn the_page_speaks_english_and_korean_and_needs_nothing_from_elsewhere() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &["--server-name", "bongsu.test"]);
    let page = |language| server.ask("GET", "/", &[("accept-language", language)], b"");
    let english = page("en-GB");
    assert_eq!(english.header("content-language"), Some("en"));
    assert!(
        english.body().contains("Everything works.")
            && english.body().contains("@your-name:bongsu.test")
    );
    assert!(
        english
            .body()
            .contains(&format!("<code>http://{}</code>", server.address))
    );
    let korean = page("ko-KR,ko;q=0.9,en;q=0.8");
    assert_eq!(korean.header("content-language"), Some("ko"));
    assert!(korean.body().contains("모두 정상입니다."));
    for page in [english, korean] {
        assert!(
            page.header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(!page.body().contains("<script") && !page.body().contains("style="));
    }
    assert_eq!(
        server.get("/page.css").header("content-type"),
        Some("text/css; charset=utf-8")
    );
}

#[test]
fn matrix_paths_have_its_errors_and_let_web_clients_in() {
    let data = Data::new();
    let server = Server::start(&data.name(), &[]);
    for (method, path, status) in [
        ("GET", "/_matrix/client/v3/no/such", 404),
        ("PUT", "/_matrix/client/versions", 405),
        ("GET", "/_matrix/client/versions", 200),
        ("OPTIONS", "/_matrix/client/v3/sync", 200),
        ("OPTIONS", "/_matrix/client/v3/no/such", 200),
        ("GET", "/.well-known/matrix/client", 200),
    ] {
        let answer = server.ask(method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{method} {path}"
        );
        assert!(
            status < 400 || answer.body().contains("M_UNRECOGNIZED"),
            "{method} {path}: {}",
            answer.body()
        );
    }
    let elsewhere = server.get("/no/such");
    assert_eq!(
        (
            elsewhere.status,
            elsewhere.header("access-control-allow-origin")
        ),
        (404, None)
    );
}

/// What programs in browsers ask from anywhere, and what only people do.
#[test]
fn clients_of_sign_in_in_browsers_are_let_in_and_pages_are_not() {
    let data = Data::new();
    let server = Server::start(&data.name(), &[]);
    let public = [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth2/keys.json",
        "/oauth2/par",
        "/oauth2/device_authorization",
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/revoke",
        "/oauth2/userinfo",
        "/oauth2/register",
        "/oauth2/status/0",
    ];
    let pages = [
        "/oauth2/authorize",
        "/oauth2/logout",
        "/account",
        "/account/sign-in",
        "/account/consent",
        "/account/device",
    ];
    let from = [("origin", "https://app.example")];
    for path in public {
        let before = server.ask("OPTIONS", path, &from, b"");
        assert_eq!(before.status, 200, "{path}");
        let may = before.header("access-control-allow-headers").unwrap();
        assert!(
            may.contains("Authorization") && may.contains("DPoP"),
            "{path}"
        );
        let shown = before.header("access-control-expose-headers").unwrap();
        assert!(shown.contains("DPoP-Nonce"), "{path}");
        for method in ["GET", "POST"] {
            let answer = server.ask(method, path, &from, b"");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, Some("*"), "{method} {path}");
            let with_cookies = answer.header("access-control-allow-credentials");
            assert_eq!(with_cookies, None, "{method} {path}");
        }
    }
    for path in pages {
        for method in ["OPTIONS", "GET", "POST"] {
            let answer = server.ask(method, path, &from, b"");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, None, "{method} {path}");
        }
    }
}

#[test]
fn the_metrics_are_open_metrics_with_routes_for_labels() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    server.get("/_matrix/client/v3/profile/@nobody:localhost");
    let answer = server.get("/metrics");
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    let text = answer.body();
    assert!(text.ends_with("# EOF\n"));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let balanced = name.contains('{') == name.ends_with('}');
        assert!(balanced && (value.parse::<f64>().is_ok()), "{line}");
    }
    for lane in ["identity", "talk", "pay"] {
        let age = format!("bongsu_lane_view_age_seconds{{lane=\"{lane}\"}} ");
        assert!(text.contains(&age), "{text}");
    }
    assert!(!text.contains("bongsu_log_"), "there is no engine");
    let mut families: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    let all = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), all, "a family is told of twice: {text}");
    let value = |start: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap_or_else(|| panic!("{start}: {text}"));
        line.trim().parse::<f64>().unwrap()
    };
    assert!(value("process_resident_memory_bytes ") > 1e6);
    assert!(value("bongsu_lane_up{lane=\"talk\"} ") == 1.0);
    assert!(value("bongsu_lane_applied_seq{lane=\"identity\"} ") >= 1.0);
    let route = "/_matrix/client/v3/profile/{user_id}";
    assert!(
        value(&format!(
            "bongsu_http_requests_total{{method=\"GET\",route=\"{route}\",status=\"404\"}} "
        )) == 1.0
    );
}

#[test]
fn the_description_of_its_interfaces_is_the_committed_one() {
    let data = Data::new();
    let printed: Value = serde_json::from_str(&good(&["openapi"])).unwrap();
    let server = Server::ready(&data.name(), &[]);
    assert_eq!(
        serde_json::from_slice::<Value>(&server.get("/openapi.json").body).unwrap(),
        printed
    );
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let committed: Value = serde_json::from_slice(&std::fs::read(committed).unwrap()).unwrap();
    assert_eq!(
        committed, printed,
        "run `make generate` and commit the file"
    );
    for path in [
        "/",
        "/page.css",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/openapi.json",
    ] {
        assert!(printed["paths"][path].is_object(), "{path}");
        assert_eq!(server.get(path).status, 200, "{path} is served");
    }
}

#[test]
fn a_long_poll_ends_when_it_stops_and_nothing_is_left_open() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    let token = server.register("mina");
    let first = server.matrix("GET", "/_matrix/client/v3/sync", &token, &json!({}));
    let since = first["next_batch"].as_str().unwrap();
    let poll_path = format!("/_matrix/client/v3/sync?timeout=120000&since={since}");
    let address = server.address.clone();
    let long = std::thread::spawn(move || {
        let bearer = format!("Bearer {token}");
        ask(
            &address,
            "GET",
            &poll_path,
            &[("authorization", &bearer)],
            b"",
        )
    });
    poll("the long poll waits", || {
        let metrics = server.get("/metrics").body();
        metrics.contains("bongsu_http_in_flight 2\n").then_some(())
    });
    let (status, said) = server.stop();
    assert_eq!(status.code(), Some(0), "{said}");
    let answer = long.join().unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    for left in ["listen.addr", "control.sock", "view/talk.open"] {
        assert!(!data.path().join(left).exists(), "{left}");
    }
    assert!(good(&["verify", "--data", &data.name()]).contains("Everything is as it was written."));
}

#[test]
fn log_messages_are_json_where_no_person_reads_and_lines_on_demand() {
    let data = Data::new();
    let (_, said) = Server::start(&data.name(), &[]).stop();
    let first = said.lines().next().unwrap();
    assert!(
        serde_json::from_str::<Value>(first).unwrap()["message"].is_string(),
        "{first}"
    );
    let (_, said) = Server::start(&data.name(), &["--log-format", "human"]).stop();
    assert!(
        said.contains("INFO")
            && serde_json::from_str::<Value>(said.lines().next().unwrap()).is_err()
    );
}
