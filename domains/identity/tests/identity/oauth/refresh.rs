//! Refreshing, introspecting and revoking.

use super::{Extra, Server, basic};
use bongsu_base::Millis;
use http::StatusCode;

async fn is_good(server: &Server, token: &str) -> bool {
    server.info(token).await.status == StatusCode::OK
}

#[tokio::test]
async fn the_same_refresh_gives_the_same_answer_for_a_while() {
    let server = Server::with_shop().await;
    let first = server.tokens().await.field("refresh_token");
    server.pass(Millis::minutes(5));
    let once = server.refresh(&first).await;
    assert_eq!(once.status, StatusCode::OK, "{once:?}");
    server.pass(Millis::seconds(30));
    let again = server.refresh(&first).await;
    assert_eq!(again.body, once.body, "to the letter");
    assert_ne!(once.field("refresh_token"), first);
    let next = server.refresh(&once.field("refresh_token")).await;
    assert!(is_good(&server, &next.field("access_token")).await);
    let replayed = server.refresh(&first).await;
    replayed.is(400, "invalid_grant");
    assert!(
        !is_good(&server, &next.field("access_token")).await,
        "the family is revoked"
    );
    server
        .refresh(&next.field("refresh_token"))
        .await
        .is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn a_late_repeat_ends_the_session() {
    let server = Server::with_shop().await;
    let first = server.tokens().await.field("refresh_token");
    let once = server.refresh(&first).await;
    server.pass(Millis(60_001));
    server.refresh(&first).await.is(400, "invalid_grant");
    server
        .refresh(&once.field("refresh_token"))
        .await
        .is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn what_was_asked_at_once_does_not_fork_a_family() {
    let server = Server::with_shop().await;
    let first = server.tokens().await.field("refresh_token");
    let (one, other) = tokio::join!(server.refresh(&first), server.refresh(&first));
    assert_eq!(one.body, other.body);
    server.close().await;
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_not_for_more() {
    let server = Server::with_shop().await;
    let first = server.tokens().await.field("refresh_token");
    let ask = |scope: &'static str| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "shop"),
            ("refresh_token", &*first),
            ("scope", scope),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let server = &server;
        async move {
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            server
                .form("/oauth2/token", &fields, &Extra::default())
                .await
        }
    };
    ask("openid profile offline_access")
        .await
        .is(400, "invalid_scope");
    assert_eq!(ask("openid").await.body["scope"], "openid");
    server.close().await;
}

#[tokio::test]
async fn a_client_ends_its_session_and_a_service_sees_it() {
    let server = Server::with_shop().await;
    let secret = server
        .add_client(
            "orders",
            serde_json::json!({"grant_types": ["client_credentials"], "scope": "orders:read"}),
        )
        .await;
    let basic = basic("orders", &secret);
    let extra = Extra {
        headers: vec![("authorization", &basic)],
    };
    let explain = |token: String| {
        let (server, extra) = (&server, &extra);
        async move {
            server
                .form("/oauth2/introspect", &[("token", &token)], extra)
                .await
        }
    };
    let tokens = server.tokens().await;
    let foreign = explain(tokens.field("access_token")).await;
    assert_eq!(
        foreign.body,
        serde_json::json!({"active": false}),
        "not for this service"
    );
    let own = server
        .form(
            "/oauth2/token",
            &[("grant_type", "client_credentials")],
            &extra,
        )
        .await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
    assert_eq!(own.body.get("refresh_token"), None);
    let told = explain(own.field("access_token")).await;
    assert_eq!(told.body["active"], true, "{told:?}");
    assert_eq!(told.body["sub"], "orders");
    assert_eq!(told.body["scope"], "orders:read");

    for token in [tokens.field("access_token"), tokens.field("refresh_token")] {
        let fields = [("client_id", "shop"), ("token", &*token)];
        let done = server
            .form("/oauth2/revoke", &fields, &Extra::default())
            .await;
        assert_eq!(done.status, StatusCode::OK, "{done:?}");
    }
    assert!(!is_good(&server, &tokens.field("access_token")).await);
    server
        .refresh(&tokens.field("refresh_token"))
        .await
        .is(400, "invalid_grant");
    let unknown = [("client_id", "shop"), ("token", "bgr_unknown")];
    let done = server
        .form("/oauth2/revoke", &unknown, &Extra::default())
        .await;
    assert_eq!(done.status, StatusCode::OK);
    server.close().await;
}

#[tokio::test]
async fn anybody_can_keep_the_list_of_what_was_revoked() {
    let server = Server::with_shop().await;
    let nothing = server.get("/oauth2/status/0", &Extra::default()).await;
    assert_eq!(nothing.status, StatusCode::OK, "{nothing:?}");
    for path in ["/oauth2/status/1", "/oauth2/status/-1", "/oauth2/status/x"] {
        let none = server.get(path, &Extra::default()).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND, "{path}");
    }
    let tokens = server.tokens().await;
    let said = server.claims(&tokens.field("access_token")).await;
    let place = &said["status"]["status_list"];
    assert_eq!(place["uri"], format!("{}/oauth2/status/0", super::ISSUER));
    let idx = place["idx"].as_u64().expect("a number") as usize;
    let is_set = || async {
        server.pass(Millis::seconds(2));
        let list = server.get("/oauth2/status/0", &Extra::default()).await;
        assert_eq!(list.header("content-type"), "application/statuslist+jwt");
        let claims = server.claims(&list.text).await;
        assert_eq!(claims["sub"], place["uri"]);
        assert_eq!(claims["ttl"], 30);
        let lst = claims["status_list"]["lst"]
            .as_str()
            .expect("the bits")
            .to_owned();
        let bytes = data_encoding::BASE64URL_NOPAD
            .decode(lst.as_bytes())
            .expect("base64url");
        let mut plain = Vec::new();
        let mut decoder = flate2::read::ZlibDecoder::new(&bytes[..]);
        std::io::Read::read_to_end(&mut decoder, &mut plain).expect("zlib");
        plain[idx / 8] >> (idx % 8) & 1 == 1
    };
    assert!(!is_set().await);
    let token = tokens.field("refresh_token");
    let fields = [("client_id", "shop"), ("token", &*token)];
    server
        .form("/oauth2/revoke", &fields, &Extra::default())
        .await;
    assert!(is_set().await);
    server.pass(Millis::minutes(10));
    assert!(!is_set().await, "no token is left that anybody would take");
    server.close().await;
}
