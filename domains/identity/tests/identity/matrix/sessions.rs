//! Keeping and ending sessions.

use super::bad_input::commands;
use super::{Answer, Server, password};
use bongsu_base::{Millis, RecordId};
use bongsu_identity::{Command, Refresh, TokenHash};
use bongsu_lane::{Actor, Priority};
use data_encoding::HEXLOWER;
use http::StatusCode;
use serde_json::json;

async fn refresh(server: &Server, token: &str) -> Answer {
    server
        .post("/v3/refresh", None, json!({"refresh_token": token}))
        .await
}

#[tokio::test]
async fn refreshing_replaces_both_tokens() {
    let server = Server::with_mina().await;
    let mut body = password("mina", "dog");
    body["refresh_token"] = true.into();
    let begun = server.post("/v3/login", None, body).await;
    assert_eq!(begun.body["expires_in_ms"], 3_600_000);
    let (access, first) = (begun.text("access_token"), begun.text("refresh_token"));
    server.pass(Millis::hours(1));
    let expired = server.get("/v3/account/whoami", Some(&access)).await;
    expired.is(401, "M_UNKNOWN_TOKEN");
    assert_eq!(expired.body["soft_logout"], true);

    let lost = refresh(&server, &first).await;
    assert_eq!(lost.status, StatusCode::OK, "{lost:?}");
    let kept = refresh(&server, &first).await;
    assert_eq!(kept.body["expires_in_ms"], 3_600_000);
    assert!(server.whoami(&kept.text("access_token")).await.is_ok());
    assert!(server.whoami(&lost.text("access_token")).await.is_err());

    let next = refresh(&server, &kept.text("refresh_token")).await;
    assert!(server.whoami(&next.text("access_token")).await.is_ok());
    let stolen = refresh(&server, &first).await;
    stolen.is(401, "M_UNKNOWN_TOKEN");
    assert_eq!(stolen.body.get("soft_logout"), None);
    assert!(
        server.whoami(&next.text("access_token")).await.is_ok(),
        "the session goes on"
    );
    refresh(&server, "bgs_unknown")
        .await
        .is(401, "M_UNKNOWN_TOKEN");
    server.close().await;
}

#[tokio::test]
async fn the_old_refresh_token_is_good_until_the_new_access_token_is_used() {
    let server = Server::with_mina().await;
    let first = begin(&server).await;
    let lost = refresh(&server, &first).await;
    assert_eq!(lost.status, StatusCode::OK);
    let kept = refresh(&server, &first).await;
    let access = kept.text("access_token");
    let before = commands(&server).await;
    assert!(server.whoami(&access).await.is_ok());
    assert_eq!(commands(&server).await, before + 1, "the first use is told");
    assert!(server.whoami(&access).await.is_ok());
    assert_eq!(commands(&server).await, before + 1, "no later one is");
    for old in [&first, &lost.text("refresh_token")] {
        let refused = refresh(&server, old).await;
        refused.is(401, "M_UNKNOWN_TOKEN");
        assert_eq!(refused.body.get("soft_logout"), None);
    }
    assert!(server.whoami(&access).await.is_ok(), "the session goes on");
    let next = refresh(&server, &kept.text("refresh_token")).await;
    assert!(server.whoami(&next.text("access_token")).await.is_ok());
    server.close().await;
}

/// A session of mina's; gives its refresh token.
async fn begin(server: &Server) -> String {
    let mut body = password("mina", "dog");
    body["refresh_token"] = true.into();
    let begun = server.post("/v3/login", None, body).await;
    begun.text("refresh_token")
}

/// The refresh token `first` is presented for the first time, in another data centre.
async fn present_elsewhere(server: &Server, first: &str) -> bool {
    let presented = TokenHash::of(first);
    let name = HEXLOWER.encode(presented.as_bytes());
    let command = Command::Refresh(Refresh {
        presented,
        access: TokenHash::of("other"),
        access_lifetime: Millis::hours(1),
        refresh: TokenHash::of("another"),
        address: "192.0.2.0/24".to_owned(),
    });
    let lane = &server.house.lane;
    let mut request = lane.request(Actor::Nobody, Priority::Vital, command);
    request.id = RecordId::named(&["refresh", &name], "0");
    lane.submit(request).await.expect("it is applied").repeated
}

#[tokio::test]
async fn a_request_that_comes_late_is_the_one_that_was_answered() {
    let server = Server::with_mina().await;
    let first = begin(&server).await;
    let next = refresh(&server, &first).await;
    let newest = refresh(&server, &next.text("refresh_token")).await;
    // A data centre that was cut off took the first request too, and brings it to the log only now.
    assert!(present_elsewhere(&server, &first).await);
    assert!(server.whoami(&newest.text("access_token")).await.is_ok());
    let again = refresh(&server, &newest.text("refresh_token")).await;
    assert_eq!(again.status, StatusCode::OK);
    server.close().await;
}

#[tokio::test]
async fn the_answer_has_tokens_that_are_good_when_another_request_was_first() {
    let server = Server::with_mina().await;
    let first = begin(&server).await;
    assert!(!present_elsewhere(&server, &first).await);
    let answer = refresh(&server, &first).await;
    assert!(server.whoami(&answer.text("access_token")).await.is_ok());
    let next = refresh(&server, &answer.text("refresh_token")).await;
    assert!(server.whoami(&next.text("access_token")).await.is_ok());
    server.close().await;
}

#[tokio::test]
async fn logging_out_ends_one_session_or_all() {
    let server = Server::with_mina().await;
    let mut tokens = Vec::new();
    for device in ["A", "B", "C"] {
        tokens.push(server.sign_in(device).await);
    }
    server
        .post("/v3/logout", Some(&tokens[0]), json!({}))
        .await
        .is_ok(json!({}));
    let again = server.post("/v3/logout", Some(&tokens[0]), json!({})).await;
    again.is(401, "M_UNKNOWN_TOKEN");
    assert!(server.whoami(&tokens[1]).await.is_ok());
    server
        .post("/v3/logout/all", Some(&tokens[1]), json!({}))
        .await
        .is_ok(json!({}));
    for token in &tokens {
        assert_eq!(server.whoami(token).await, Err("M_UNKNOWN_TOKEN".into()));
    }
    server
        .post("/v3/logout", None, json!({}))
        .await
        .is(401, "M_MISSING_TOKEN");
    server.close().await;
}
