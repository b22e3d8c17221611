//! Signing in to a client with an authorization code.

use super::browser::Browser;
use super::{Extra, ISSUER, Server, query};
use bongsu_base::Millis;
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_code_gives_tokens_that_say_who_somebody_is() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let granted = browser.grant(&server, &query(&[])).await;
    assert_eq!(granted.parameter("state").as_deref(), Some("a state"));
    assert_eq!(granted.parameter("iss").as_deref(), Some(ISSUER));
    let code = granted.parameter("code").unwrap();
    let tokens = server.redeem(&code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["expires_in"], 600);
    assert_eq!(tokens.body["scope"], "openid profile");

    let id = server.claims(&tokens.field("id_token")).await;
    assert_eq!(id["iss"], ISSUER);
    assert_eq!(id["aud"], "shop");
    assert_eq!(id["sub"], "@mina:bongsu.test");
    assert_eq!(id["nonce"], "a nonce");
    assert_eq!(id["acr"], "urn:bongsu:acr:password");
    assert!(id["auth_time"].is_i64() && id["sid"].is_string());
    assert_eq!(id["exp"].as_i64(), id["iat"].as_i64().map(|at| at + 600));

    let access = server.claims(&tokens.field("access_token")).await;
    assert_eq!(access["client_id"], "shop");
    assert_eq!(access["aud"], ISSUER);
    let bearer = format!("Bearer {}", tokens.field("access_token"));
    let extra = Extra {
        headers: vec![("authorization", &bearer)],
    };
    let info = server.get("/oauth2/userinfo", &extra).await;
    assert_eq!(
        info.body,
        json!({"sub": "@mina:bongsu.test", "preferred_username": "mina", "name": "mina"})
    );
    server.pass(Millis::seconds(600));
    let late = server.get("/oauth2/userinfo", &extra).await;
    late.is(401, "invalid_token");
    assert!(late.header("www-authenticate").starts_with("Bearer "));
    server.close().await;
}

#[tokio::test]
async fn who_is_signed_in_and_agreed_is_led_on_at_once() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let asked = browser
        .get(&server, &format!("/oauth2/authorize?{}", query(&[])))
        .await;
    let consent = browser.sign_in(&server, &asked).await;
    let granted = browser.agree(&server, &consent, true).await;
    assert!(granted.parameter("code").is_some());
    let at_once = |changes: &'static [(&'static str, &'static str)]| {
        let path = format!("/oauth2/authorize?{}", query(changes));
        let (browser, server) = (&browser, &server);
        async move { browser.get(server, &path).await }
    };
    assert!(at_once(&[]).await.parameter("code").is_some());
    assert!(
        at_once(&[("prompt", "none")])
            .await
            .parameter("code")
            .is_some()
    );
    let fragment = at_once(&[("response_mode", "fragment")]).await.location();
    assert!(fragment.fragment().unwrap().contains("code="), "{fragment}");
    assert_eq!(fragment.query(), None);
    // What was not agreed to, and what is asked for once more.
    for changes in [
        &[("scope", "openid offline_access")][..],
        &[("prompt", "consent")],
    ] {
        let page = browser
            .get(&server, &format!("/oauth2/authorize?{}", query(changes)))
            .await;
        assert!(page.text.contains("/account/consent"), "{changes:?}");
    }
    let needed = at_once(&[("scope", "openid offline_access"), ("prompt", "none")]).await;
    assert_eq!(
        needed.parameter("error").as_deref(),
        Some("consent_required")
    );
    server.close().await;
}

#[tokio::test]
async fn somebody_shows_who_they_are_once_more_where_that_is_asked() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    browser.grant(&server, &query(&[])).await;
    server.pass(Millis::minutes(10));
    let nobody = Browser::default();
    for (changes, error) in [
        (&[("prompt", "none")][..], "login_required"),
        (&[("prompt", "none"), ("max_age", "60")], "login_required"),
        (&[("prompt", "none"), ("max_age", "0")], "login_required"),
        (
            &[
                ("prompt", "none"),
                (
                    "claims",
                    r#"{"id_token":{"sub":{"value":"@juno:bongsu.test"}}}"#,
                ),
            ],
            "login_required",
        ),
    ] {
        let path = format!("/oauth2/authorize?{}", query(changes));
        let who = if changes.len() == 1 {
            &nobody
        } else {
            &browser
        };
        let answer = who.get(&server, &path).await;
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some(error),
            "{changes:?}"
        );
        assert_eq!(answer.parameter("state").as_deref(), Some("a state"));
    }
    for changes in [
        &[("prompt", "login")][..],
        &[("prompt", "select_account")],
        &[("max_age", "60")],
        &[("max_age", "0")],
    ] {
        // With 0 it counts for nothing that they signed in within the same second.
        if changes != [("max_age", "0")] {
            server.pass(Millis::minutes(10));
        }
        let path = format!("/oauth2/authorize?{}", query(changes));
        let page = browser.get(&server, &path).await;
        assert!(page.text.contains("current-password"), "{changes:?}");
        let next = browser.sign_in(&server, &page).await;
        assert!(
            next.text.contains("/account/consent"),
            "{changes:?}: {next:?}"
        );
    }
    server.close().await;
}

