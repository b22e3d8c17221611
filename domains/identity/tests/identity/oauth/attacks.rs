//! What must not work.

use super::browser::Browser;
use super::{Extra, REDIRECT, Server, VERIFIER, challenge, query, shop};
use bongsu_base::Millis;
use http::StatusCode;
use serde_json::json;

/// Requests that are answered on a page of ours, since it is not known whose the address is.
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    for (name, value) in [
        ("redirect_uri", "https://evil.example/in"),
        ("redirect_uri", "https://shop.example/in/"),
        ("redirect_uri", "https://shop.example/in?x=1"),
        ("redirect_uri", "https://shop.example/in#x"),
        ("redirect_uri", "https://shop.example:443/in"),
        ("redirect_uri", "https://shop.example@evil.example/in"),
        ("redirect_uri", "https://shop.example%2f@evil.example/in"),
        ("redirect_uri", "https://shop.example/in/../evil"),
        ("redirect_uri", "https://SHOP.EXAMPLE/in"),
        ("redirect_uri", "https://shop.example/in\r\nX: y"),
        ("redirect_uri", "//shop.example/in"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
        ("client_id", "sh/op"),
        ("client_id", ""),
        ("response_mode", "web_message"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:AAAA"),
    ] {
        let path = format!("/oauth2/authorize?{}", query(&[(name, value)]));
        let answer = browser.get(&server, &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}={value}");
        assert!(!answer.headers.contains_key("location"), "{name}={value}");
    }
    let twice = format!(
        "/oauth2/authorize?{}&redirect_uri=https://evil.example/",
        query(&[])
    );
    assert_eq!(
        browser.get(&server, &twice).await.status,
        StatusCode::BAD_REQUEST
    );
    server.close().await;
}

/// Requests that are refused to the client itself.
#[tokio::test]
async fn a_request_without_a_hashed_verifier_is_refused() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let plain = challenge(VERIFIER);
    for (changes, error) in [
        (&[("code_challenge", "")][..], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge", &plain[1..])], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (
            &[("response_type", "code id_token")],
            "unsupported_response_type",
        ),
        (&[("response_type", "")], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "orders:read")], "invalid_scope"),
        (&[("scope", "open\u{7f}id")], "invalid_scope"),
        (&[("request", "e30.e30.")], "request_not_supported"),
        (
            &[("request_uri", "https://evil.example/request")],
            "request_uri_not_supported",
        ),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "dance")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("claims", "{")], "invalid_request"),
        (&[("id_token_hint", "e30.e30.e30")], "invalid_request"),
        (
            &[(
                "claims",
                r#"{"id_token":{"acr":{"essential":true,"value":"gold"}}}"#,
            )],
            "unmet_authentication_requirements",
        ),
    ] {
        let path = format!("/oauth2/authorize?{}", query(changes));
        let answer = browser.get(&server, &path).await;
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some(error),
            "{changes:?}"
        );
        assert_eq!(answer.parameter("state").as_deref(), Some("a state"));
        assert_eq!(answer.parameter("iss").as_deref(), Some(super::ISSUER));
        assert!(answer.location().as_str().starts_with(REDIRECT));
        assert_eq!(answer.parameter("code"), None);
    }
    server.close().await;
}

/// A code that was stolen, or is put into another's session.
#[tokio::test]
async fn a_code_is_worth_nothing_to_others() {
    let server = Server::with_shop().await;
    server.add_client("thief", shop()).await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let other = "another-verifier-of-more-than-forty-three-chars";
    for (changes, error) in [
        (&[("client_id", "thief")][..], "invalid_grant"),
        (&[("code_verifier", other)], "invalid_grant"),
        (&[("code_verifier", "")], "invalid_request"),
        (&[("code_verifier", "short")], "invalid_request"),
        (
            &[("redirect_uri", "https://shop.example/other")],
            "invalid_grant",
        ),
        (&[("code", "bgs_unknown")], "invalid_grant"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "implicit")], "unsupported_grant_type"),
        (
            &[("grant_type", "client_credentials")],
            "unauthorized_client",
        ),
        (&[("grant_type", "")], "invalid_request"),
    ] {
        server.redeem(&code, changes).await.is(400, error);
    }
    let nobody = server.redeem(&code, &[("client_id", "nobody")]).await;
    nobody.is(401, "invalid_client");
    let tokens = server.redeem(&code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    server.redeem(&code, &[]).await.is(400, "invalid_grant");
    server
        .refresh(&tokens.field("refresh_token"))
        .await
        .is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn a_code_runs_out() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    server.pass(Millis::seconds(60));
    server.redeem(&code, &[]).await.is(400, "invalid_grant");
    server.close().await;
}

