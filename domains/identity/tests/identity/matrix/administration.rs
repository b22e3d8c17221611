//! Operators: through Matrix's own endpoints, and through `/admin/v1`.

use super::{Answer, Server, password};
use axum::Router;
use axum::body::Body;
use axum::middleware::{from_fn, from_fn_with_state};
use bongsu_web_kit::Authenticate;
use bongsu_web_kit::admin::{admit_by_socket, admit_by_token};
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// Asks the administration: with a token, or as through the control socket.
async fn ask(server: &Server, token: Option<&str>, path: &str, body: Option<Value>) -> Answer {
    let routes = bongsu_identity::http::admin::routes().into_router(server.accounts.clone());
    let gate: Arc<dyn Authenticate> = Arc::new(server.accounts.clone());
    let router: Router = match token {
        Some(_) => routes.route_layer(from_fn_with_state(gate, admit_by_token)),
        None => routes.route_layer(from_fn(admit_by_socket)),
    };
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/admin/v1/{path}"));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.body(body).expect("a request");
    let response = router.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Answer {
        status: parts.status,
        retry_after: None,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

impl Answer {
    #[track_caller]
    fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        self.text("detail")
    }

    #[track_caller]
    fn ok(&self) -> &Value {
        assert!(self.status.is_success(), "{self:?}");
        &self.body
    }
}

/// Mina's token, and that of Juno, who administers.
async fn two() -> (Server, String, String) {
    let server = Server::with_mina().await;
    let new = json!({ "name": "juno", "password": "cat", "admin": true });
    let made = ask(&server, None, "users", Some(new)).await;
    assert_eq!(made.ok()["user_id"], "@juno:bongsu.test");
    let mina = server.sign_in("PHONE").await;
    let juno = server
        .post("/v3/login", None, password("juno", "cat"))
        .await;
    let juno = juno.text("access_token");
    (server, mina, juno)
}

#[tokio::test]
async fn accounts_are_administered_by_those_who_may() {
    let (server, mina, juno) = two().await;
    ask(&server, Some("nonsense"), "users", None)
        .await
        .problem(401);
    ask(&server, Some(&mina), "users", None).await.problem(403);
    let listed = ask(&server, Some(&juno), "users?name=mi", None).await;
    assert_eq!(listed.ok()["items"][0]["user_id"], "@mina:bongsu.test");
    let page = ask(&server, None, "users?limit=1", None).await;
    assert_eq!(page.ok()["next"], "@juno:bongsu.test");
    let rest = ask(
        &server,
        None,
        "users?limit=1&cursor=@juno:bongsu.test",
        None,
    )
    .await;
    assert_eq!(rest.ok()["items"][0]["user_id"], "@mina:bongsu.test");
    let shown = ask(&server, None, "users/mina", None).await;
    assert_eq!(shown.ok()["devices"][0]["device_id"], "PHONE");
    ask(&server, None, "users/nobody", None).await.problem(404);
    let reset = json!({ "password": "bird" });
    ask(
        &server,
        Some(&juno),
        "users/mina/reset-password",
        Some(reset),
    )
    .await
    .ok();
    assert_eq!(server.whoami(&mina).await, Err("M_UNKNOWN_TOKEN".into()));
    let bird = server
        .post("/v3/login", None, password("mina", "bird"))
        .await;
    assert_eq!(bird.status.as_u16(), 200);
    let taken = json!({ "name": "mina", "password": "x" });
    ask(&server, None, "users", Some(taken)).await.problem(409);
    let long = json!({ "reason": "x".repeat(3_000) });
    ask(&server, None, "users/mina/lock", Some(long))
        .await
        .problem(400);
    let ended = json!({ "erase": true, "reason": "asked to" });
    let deactivate = "users/@mina:bongsu.test/deactivate";
    ask(&server, Some(&juno), deactivate, Some(ended))
        .await
        .ok();
    let audit = ask(&server, None, "audit/identity", None).await;
    let line = &audit.ok()["items"][0];
    assert_eq!(
        [&line["who"], &line["act"], &line["target"], &line["reason"]],
        [
            "@juno:bongsu.test",
            "user.erase",
            "@mina:bongsu.test",
            "asked to"
        ]
    );
    let check = ask(&server, None, "audit/identity/check", None).await;
    assert_eq!(check.ok()["intact"], true);
    server.close().await;
}

#[tokio::test]
async fn a_locked_account_can_do_nothing_but_sign_out() {
    let (server, mina, juno) = two().await;
    let path = "/v1/admin/lock/@mina:bongsu.test";
    let lock = |locked: bool| server.put(path, Some(&juno), json!({ "locked": locked }));
    server.get(path, Some(&mina)).await.is(403, "M_FORBIDDEN");
    server
        .get(path, Some(&juno))
        .await
        .is_ok(json!({ "locked": false }));
    lock(true).await.is_ok(json!({ "locked": true }));
    let whoami = server.get("/v3/account/whoami", Some(&mina)).await;
    whoami.is(401, "M_USER_LOCKED");
    assert_eq!(whoami.body["soft_logout"], true);
    let login = server
        .post("/v3/login", None, password("mina", "dog"))
        .await;
    login.is(401, "M_USER_LOCKED");
    let wrong = server
        .post("/v3/login", None, password("mina", "cat"))
        .await;
    wrong.is(403, "M_FORBIDDEN");
    lock(false).await.is_ok(json!({ "locked": false }));
    assert_eq!(server.whoami(&mina).await, Ok("PHONE".into()));
    lock(true).await.is_ok(json!({ "locked": true }));
    server
        .post("/v3/logout", Some(&mina), json!({}))
        .await
        .is_ok(json!({}));
    lock(false).await.is_ok(json!({ "locked": false }));
    assert_eq!(server.whoami(&mina).await, Err("M_UNKNOWN_TOKEN".into()));
    let own = "/v1/admin/lock/@juno:bongsu.test";
    let own = server
        .put(own, Some(&juno), json!({ "locked": true }))
        .await;
    own.is(403, "M_FORBIDDEN");
    let none = server
        .get("/v1/admin/lock/@nobody:bongsu.test", Some(&juno))
        .await;
    none.is(404, "M_NOT_FOUND");
    for path in ["lock", "suspend"] {
        let path = format!("/v1/admin/{path}/@mina:elsewhere.test");
        let other = server.get(&path, Some(&juno)).await;
        other.is(400, "M_INVALID_PARAM");
    }
    server.close().await;
}

#[tokio::test]
async fn a_suspended_account_keeps_its_profile_as_it_is() {
    let (server, mina, juno) = two().await;
    let path = "/v1/admin/suspend/@mina:bongsu.test";
    let suspend = json!({ "suspended": true });
    server
        .put(path, Some(&juno), suspend.clone())
        .await
        .is_ok(suspend.clone());
    server.get(path, Some(&juno)).await.is_ok(suspend);
    let name = json!({ "displayname": "M" });
    let profile = "/v3/profile/@mina:bongsu.test/displayname";
    server
        .put(profile, Some(&mina), name.clone())
        .await
        .is(403, "M_USER_SUSPENDED");
    assert_eq!(server.whoami(&mina).await, Ok("PHONE".into()));
    let lift = json!({ "suspended": false });
    server.put(path, Some(&juno), lift).await;
    server
        .put(profile, Some(&mina), name)
        .await
        .is_ok(json!({}));
    server.close().await;
}

#[tokio::test]
async fn where_somebody_is_signed_in_is_for_them_and_for_administrators() {
    let (server, mina, juno) = two().await;
    let path = |name: &str| format!("/v3/admin/whois/@{name}:bongsu.test");
    let own = server.get(&path("mina"), Some(&mina)).await;
    assert_eq!(own.status.as_u16(), 200);
    let connection = &own.body["devices"]["PHONE"]["sessions"][0]["connections"][0];
    assert!(connection["last_seen"].is_i64(), "{own:?}");
    server
        .get(&path("juno"), Some(&mina))
        .await
        .is(403, "M_FORBIDDEN");
    let other = server.get(&path("mina"), Some(&juno)).await;
    assert_eq!(other.body, own.body);
    server
        .get(&path("nobody"), Some(&juno))
        .await
        .is(404, "M_NOT_FOUND");
    server.close().await;
}
