//! Letting in a device that has no browser.

use super::browser::Browser;
use super::{Answer, Extra, ISSUER, Server};
use bongsu_base::Millis;
use http::StatusCode;
use serde_json::json;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(server: &Server) -> Answer {
    let fields = [("client_id", "tv"), ("scope", "openid")];
    let begun = server
        .form("/oauth2/device_authorization", &fields, &Extra::default())
        .await;
    assert_eq!(begun.status, StatusCode::OK, "{begun:?}");
    begun
}

async fn poll(server: &Server, begun: &Answer) -> Answer {
    let code = begun.field("device_code");
    let fields = [
        ("grant_type", GRANT),
        ("client_id", "tv"),
        ("device_code", &*code),
    ];
    server
        .form("/oauth2/token", &fields, &Extra::default())
        .await
}

async fn server() -> Server {
    let server = Server::new().await;
    let tv = json!({
        "client_name": "TV", "grant_types": [GRANT, "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    server.add_client("tv", tv).await;
    server
}

async fn decide(server: &Server, begun: &Answer, answer: &str) -> Answer {
    let browser = Browser::default();
    let there = begun.field("verification_uri_complete");
    let path = there.strip_prefix(ISSUER).expect("ours");
    let page = browser.get(server, path).await;
    let asked = browser.sign_in(server, &page).await;
    assert!(asked.text.contains("TV"), "{asked:?}");
    let (seal, code) = (
        asked.hidden("seal"),
        begun.field("user_code").to_lowercase(),
    );
    let fields = [("seal", &*seal), ("user_code", &*code), ("answer", answer)];
    browser.form(server, "/account/device", &fields).await
}

#[tokio::test]
async fn a_device_is_let_in_by_somebody_with_a_browser() {
    let server = server().await;
    let begun = begin(&server).await;
    assert_eq!(begun.body["interval"], 5);
    assert_eq!(begun.body["expires_in"], 900);
    // The first question is never too soon: the interval lies between two.
    poll(&server, &begun).await.is(400, "authorization_pending");
    poll(&server, &begun).await.is(400, "slow_down");
    server.pass(Millis::seconds(10));
    poll(&server, &begun).await.is(400, "authorization_pending");
    let done = decide(&server, &begun, "allow").await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let tokens = poll(&server, &begun).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    let id = server.claims(&tokens.field("id_token")).await;
    assert_eq!(id["sub"], "@mina:bongsu.test");
    assert!(tokens.body["refresh_token"].is_string());
    poll(&server, &begun).await.is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn a_device_is_turned_away_or_late() {
    let server = server().await;
    let begun = begin(&server).await;
    decide(&server, &begun, "deny").await;
    poll(&server, &begun).await.is(400, "access_denied");
    let begun = begin(&server).await;
    server.pass(Millis::minutes(15));
    poll(&server, &begun).await.is(400, "expired_token");
    server.close().await;
}

#[tokio::test]
async fn who_types_codes_at_random_is_stopped() {
    let server = server().await;
    let browser = Browser::default();
    let page = browser.get(&server, "/account/device").await;
    browser.sign_in(&server, &page).await;
    for _ in 0..20 {
        let page = browser
            .get(&server, "/account/device?user_code=BBBB-BBBB")
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    let begun = begin(&server).await;
    let path = format!("/account/device?user_code={}", begun.field("user_code"));
    let page = browser.get(&server, &path).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    server.close().await;
}