/// One client's refresh token with another, and texts that are none.
#[tokio::test]
async fn a_refresh_token_is_worth_nothing_to_others() {
    let server = Server::with_shop().await;
    server.add_client("thief", shop()).await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let tokens = server.redeem(&code, &[]).await;
    let token = tokens.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "thief"),
        ("refresh_token", &*token),
    ];
    let stolen = server
        .form("/oauth2/token", &fields, &Extra::default())
        .await;
    stolen.is(400, "invalid_grant");
    for wrong in [
        "",
        "bgr_",
        "bgr_AAAA",
        &tokens.field("access_token"),
        &token[..70],
    ] {
        let answer = server.refresh(wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(
        server.refresh(&token).await.status,
        StatusCode::OK,
        "it is as good as before"
    );
    server.close().await;
}

/// Tokens of one kind where another is wanted.
#[tokio::test]
async fn no_token_is_taken_for_another() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let tokens = server.redeem(&code, &[]).await;
    let access = tokens.field("access_token");
    let (head, rest) = access.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let with = |header: &str| {
        let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
        format!("{header}.{claims}.{signature}")
    };
    let kid = server.claims(&access).await;
    assert!(kid.is_object());
    for wrong in [
        tokens.field("id_token"),
        tokens.field("refresh_token"),
        format!("{head}.{claims}."),
        with(r#"{"alg":"none","typ":"at+jwt"}"#),
        with(r#"{"alg":"HS256","typ":"at+jwt","kid":"x"}"#),
        with(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../../x"}"#),
        with(r#"{"alg":"EdDSA","typ":"at+jwt"}"#),
        "e30.e30.e30".to_owned(),
        String::new(),
    ] {
        let bearer = format!("Bearer {wrong}");
        let extra = Extra {
            headers: vec![("authorization", &bearer)],
        };
        let answer = server.get("/oauth2/userinfo", &extra).await;
        answer.is(401, "invalid_token");
    }
    server.close().await;
}

/// A form that another site sends, or that was made for another browser.
#[tokio::test]
async fn forms_from_elsewhere_do_nothing() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let path = format!("/oauth2/authorize?{}", query(&[]));
    let page = browser.get(&server, &path).await;
    let (seal, next) = (page.hidden("seal"), page.hidden("next"));
    let fields = [
        ("seal", &*seal),
        ("next", &*next),
        ("name", "mina"),
        ("password", "dog"),
    ];
    let other = Browser::default();
    other.get(&server, &path).await;
    let foreign = other.form(&server, "/account/sign-in", &fields).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let cookies = browser.cookies.borrow().clone();
    let cookie = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let cookie = cookie.collect::<Vec<_>>().join("; ");
    for site in ["cross-site", "same-site", "none"] {
        let extra = Extra {
            headers: vec![("cookie", &cookie), ("sec-fetch-site", site)],
        };
        let answer = server.form("/account/sign-in", &fields, &extra).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{site}");
    }
    let consent = browser.sign_in(&server, &page).await;
    let next = consent.hidden("next");
    for seal in ["", "AAAA"] {
        let fields = [("seal", seal), ("next", &*next), ("answer", "allow")];
        let answer = browser.form(&server, "/account/consent", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    for path in [
        "/account/sessions/end",
        "/account/apps/forget",
        "/account/sign-out",
    ] {
        let answer = browser.form(&server, path, &[("seal", "x")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    server.close().await;
}

/// That somebody has just signed in is worth nothing with another request or another browser.
#[tokio::test]
async fn a_fresh_sign_in_is_for_one_request() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let path = |changes: &[(&str, &str)]| format!("/oauth2/authorize?{}", query(changes));
    let page = browser.get(&server, &path(&[("prompt", "login")])).await;
    let led = browser.show(&server, &page, ("mina", "dog")).await;
    let fresh = led.parameter("fresh").expect("it is sealed");
    let same = path(&[("prompt", "login"), ("fresh", &fresh)]);
    let asks = |text: &str| text.contains("current-password");
    assert!(!asks(&browser.get(&server, &same).await.text));
    let another = path(&[("prompt", "login"), ("state", "other"), ("fresh", &fresh)]);
    assert!(asks(&browser.get(&server, &another).await.text));
    assert!(asks(&Browser::default().get(&server, &same).await.text));
    server.pass(Millis::minutes(5));
    assert!(asks(&browser.get(&server, &same).await.text));
    server.close().await;
}

/// A cookie that was there before somebody signed in opens nothing afterwards.
#[tokio::test]
async fn signing_in_gives_another_cookie() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let name = "__Host-bongsu".to_owned();
    let planted = "bgs_planted".to_owned();
    browser
        .cookies
        .borrow_mut()
        .insert(name.clone(), planted.clone());
    let path = format!("/oauth2/authorize?{}", query(&[]));
    let page = browser.get(&server, &path).await;
    browser.sign_in(&server, &page).await;
    let first = browser.cookies.borrow()[&name].clone();
    assert_ne!(first, planted);
    let page = browser.get(&server, &format!("{path}&prompt=login")).await;
    browser.sign_in(&server, &page).await;
    let old = Browser::default();
    old.cookies.borrow_mut().insert(name, first);
    let answer = old.get(&server, "/account").await;
    assert!(
        answer.text.contains("current-password"),
        "the one before has ended"
    );
    server.close().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_on_the_pages_too() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let page = browser.get(&server, "/account").await;
    let (seal, next) = (page.hidden("seal"), page.hidden("next"));
    let try_with = |password: &'static str, name: &'static str| {
        let fields = [
            ("seal", seal.clone()),
            ("next", next.clone()),
            ("name", name.to_owned()),
            ("password", password.to_owned()),
        ];
        let (browser, server) = (&browser, &server);
        async move {
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            browser.form(server, "/account/sign-in", &fields).await
        }
    };
    for name in ["mina", "nobody"] {
        for _ in 0..5 {
            assert_eq!(try_with("cat", name).await.status, StatusCode::FORBIDDEN);
        }
        let locked = try_with("dog", name).await;
        assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS, "{name}");
        assert_eq!(locked.header("retry-after"), "30", "{name}");
    }
    server.close().await;
}

#[tokio::test]
async fn clients_that_register_themselves_cannot_have_what_is_not_theirs() {
    let server = Server::new().await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (
            json!({"redirect_uris": ["http://shop.example/"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": ["https://a.example/#x"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "grant_types": ["implicit"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "jwks_uri": "https://evil.example/"}),
            "invalid_client_metadata",
        ),
        (json!("text"), "invalid_client_metadata"),
    ] {
        let request = http::Request::post("/oauth2/register");
        let request = request.body(metadata.to_string().into()).unwrap();
        server.send(request).await.is(400, error);
    }
    server.close().await;
}
