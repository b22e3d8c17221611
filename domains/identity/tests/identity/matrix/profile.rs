//! Profiles.

use super::Server;
use bongsu_web_kit::{People, Profile};
use http::Method;
use serde_json::json;

const MINA: &str = "/v3/profile/@mina:bongsu.test";

#[tokio::test]
async fn a_profile_has_a_name_a_picture_and_other_fields() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let token = Some(token.as_str());
    let begun = json!({"displayname": "mina"});
    server.get(MINA, None).await.is_ok(begun);
    let own = format!("{MINA}/displayname");
    let gone = server.call(Method::DELETE, &own, token, None).await;
    gone.is_ok(json!({}));
    server.get(MINA, None).await.is_ok(json!({}));
    for field in ["displayname", "avatar_url"] {
        server
            .get(&format!("{MINA}/{field}"), None)
            .await
            .is_ok(json!({}));
    }
    server
        .get(&format!("{MINA}/m.tz"), None)
        .await
        .is(404, "M_NOT_FOUND");
    let all = json!({
        "displayname": "Mina",
        "avatar_url": "mxc://bongsu.test/tower",
        "m.tz": "Asia/Seoul",
        "test.bongsu.likes": ["tea", {"and": 1}],
        "a-1_b.c": null,
    });
    for (field, value) in all.as_object().expect("an object") {
        let path = format!("{MINA}/{field}");
        server
            .put(&path, token, json!({field: value}))
            .await
            .is_ok(json!({}));
        server.get(&path, None).await.is_ok(json!({field: value}));
    }
    server.get(MINA, None).await.is_ok(all);
    let mina = "@mina:bongsu.test".parse().expect("a user id");
    let expect = Profile {
        displayname: Some("Mina".into()),
        avatar_url: Some("mxc://bongsu.test/tower".into()),
    };
    assert_eq!(
        server.accounts.profile(&mina).await.expect("is readable"),
        Some(expect)
    );

    for field in ["m.tz", "a-1_b.c"] {
        let path = format!("{MINA}/{field}");
        server
            .call(Method::DELETE, &path, token, None)
            .await
            .is_ok(json!({}));
        server.get(&path, None).await.is(404, "M_NOT_FOUND");
    }
    let body = json!({"displayname": null});
    server
        .put(&format!("{MINA}/displayname"), token, body)
        .await
        .is_ok(json!({}));
    let body = json!({"avatar_url": ""});
    server
        .put(&format!("{MINA}/avatar_url"), token, body)
        .await
        .is_ok(json!({}));
    let left = json!({"test.bongsu.likes": ["tea", {"and": 1}]});
    server.get(MINA, None).await.is_ok(left);
    server.close().await;
}

#[tokio::test]
async fn what_is_not_ones_own_or_not_a_field_is_refused() {
    let server = Server::with_mina().await;
    server
        .accounts
        .create("juno", "dog", false)
        .await
        .expect("the name is free");
    let token = server.sign_in("PHONE").await;
    let token = Some(token.as_str());
    let long_name = "f".repeat(256);
    let long_text = "x".repeat(70_000);
    for (path, body, status, errcode) in [
        (
            "@juno:bongsu.test/displayname",
            json!({"displayname": "J"}),
            403,
            "M_FORBIDDEN",
        ),
        (
            "@mina:bongsu.test/displayname",
            json!({}),
            400,
            "M_MISSING_PARAM",
        ),
        (
            "@mina:bongsu.test/displayname",
            json!({"displayname": 5}),
            400,
            "M_BAD_JSON",
        ),
        (
            "@mina:bongsu.test/displayname",
            json!({"displayname": long_text}),
            400,
            "M_TOO_LARGE",
        ),
        (
            "@mina:bongsu.test/a.b",
            json!({"a.b": long_text}),
            400,
            "M_PROFILE_TOO_LARGE",
        ),
        (
            &*format!("@mina:bongsu.test/{long_name}"),
            json!({long_name.clone(): 1}),
            400,
            "M_KEY_TOO_LARGE",
        ),
    ] {
        server
            .put(&format!("/v3/profile/{path}"), token, body)
            .await
            .is(status, errcode);
    }
    let path = format!("{MINA}/displayname");
    server
        .put(&path, None, json!({"displayname": "M"}))
        .await
        .is(401, "M_MISSING_TOKEN");
    for path in ["@nobody:bongsu.test", "@nobody:bongsu.test/displayname"] {
        server
            .get(&format!("/v3/profile/{path}"), None)
            .await
            .is(404, "M_NOT_FOUND");
    }
    server.close().await;
}

#[tokio::test]
async fn a_field_is_named_as_identifiers_are() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    for (name, written) in [("Upper.x", "Upper.x"), ("ü", "%C3%BC"), ("1.x", "1.x")] {
        let path = format!("{MINA}/{written}");
        for body in [json!({name: 1}), json!({})] {
            let answer = server.put(&path, Some(&token), body).await;
            answer.is(400, "M_INVALID_PARAM");
        }
    }
    server.close().await;
}
