//! Making an account.

use super::Server;
use bongsu_identity::Registration;
use http::StatusCode;
use serde_json::{Value, json};

fn with_dummy(session: &str, mut body: Value) -> Value {
    body["auth"] = json!({"type": "m.login.dummy", "session": session});
    body
}

#[tokio::test]
async fn an_open_server_asks_for_a_dummy_stage_and_makes_the_account() {
    let server = Server::new(Registration::Open).await;
    let wanted = json!({"username": "Mina", "password": "dog", "device_id": "PHONE"});
    let asked = server.post("/v3/register", None, wanted.clone()).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.body["flows"], json!([{"stages": ["m.login.dummy"]}]));
    assert_eq!(asked.body["params"], json!({}));
    let session = asked.text("session");
    let made = server
        .post("/v3/register", None, with_dummy(&session, wanted.clone()))
        .await;
    let token = made.text("access_token");
    assert!(token.starts_with("bgs_"));
    made.is_ok(
        json!({"user_id": "@mina:bongsu.test", "device_id": "PHONE", "access_token": token}),
    );
    let answer = server.get("/v3/account/whoami", Some(&token)).await;
    answer.is_ok(json!({"user_id": "@mina:bongsu.test", "device_id": "PHONE"}));
    server
        .post("/v3/register", None, wanted)
        .await
        .is(400, "M_USER_IN_USE");
    server.close().await;
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused() {
    let server = Server::new(Registration::Open).await;
    for (path, body, status, errcode) in [
        ("/v3/register?kind=guest", json!({}), 403, "M_FORBIDDEN"),
        (
            "/v3/register",
            json!({"username": "mi na"}),
            400,
            "M_INVALID_USERNAME",
        ),
        (
            "/v3/register",
            json!({"username": "a".repeat(250)}),
            400,
            "M_INVALID_USERNAME",
        ),
        (
            "/v3/register",
            with_dummy("s", json!({"username": "mina"})),
            400,
            "M_MISSING_PARAM",
        ),
        (
            "/v3/register",
            with_dummy("s", json!({"password": ""})),
            400,
            "M_WEAK_PASSWORD",
        ),
        (
            "/v3/register",
            json!({"type": "m.login.application_service"}),
            403,
            "M_FORBIDDEN",
        ),
        ("/v3/register", json!({"username": 5}), 400, "M_BAD_JSON"),
    ] {
        server.post(path, None, body).await.is(status, errcode);
    }
    server.close().await;
}

#[tokio::test]
async fn a_name_is_made_up_and_the_sign_in_left_out_if_wanted() {
    let server = Server::new(Registration::Open).await;
    let body = with_dummy("s", json!({"password": "dog", "inhibit_login": true}));
    let made = server.post("/v3/register", None, body).await;
    let user = made.text("user_id");
    assert!(
        user.starts_with('@') && user.ends_with(":bongsu.test"),
        "{user}"
    );
    assert_eq!(made.body.get("access_token"), None);
    let body = with_dummy("s", json!({"password": "dog", "refresh_token": true}));
    let made = server.post("/v3/register", None, body).await;
    assert_eq!(made.body["expires_in_ms"], 3_600_000);
    assert!(made.text("refresh_token").starts_with("bgs_"));
    server.close().await;
}

#[tokio::test]
async fn a_token_opens_registration() {
    let server = Server::new(Registration::Token("tower".into())).await;
    let ask = |auth: Value| {
        let body = json!({"username": "mina", "password": "dog", "auth": auth});
        server.post("/v3/register", None, body)
    };
    let asked = server.post("/v3/register", None, json!({})).await;
    assert_eq!(
        asked.body["flows"],
        json!([{"stages": ["m.login.registration_token"]}])
    );
    let kind = "m.login.registration_token";
    let wrong = ask(json!({"type": kind, "token": "beacon", "session": "s"})).await;
    wrong.is(401, "M_FORBIDDEN");
    assert_eq!(wrong.text("session"), "s");
    ask(json!({"type": "m.login.dummy", "session": "s"}))
        .await
        .is(401, "M_FORBIDDEN");
    let made = ask(json!({"type": kind, "token": "tower", "session": "s"})).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    for (token, valid) in [("tower", true), ("beacon", false)] {
        let path = format!("/v1/register/{kind}/validity?token={token}");
        server.get(&path, None).await.is_ok(json!({"valid": valid}));
    }
    server.close().await;
}

#[tokio::test]
async fn a_closed_server_makes_no_accounts() {
    let server = Server::new(Registration::Closed).await;
    server
        .post("/v3/register", None, json!({}))
        .await
        .is(403, "M_FORBIDDEN");
    let path = "/v1/register/m.login.registration_token/validity?token=t";
    server.get(path, None).await.is(403, "M_FORBIDDEN");
    server.close().await;
}

#[tokio::test]
async fn one_can_ask_whether_a_name_can_be_had() {
    let server = Server::with_mina().await;
    let ask = |name: &str| {
        let path = format!("/v3/register/available?username={name}");
        let server = &server;
        async move { server.get(&path, None).await }
    };
    ask("juno").await.is_ok(json!({"available": true}));
    ask("mina").await.is(400, "M_USER_IN_USE");
    ask("mi%20na").await.is(400, "M_INVALID_USERNAME");
    server.close().await;
}
