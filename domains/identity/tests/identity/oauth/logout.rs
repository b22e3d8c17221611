//! Signing out.

use super::browser::Browser;
use super::{Answer, REDIRECT, Server, query, shop};
use bongsu_identity::Effect;
use http::StatusCode;
use serde_json::json;

async fn signed_in(server: &Server) -> (Browser, Answer) {
    let browser = Browser::default();
    let code = browser.code(server, &query(&[])).await;
    (browser, server.redeem(&code, &[]).await)
}

fn path(pairs: &[(&str, &str)]) -> String {
    format!("/oauth2/logout?{}", serde_urlencoded::to_string(pairs).expect("a query"))
}

const AFTER: &str = "https://shop.example/out";

#[tokio::test]
async fn a_client_leads_people_out_and_back() {
    let server = Server::with_shop().await;
    let (browser, tokens) = signed_in(&server).await;
    let hint = tokens.field("id_token");
    let out = path(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", AFTER),
        ("state", "bye"),
    ]);
    let led = browser.get(&server, &out).await;
    assert_eq!(led.location().as_str(), format!("{AFTER}?state=bye"));
    let account = browser.get(&server, "/account").await;
    assert!(account.text.contains("current-password"), "nobody is signed in");
    let refused = server.refresh(&tokens.field("refresh_token")).await;
    refused.is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn without_a_hint_of_this_browser_the_person_is_asked() {
    let server = Server::with_shop().await;
    let (browser, _) = signed_in(&server).await;
    let (_, elsewhere) = signed_in(&server).await;
    let hint = elsewhere.field("id_token");
    for pairs in [&[("client_id", "shop")][..], &[("id_token_hint", &*hint)], &[]] {
        let page = browser.get(&server, &path(pairs)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("/account/sign-out"), "{pairs:?}");
    }
    let pairs = [("client_id", "shop"), ("post_logout_redirect_uri", AFTER)];
    let page = browser.get(&server, &path(&pairs)).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    let (seal, request) = (page.hidden("seal"), page.hidden("request"));
    let fields = [("seal", &*seal), ("request", &*request)];
    let led = browser.form(&server, "/account/sign-out", &fields).await;
    assert_eq!(led.location().as_str(), AFTER);
    server.close().await;
}

#[tokio::test]
async fn nobody_is_led_to_an_address_that_is_not_the_clients() {
    let server = Server::with_shop().await;
    let (browser, tokens) = signed_in(&server).await;
    let hint = tokens.field("id_token");
    for pairs in [
        &[("id_token_hint", &*hint), ("post_logout_redirect_uri", "https://evil.example/")][..],
        &[("id_token_hint", &*hint), ("post_logout_redirect_uri", REDIRECT)],
        &[("post_logout_redirect_uri", AFTER)],
        &[("id_token_hint", &*hint), ("client_id", "other")],
        &[("id_token_hint", "e30.e30.e30")],
    ] {
        let answer = browser.get(&server, &path(pairs)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{pairs:?}");
    }
    server.close().await;
}

#[tokio::test]
async fn clients_that_want_it_are_told() {
    let server = Server::new().await;
    let mut metadata = shop();
    metadata["backchannel_logout_uri"] = json!("https://shop.example/told");
    server.add_client("shop", metadata).await;
    let (browser, tokens) = signed_in(&server).await;
    let sid = server.claims(&tokens.field("id_token")).await["sid"].clone();
    browser
        .get(&server, &path(&[("id_token_hint", &tokens.field("id_token"))]))
        .await;
    let look = |view: &bongsu_lane::ReadView<'_>| {
        let mut find = view.db().prepare("SELECT body FROM lane_effect ORDER BY id")?;
        let all = find.query_map((), |row| row.get::<_, Vec<u8>>(0))?;
        all.collect::<Result<Vec<_>, _>>()
    };
    let bodies = server.house.lane.read(look).await.expect("the view is readable");
    let effects: Vec<Effect> = bodies
        .iter()
        .map(|body| postcard::from_bytes(body).expect("an effect"))
        .collect();
    let [Effect::SignedOut { to, browser, .. }] = &effects[..] else {
        panic!("one is told: {effects:?}");
    };
    assert_eq!(to, "https://shop.example/told");
    let browser = browser.as_ref().map(|device| device.as_str());
    assert_eq!(browser, sid.as_str());
    server.close().await;
}
