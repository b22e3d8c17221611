//! Seeing, renaming and deleting devices.

use super::{Server, password};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn devices_are_listed_and_renamed() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    server.sign_in("DESK").await;
    let now = server.house.log.now().0;
    let body = json!({"display_name": "Pocket"});
    server
        .put("/v3/devices/PHONE", Some(&token), body)
        .await
        .is_ok(json!({}));
    server
        .put("/v3/devices/PHONE", Some(&token), json!({}))
        .await
        .is_ok(json!({}));
    let device = |id: &str, name: Option<&str>| json!({"device_id": id, "user_id": "@mina:bongsu.test", "display_name": name, "last_seen_ip": "unknown", "last_seen_ts": now});
    let phone = device("PHONE", Some("Pocket"));
    let all = json!({"devices": [device("DESK", None), phone]});
    server.get("/v3/devices", Some(&token)).await.is_ok(all);
    server
        .get("/v3/devices/PHONE", Some(&token))
        .await
        .is_ok(phone);
    server
        .get("/v3/devices/NONE", Some(&token))
        .await
        .is(404, "M_NOT_FOUND");
    for body in [json!({"display_name": "x"}), json!({})] {
        server
            .put("/v3/devices/NONE", Some(&token), body)
            .await
            .is(404, "M_NOT_FOUND");
    }
    server.close().await;
}

#[tokio::test]
async fn devices_are_deleted_with_the_password() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let others = [server.sign_in("A").await, server.sign_in("B").await];
    let delete =
        |body: Option<Value>| server.call(Method::DELETE, "/v3/devices/A", Some(&token), body);
    let asked = delete(None).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        asked.body["flows"],
        json!([{"stages": ["m.login.password"]}])
    );
    let auth = |word: &str| {
        let mut auth = password("@mina:bongsu.test", word);
        auth["session"] = asked.text("session").into();
        auth
    };
    delete(Some(json!({"auth": auth("cat")})))
        .await
        .is(401, "M_FORBIDDEN");
    assert!(server.whoami(&others[0]).await.is_ok());
    delete(Some(json!({"auth": auth("dog")})))
        .await
        .is_ok(json!({}));
    assert!(server.whoami(&others[0]).await.is_err());
    let mut own = auth("dog");
    own["session"] = "another".into();
    let body = json!({"devices": ["B", "A", "PHONE"], "auth": own});
    server
        .post("/v3/delete_devices", Some(&token), body)
        .await
        .is_ok(json!({}));
    assert!(server.whoami(&others[1]).await.is_err());
    assert!(server.whoami(&token).await.is_err(), "one's own device too");
    server.close().await;
}

#[tokio::test]
async fn a_session_is_for_what_it_was_begun_for() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    for device in ["DESK", "TABLET"] {
        server.sign_in(device).await;
    }
    let delete = |device: &str, body: Value| {
        let path = format!("/v3/devices/{device}");
        let (server, token) = (&server, &token);
        async move {
            server
                .call(Method::DELETE, &path, Some(token), Some(body))
                .await
        }
    };
    let asked = delete("DESK", json!({})).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let session = asked.text("session");
    // The name beside the password, as in the first versions.
    let auth = |session: &str| {
        json!({"auth": {
            "type": "m.login.password", "user": "mina", "password": "dog", "session": session
        }})
    };
    delete("TABLET", auth(&session))
        .await
        .is(403, "M_FORBIDDEN");
    delete("DESK", auth(&session)).await.is_ok(json!({}));
    delete("TABLET", auth("made up")).await.is_ok(json!({}));
    server.close().await;
}
