//! Keeping and ending sessions.

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
        server.whoami(&next.text("access_token")).await.is_err(),
        "the session ended"
    );
    refresh(&server, "bgs_unknown")
        .await
        .is(401, "M_UNKNOWN_TOKEN");
    server.close().await;
}

#[tokio::test]
async fn a_request_that_comes_late_is_the_one_that_was_answered() {
    let server = Server::with_mina().await;
    let mut body = password("mina", "dog");
    body["refresh_token"] = true.into();
    let begun = server.post("/v3/login", None, body).await;
    let first = begun.text("refresh_token");
    let next = refresh(&server, &first).await;
    let newest = refresh(&server, &next.text("refresh_token")).await;
    // A data centre that was cut off took the first request too, and brings it to the log only now.
    let presented = TokenHash::of(&first);
    let name = HEXLOWER.encode(presented.as_bytes());
    let command = Command::Refresh(Refresh {
        presented,
        access: TokenHash::of("late"),
        access_lifetime: Millis::hours(1),
        refresh: TokenHash::of("later"),
        address: "192.0.2.0/24".to_owned(),
    });
    let lane = &server.house.lane;
    let mut late = lane.request(Actor::Nobody, Priority::Vital, command);
    late.id = RecordId::named(&["refresh", &name], "0");
    assert!(lane.submit(late).await.expect("it is applied").repeated);
    assert!(server.whoami(&newest.text("access_token")).await.is_ok());
    assert_eq!(
        refresh(&server, &newest.text("refresh_token")).await.status,
        StatusCode::OK
    );
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
