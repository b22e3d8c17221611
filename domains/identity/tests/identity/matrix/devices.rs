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
    let body = json!({"devices": ["B", "A", "PHONE"], "auth": auth("dog")});
    server
        .post("/v3/delete_devices", Some(&token), body)
        .await
        .is(403, "M_FORBIDDEN");
    let own = password("mina", "dog");
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
    // Neither by another path, nor from another device, nor for something else.
    let mut listed = auth(&session);
    listed["devices"] = json!(["DESK"]);
    for (path, token, body) in [
        ("/v3/delete_devices", &token, listed),
        ("/v3/account/deactivate", &token, auth(&session)),
        ("/v1/login/get_token", &token, auth(&session)),
    ] {
        server
            .post(path, Some(token), body)
            .await
            .is(403, "M_FORBIDDEN");
    }
    let other = server.sign_in("OTHER").await;
    let path = "/v3/devices/DESK";
    server
        .call(Method::DELETE, path, Some(&other), Some(auth(&session)))
        .await
        .is(403, "M_FORBIDDEN");
    let auth_there = json!({"type": "m.login.dummy", "session": session});
    let new = json!({"username": "jun", "password": "dog", "auth": auth_there});
    server
        .post("/v3/register", None, new)
        .await
        .is(403, "M_FORBIDDEN");
    delete("DESK", auth(&session)).await.is_ok(json!({}));
    delete("TABLET", auth("made up")).await.is(400, "M_UNKNOWN");
    server.close().await;
}

#[tokio::test]
async fn what_is_essential_in_the_body_stays_as_it_was() {
    let mut server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    for (path, first, second) in [
        (
            "/v3/delete_devices",
            json!({"devices": ["A", "B"]}),
            json!({"devices": ["A"]}),
        ),
        (
            "/v3/account/password",
            json!({"new_password": "cat"}),
            json!({"new_password": "bird"}),
        ),
    ] {
        let asked = server.post(path, Some(&token), first.clone()).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{asked:?}");
        let mut changed = second;
        changed["auth"] = password("mina", "dog");
        changed["auth"]["session"] = asked.text("session").into();
        let changed = server.post(path, Some(&token), changed).await;
        changed.is(403, "M_FORBIDDEN");
    }
    // In another data centre, and in another order.
    let body = json!({"devices": ["B", "A"]});
    let asked = server.post("/v3/delete_devices", Some(&token), body).await;
    let mut body = json!({"devices": ["A", "B"], "auth": password("mina", "dog")});
    body["auth"]["session"] = asked.text("session").into();
    server.elsewhere(1);
    let done = server.post("/v3/delete_devices", Some(&token), body).await;
    done.is_ok(json!({}));
    server.close().await;
}
