//! The pages.

use super::browser::Browser;
use super::{Extra, ISSUER, REDIRECT, Server, query, shop};
use bongsu_jose::Signed;
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde_json::json;

#[tokio::test]
async fn no_page_can_be_framed_scripted_or_kept() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let first = browser
        .get(&server, &format!("/oauth2/authorize?{}", query(&[])))
        .await;
    let consent = browser.sign_in(&server, &first).await;
    let mut pages = vec![first, consent];
    for path in [
        "/oauth2/authorize",
        "/account",
        "/account/sign-up",
        "/account/device",
        "/oauth2/logout",
    ] {
        pages.push(browser.get(&server, path).await);
    }
    for page in pages {
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let form = policy.contains("form-action 'self'");
        assert!(form && !policy.contains('*'), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(!page.text.contains("<script") && !page.text.contains("style=\""));
        assert!(page.text.contains("<html lang=\"en\">"), "{}", page.text);
    }
    server.close().await;
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let page = browser.get(&server, "/account").await;
    let who = ("@Mina:bongsu.test", "dog");
    let led = browser.show(&server, &page, who).await;
    assert_eq!(led.location().path(), "/account");
    let cookie = led.header("set-cookie");
    assert!(cookie.starts_with("__Host-bongsu=bgs_"), "{cookie}");
    for part in [
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=1209600",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    server.close().await;
}

#[tokio::test]
async fn pages_speak_korean_where_that_is_read() {
    let server = Server::with_shop().await;
    let korean = Extra {
        headers: vec![("accept-language", "ko-KR,ko;q=0.9")],
    };
    for path in [
        "/account",
        "/account/sign-up",
        "/account/device",
        "/oauth2/authorize",
    ] {
        let page = server.get(path, &korean).await;
        assert!(page.text.contains("<html lang=\"ko\">"), "{path}");
    }
    let path = format!("/oauth2/authorize?{}", query(&[("ui_locales", "ko")]));
    let page = server.get(&path, &Extra::default()).await;
    assert!(page.text.contains("비밀번호"));
    server.close().await;
}

#[tokio::test]
async fn what_clients_and_people_say_is_text() {
    let server = Server::new().await;
    let mut metadata = shop();
    metadata["client_name"] = "<script>alert(1)</script>".into();
    server.add_client("shop", metadata).await;
    let hint = "\"><img src=x>";
    let path = format!("/oauth2/authorize?{}", query(&[("login_hint", hint)]));
    let page = Browser::default().get(&server, &path).await;
    assert!(
        !page.text.contains("<script") && !page.text.contains("<img"),
        "{}",
        page.text
    );
    server.close().await;
}

#[tokio::test]
async fn an_account_is_made_and_led_on() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let path = format!("/oauth2/authorize?{}", query(&[("prompt", "create")]));
    let page = browser.get(&server, &path).await;
    assert!(page.text.contains("new-password"), "{}", page.text);
    let (seal, next) = (page.hidden("seal"), page.hidden("next"));
    let make = |name: &'static str, password: &'static str| {
        let fields = [
            ("seal", seal.clone()),
            ("next", next.clone()),
            ("name", name.to_owned()),
            ("password", password.to_owned()),
        ];
        let (browser, server) = (&browser, &server);
        async move {
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            browser.form(server, "/account/sign-up", &fields).await
        }
    };
    assert_eq!(
        make("mina", "long enough").await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        make("j u n o", "long enough").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(make("juno", "short").await.status, StatusCode::BAD_REQUEST);
    let made = make("Juno", "long enough").await;
    let consent = browser.follow(&server, &made).await;
    assert!(
        consent.text.contains("@juno:bongsu.test"),
        "{}",
        consent.text
    );
    let granted = browser.agree(&server, &consent, false).await;
    assert!(granted.parameter("code").is_some());
    server.close().await;
}

#[tokio::test]
async fn ones_account_shows_all_sessions_and_ends_them() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let asked = browser
        .get(&server, &format!("/oauth2/authorize?{}", query(&[])))
        .await;
    let consent = browser.sign_in(&server, &asked).await;
    let granted = browser.agree(&server, &consent, true).await;
    let tokens = server
        .redeem(&granted.parameter("code").unwrap(), &[])
        .await;
    let page = browser.get(&server, "/account").await;
    assert_eq!(
        page.text.matches("/account/sessions/end").count(),
        2,
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("/account/apps/forget").count(), 1);
    let seal = page.hidden("seal");
    let access = server.claims(&tokens.field("access_token")).await;
    let device = access["device"].as_str().unwrap().to_owned();
    let fields = [("seal", &*seal), ("device", &*device)];
    let done = browser
        .form(&server, "/account/sessions/end", &fields)
        .await;
    assert_eq!(done.location().path(), "/account");
    let refused = server.refresh(&tokens.field("refresh_token")).await;
    refused.is(400, "invalid_grant");
    let fields = [("seal", &*seal), ("client", "shop")];
    browser.form(&server, "/account/apps/forget", &fields).await;
    let page = browser.get(&server, "/account").await;
    assert_eq!(page.text.matches("/account/apps/forget").count(), 0);
    let asked = browser
        .get(&server, &format!("/oauth2/authorize?{}", query(&[])))
        .await;
    assert!(
        asked.text.contains("/account/consent"),
        "the person is asked again"
    );
    server.close().await;
}