#[tokio::test]
async fn the_claims_that_are_asked_for_are_given() {
    let server = Server::with_shop().await;
    let claims = r#"{"userinfo":{"preferred_username":null},"id_token":{"preferred_username":{"essential":true}}}"#;
    let asked = query(&[("scope", "openid"), ("claims", claims)]);
    let code = Browser::default().code(&server, &asked).await;
    let tokens = server.redeem(&code, &[]).await;
    let id = server.claims(&tokens.field("id_token")).await;
    assert_eq!(id["preferred_username"], "mina");
    let bearer = format!("Bearer {}", tokens.field("access_token"));
    let extra = Extra {
        headers: vec![("authorization", &bearer)],
    };
    let info = server.get("/oauth2/userinfo", &extra).await;
    assert_eq!(info.body["preferred_username"], "mina");
    server.close().await;
}

#[tokio::test]
async fn a_request_can_be_pushed() {
    let server = Server::with_shop().await;
    let pushed = server.push(&[], &Extra::default()).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
    let name = pushed.field("request_uri");
    let by_name = |client: &str| {
        serde_urlencoded::to_string([("client_id", client), ("request_uri", &*name)]).unwrap()
    };
    let code = Browser::default().code(&server, &by_name("shop")).await;
    assert_eq!(server.redeem(&code, &[]).await.status, StatusCode::OK);
    server.add_client("other", super::shop()).await;
    let browser = Browser::default();
    let path = |client| format!("/oauth2/authorize?{}", by_name(client));
    let stolen = browser.get(&server, &path("other")).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert_eq!(pushed.body["expires_in"], 300);
    server.pass(Millis::minutes(5));
    let late = browser.get(&server, &path("shop")).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    let refused = server
        .form("/oauth2/par", &[("client_id", "shop")], &Extra::default())
        .await;
    refused.is(400, "invalid_request");
    server.close().await;
}

/// It can be looked at until somebody agreed: then it is used up, whichever browser or data centre comes with it.
#[tokio::test]
async fn a_pushed_request_gives_one_code() {
    let server = Server::with_shop().await;
    let push = async || {
        let pushed = server.push(&[], &Extra::default()).await;
        let name = pushed.field("request_uri");
        let query = serde_urlencoded::to_string([("client_id", "shop"), ("request_uri", &*name)]);
        format!("/oauth2/authorize?{}", query.expect("a query"))
    };
    let path = push().await;
    let browser = Browser::default();
    browser.get(&server, &path).await;
    let reloaded = browser.get(&server, &path).await;
    let first = browser.sign_in(&server, &reloaded).await;
    let second = browser.get(&server, &path).await;
    let granted = browser.agree(&server, &first, true).await;
    let code = granted.parameter("code").expect("a code");
    let used = |answer: &super::Answer| {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(answer.text.contains("used before"), "{}", answer.text);
    };
    used(&browser.agree(&server, &second, false).await);
    used(&browser.get(&server, &path).await);
    used(&Browser::default().get(&server, &path).await);
    let elsewhere = server.elsewhere(|_| ());
    used(&elsewhere.get(&path, &Extra::default()).await);
    assert_eq!(server.redeem(&code, &[]).await.status, StatusCode::OK);
    // Who agreed for good is asked nothing: two come at once, and one gets the code.
    let path = push().await;
    let (one, other) = tokio::join!(browser.get(&server, &path), browser.get(&server, &path));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400], "{one:?} {other:?}");
    server.close().await;
}

/// As in OAuth 2.1 it need not be said to where the code was sent; what is said has to be right.
#[tokio::test]
async fn a_code_is_redeemed_with_the_address_that_it_was_sent_to_or_none() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let code = browser.code(&server, &query(&[])).await;
    for wrong in ["https://shop.example/other", "https://shop.example/in/"] {
        let answer = server.redeem(&code, &[("redirect_uri", wrong)]).await;
        answer.is(400, "invalid_grant");
    }
    let tokens = server.redeem(&code, &[("redirect_uri", "")]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    server.close().await;
}

#[tokio::test]
async fn a_matrix_client_becomes_a_device() {
    let server = Server::with_shop().await;
    let scope = "urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ";
    let asked = query(&[
        ("scope", scope),
        ("response_mode", "fragment"),
        ("nonce", ""),
    ]);
    let granted = Browser::default().grant(&server, &asked).await;
    let location = granted.location();
    let pairs = url::form_urlencoded::parse(location.fragment().unwrap().as_bytes());
    let code = pairs
        .into_iter()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1;
    let tokens = server.redeem(&code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    assert_eq!(tokens.body.get("id_token"), None);
    use bongsu_web_kit::Authenticate;
    let caller = server
        .provider
        .authenticate(&tokens.field("access_token"))
        .await
        .expect("the messenger takes it");
    assert_eq!(caller.device.as_str(), "ABCDEFGHIJ");
    server.close().await;
}
