//! Signing in.

use super::{Server, password};
use bongsu_base::Millis;
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_password_is_the_way_in() {
    let server = Server::with_mina().await;
    let token = json!({"type": "m.login.token", "get_login_token": true});
    let flows = json!({"flows": [{"type": "m.login.password"}, token]});
    server.get("/v3/login", None).await.is_ok(flows);
    let first_form = json!({"type": "m.login.password", "user": "mina", "password": "dog"});
    for body in [
        password("mina", "dog"),
        password("@mina:bongsu.test", "dog"),
        password("Mina", "dog"),
        first_form,
    ] {
        let answer = server.post("/v3/login", None, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{body} {answer:?}");
        assert_eq!(answer.text("user_id"), "@mina:bongsu.test");
        let device = server.whoami(&answer.text("access_token")).await;
        assert_eq!(device, Ok(answer.text("device_id")));
        assert_eq!(answer.body.get("refresh_token"), None);
        assert_eq!(answer.body.get("expires_in_ms"), None);
    }
    server.close().await;
}

#[tokio::test]
async fn a_device_that_signs_in_again_keeps_its_name_and_loses_its_token() {
    let server = Server::with_mina().await;
    let mut body = password("mina", "dog");
    body["device_id"] = "PHONE".into();
    body["initial_device_display_name"] = "Pocket".into();
    let first = server
        .post("/v3/login", None, body.clone())
        .await
        .text("access_token");
    body["initial_device_display_name"] = "Other".into();
    let second = server
        .post("/v3/login", None, body)
        .await
        .text("access_token");
    assert_eq!(server.whoami(&first).await, Err("M_UNKNOWN_TOKEN".into()));
    assert_eq!(server.whoami(&second).await, Ok("PHONE".into()));
    let device = server.get("/v3/devices/PHONE", Some(&second)).await;
    assert_eq!(device.text("display_name"), "Pocket");
    server.close().await;
}

#[tokio::test]
async fn what_does_not_sign_in_is_refused() {
    let server = Server::with_mina().await;
    let by_mail = json!({"type": "m.id.thirdparty", "medium": "email", "address": "m@a.test"});
    let third_party = json!({"type": "m.login.password", "identifier": by_mail, "password": "dog"});
    for (body, status, errcode) in [
        (password("mina", "cat"), 403, "M_FORBIDDEN"),
        (password("nobody", "dog"), 403, "M_FORBIDDEN"),
        (password("@mina:elsewhere.test", "dog"), 403, "M_FORBIDDEN"),
        (password("mi na", "dog"), 403, "M_FORBIDDEN"),
        (third_party, 403, "M_FORBIDDEN"),
        (
            json!({"type": "m.login.password", "password": "dog"}),
            400,
            "M_MISSING_PARAM",
        ),
        (
            json!({"type": "m.login.token", "token": "t"}),
            403,
            "M_FORBIDDEN",
        ),
        (json!({"type": "m.login.token"}), 400, "M_BAD_JSON"),
        (json!({"type": "com.example.dance"}), 400, "M_UNKNOWN"),
        (
            json!({"user": "mina", "password": "dog"}),
            400,
            "M_BAD_JSON",
        ),
    ] {
        let answer = server.post("/v3/login", None, body.clone()).await;
        answer.is(status, errcode);
    }
    server.close().await;
}

#[tokio::test]
async fn many_wrong_passwords_lock_the_account_for_a_while() {
    let server = Server::with_mina().await;
    for _ in 0..5 {
        let answer = server
            .post("/v3/login", None, password("mina", "cat"))
            .await;
        answer.is(403, "M_FORBIDDEN");
    }
    let locked = server
        .post("/v3/login", None, password("mina", "dog"))
        .await;
    locked.is(429, "M_LIMIT_EXCEEDED");
    assert_eq!(locked.body["retry_after_ms"], 30_000);
    assert_eq!(locked.retry_after.as_deref(), Some("30"));
    server.pass(Millis::seconds(30));
    server.sign_in("PHONE").await;
    server.close().await;
}

#[tokio::test]
async fn a_lock_is_heeded_before_a_password_is_hashed() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let body = json!({"devices": ["PHONE"], "auth": password("mina", "cat")});
    for _ in 0..5 {
        server
            .post("/v3/delete_devices", Some(&token), body.clone())
            .await
            .is(401, "M_FORBIDDEN");
    }
    let before = server.house.lane.progress().chain.seq;
    let locked = server.post("/v3/delete_devices", Some(&token), body).await;
    locked.is(429, "M_LIMIT_EXCEEDED");
    server
        .post("/v3/login", None, password("mina", "dog"))
        .await
        .is(429, "M_LIMIT_EXCEEDED");
    // The lane's own canary may add an entry; the two requests added none of theirs.
    let outcomes = server.house.lane.read(|view| {
        let count = "SELECT count(*) FROM lane_outcome WHERE position > ?1";
        view.db().query_row(
            count,
            [bongsu_base::Position::end_of(before).as_i64()],
            |row| row.get::<_, i64>(0),
        )
    });
    assert!(outcomes.await.expect("is readable") <= 1);
    server.close().await;
}

#[tokio::test]
async fn a_second_device_comes_in_with_a_token_of_the_first() {
    let server = Server::with_mina().await;
    let phone = server.sign_in("PHONE").await;
    let path = "/v1/login/get_token";
    server
        .post(path, None, json!({}))
        .await
        .is(401, "M_MISSING_TOKEN");
    let asked = server.post(path, Some(&phone), json!({})).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{asked:?}");
    let stages = json!([{"stages": ["m.login.password"]}]);
    assert_eq!(asked.body["flows"], stages);
    let auth = |word: &str| {
        let mut auth = password("mina", word);
        auth["session"] = asked.body["session"].clone();
        json!({"auth": auth})
    };
    server
        .post(path, Some(&phone), auth("cat"))
        .await
        .is(401, "M_FORBIDDEN");
    let given = server.post(path, Some(&phone), auth("dog")).await;
    assert_eq!(given.status, StatusCode::OK, "{given:?}");
    assert_eq!(given.body["expires_in_ms"], 120_000);
    let body = json!({
        "type": "m.login.token", "token": given.text("login_token"), "device_id": "DESK",
        "initial_device_display_name": "Desk", "refresh_token": true,
    });
    let come = server.post("/v3/login", None, body.clone()).await;
    assert_eq!(come.status, StatusCode::OK, "{come:?}");
    assert_eq!(come.text("user_id"), "@mina:bongsu.test");
    assert_eq!(come.text("device_id"), "DESK");
    assert!(come.body["refresh_token"].is_string());
    let desk = come.text("access_token");
    assert_eq!(server.whoami(&desk).await, Ok("DESK".into()));
    assert_eq!(server.whoami(&phone).await, Ok("PHONE".into()));
    let again = server.post("/v3/login", None, body).await;
    again.is(403, "M_FORBIDDEN");
    server.close().await;
}