/// Messengers send people to one session (MSC4191).
#[tokio::test]
async fn a_messenger_leads_to_one_session_and_to_its_end() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let scope = "urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ";
    browser.code(&server, &query(&[("scope", scope)])).await;
    let code = browser.get(&server, "/account").await;
    assert!(code.text.contains("/account/sessions/end"));
    let other = Browser::default();
    let code = other.code(&server, &query(&[("scope", scope)])).await;
    server.redeem(&code, &[]).await;
    let shown = |page: &super::Answer| page.text.matches("/account/sessions/end").count();
    for (asked, count) in [
        ("action=org.matrix.devices_list", 3),
        ("action=org.matrix.device_view&device_id=ABCDEFGHIJ", 1),
        ("action=org.matrix.device_delete&device_id=ABCDEFGHIJ", 1),
        ("action=org.matrix.session_end&device_id=ABCDEFGHIJ", 1),
        ("action=org.matrix.device_view&device_id=UNKNOWN", 3),
        ("action=org.matrix.dance&device_id=ABCDEFGHIJ", 3),
        ("action=org.matrix.device_view", 3),
    ] {
        let page = browser.get(&server, &format!("/account?{asked}")).await;
        assert_eq!(shown(&page), count, "{asked}: {}", page.text);
    }
    // Whoever is not signed in is asked the same afterwards.
    let path = "/account?action=org.matrix.device_delete&device_id=ABCDEFGHIJ";
    let stranger = Browser::default();
    let page = stranger.get(&server, path).await;
    let page = stranger.sign_in(&server, &page).await;
    assert_eq!(
        (shown(&page), page.hidden("device").as_str()),
        (1, "ABCDEFGHIJ")
    );
    let (seal, device) = (page.hidden("seal"), page.hidden("device"));
    let fields = [("seal", &*seal), ("device", &*device)];
    stranger
        .form(&server, "/account/sessions/end", &fields)
        .await;
    let page = stranger.get(&server, path).await;
    assert!(!page.text.contains("ABCDEFGHIJ"));
    server.close().await;
}

#[tokio::test]
async fn an_answer_can_come_in_a_form_that_sends_itself() {
    let server = Server::with_shop().await;
    let state = "\"><script>alert(1)</script>";
    let asked = query(&[("response_mode", "form_post"), ("state", state)]);
    let page = Browser::default().grant(&server, &asked).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text
            .contains(&format!("<form method=\"post\" action=\"{REDIRECT}\">"))
    );
    assert_eq!(page.hidden("iss"), ISSUER);
    // Whatever came with the request is text here.
    assert!(
        page.text.contains("&#60;script&#62;alert(1)"),
        "{}",
        page.text
    );
    let (_, script) = page.text.split_once("<script>").expect("a script");
    let (script, rest) = script.split_once("</script>").expect("its end");
    assert!(!rest.contains("<script"));
    let hash = digest(&SHA256, script.as_bytes());
    let hash = data_encoding::BASE64.encode(hash.as_ref());
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("default-src 'none'; script-src 'sha256-{hash}';")));
    assert!(
        policy.contains("form-action 'self' https://shop.example;"),
        "{policy}"
    );
    let answer = server.redeem(&page.hidden("code"), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    server.close().await;
}

#[tokio::test]
async fn a_form_has_the_error_and_signed_answers_too() {
    let server = Server::with_shop().await;
    let get = async |mode: &str| {
        let asked = query(&[("response_mode", mode), ("prompt", "none")]);
        let path = format!("/oauth2/authorize?{asked}");
        Browser::default().get(&server, &path).await
    };
    let page = get("form_post").await;
    assert_eq!(page.hidden("error"), "login_required");
    assert_eq!(page.hidden("state"), "a state");
    let page = get("form_post.jwt").await;
    assert!(!page.text.contains("name=\"error\""));
    let token = page.hidden("response");
    assert!(Signed::parse(&token).is_ok());
    assert_eq!(server.claims(&token).await["error"], "login_required");
    server.close().await;
}

#[tokio::test]
async fn an_app_that_no_form_reaches_gets_none() {
    let server = Server::new().await;
    let mut metadata = shop();
    metadata["redirect_uris"] = json!(["com.example.shop:/in"]);
    metadata["application_type"] = json!("native");
    server.add_client("shop", metadata).await;
    let asked = query(&[
        ("response_mode", "form_post"),
        ("redirect_uri", "com.example.shop:/in"),
    ]);
    let path = format!("/oauth2/authorize?{asked}");
    let page = Browser::default().get(&server, &path).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("reached by HTTP"), "{}", page.text);
    server.close().await;
}
