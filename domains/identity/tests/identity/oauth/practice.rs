//! What clients and providers are told to guard against (RFC 9700; OpenID Connect Core 1.0, section 16), as far as it is not
//! held to elsewhere here.

use super::browser::Browser;
use super::{Extra, ISSUER, REDIRECT, Server, VERIFIER, basic, query, shop};
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Section 4.1: addresses that some reader takes for the client's.
#[tokio::test]
async fn no_address_that_resembles_the_clients_is_taken() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    for uri in [
        "http://shop.example/in",
        "https://shop.example./in",
        "https://shop.example:8443/in",
        "https://shop.example/%69n",
        "https://shop.example/in%2f..",
        "https://shop.example/in;x",
        "https://shop.example/in?",
        "https://shop.example/in ",
        " https://shop.example/in",
        "https://shop.example/in\0",
        "https://shop.example\\@evil.example/in",
        "https://shop.example\t/in",
        "https:/shop.example/in",
        "https:shop.example/in",
        "https://shop.example/in/..;/in",
        "https://shop.ex\u{430}mple/in",
        "https://evil.example/?https://shop.example/in",
        "https://evil.example#https://shop.example/in",
        "https://user:word@shop.example/in",
        "HTTPS://shop.example/in",
        "/in",
        "in",
    ] {
        let asked = query(&[("redirect_uri", uri)]);
        let path = format!("/oauth2/authorize?{asked}");
        let page = browser.get(&server, &path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{uri}");
        assert!(!page.headers.contains_key("location"), "{uri}");
        let pushed = server
            .push(&[("redirect_uri", uri)], &Extra::default())
            .await;
        pushed.is(400, "invalid_request");
    }
    server.close().await;
}

/// Section 4.11: nobody is led by us to where an attacker wants, after signing out either.
#[tokio::test]
async fn nobody_is_led_out_to_an_address_that_resembles_the_clients() {
    let server = Server::with_shop().await;
    let hint = server.tokens().await.field("id_token");
    for uri in [
        "https://shop.example/out/",
        "https://shop.example/out?x=1",
        "https://shop.example/out#x",
        "https://shop.example@evil.example/out",
        "https://SHOP.example/out",
        "https://shop.example:443/out",
        "//evil.example/out",
        "javascript:alert(1)",
    ] {
        let pairs = [("id_token_hint", &*hint), ("post_logout_redirect_uri", uri)];
        let asked = serde_urlencoded::to_string(pairs).expect("a query");
        let path = format!("/oauth2/logout?{asked}");
        let page = Browser::default().get(&server, &path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{uri}");
        assert!(!page.headers.contains_key("location"), "{uri}");
    }
    server.close().await;
}

/// What is pushed is the request itself, and neither another's name for one nor a token of it.
#[tokio::test]
async fn no_request_within_a_request_is_pushed() {
    let server = Server::with_shop().await;
    for (name, value, error) in [
        ("request", "e30.e30.", "request_not_supported"),
        (
            "request_uri",
            "https://evil.example/request",
            "invalid_request",
        ),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "invalid_request",
        ),
        ("response_mode", "web_message", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_type", "code token", "unsupported_response_type"),
    ] {
        let answer = server.push(&[(name, value)], &Extra::default()).await;
        answer.is(400, error);
    }
    server.close().await;
}

/// Section 2.5 and RFC 6749, section 2.3.1: what stands in an address is kept by whoever sees it.
#[tokio::test]
async fn credentials_in_an_address_are_not_heeded() {
    let server = Server::new().await;
    let metadata = json!({
        "grant_types": ["client_credentials"], "scope": "orders:read",
        "token_endpoint_auth_method": "client_secret_post",
    });
    let secret = server.add_client("orders", metadata).await;
    let path = format!("/oauth2/token?client_id=orders&client_secret={secret}");
    let fields = [("grant_type", "client_credentials")];
    let answer = server.form(&path, &fields, &Extra::default()).await;
    answer.is(401, "invalid_client");
    let named = [fields[0], ("client_id", "orders")];
    let answer = server.form(&path, &named, &Extra::default()).await;
    answer.is(401, "invalid_client");
    server.close().await;
}

/// Section 2.3: a token is good for what it is for.
#[tokio::test]
async fn a_token_of_a_client_itself_says_nothing_of_people() {
    let server = Server::new().await;
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "orders:read"});
    let secret = server.add_client("orders", metadata).await;
    let basic = basic("orders", &secret);
    let extra = Extra {
        headers: vec![("authorization", &basic)],
    };
    let own = [("grant_type", "client_credentials")];
    let own = server.form("/oauth2/token", &own, &extra).await;
    let answer = server.info(&own.field("access_token")).await;
    answer.is(403, "insufficient_scope");
    server.close().await;
}

/// Headers that would have us choose the key or the algorithm of whoever wrote the token (RFC 8725, section 2.1).
#[tokio::test]
async fn no_access_token_chooses_its_own_key() {
    let server = Server::with_shop().await;
    let good = server.tokens().await.field("access_token");
    let claims = server.claims(&good).await;
    let head = good.split('.').next().expect("a header");
    let head = BASE64URL_NOPAD.decode(head.as_bytes()).expect("base64url");
    let head: Value = serde_json::from_slice(&head).expect("JSON");
    let thief = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let x = BASE64URL_NOPAD.encode(thief.public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    let encode = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let signed = |changes: Value, claims: &Value| {
        let mut head = head.clone();
        for (name, value) in changes.as_object().expect("an object") {
            head[name] = value.clone();
        }
        let message = format!("{}.{}", encode(&head), encode(claims));
        let signature = thief.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    };
    let keys = server.get("/oauth2/keys.json", &Extra::default()).await;
    let shared = |secret: &[u8]| {
        let mut head = head.clone();
        head["alg"] = "HS256".into();
        let message = format!("{}.{}", encode(&head), encode(&claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = ring::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    };
    let mut all = vec![
        signed(json!({}), &claims),
        signed(json!({"jwk": jwk}), &claims),
        signed(json!({"jwk": jwk, "kid": null}), &claims),
        signed(json!({"jku": "https://evil.example/keys"}), &claims),
        signed(json!({"x5u": "https://evil.example/cert"}), &claims),
        signed(json!({"x5c": ["AAAA"]}), &claims),
        signed(json!({"kid": "/dev/null"}), &claims),
        signed(json!({"kid": "' OR 1=1 --"}), &claims),
        signed(json!({"kid": ""}), &claims),
        signed(json!({"alg": "none"}), &claims),
        signed(json!({"crit": ["exp"]}), &claims),
    ];
    for key in keys.body["keys"].as_array().expect("keys") {
        all.push(shared(key.to_string().as_bytes()));
        if let Some(x) = key["x"].as_str() {
            all.push(shared(
                &BASE64URL_NOPAD.decode(x.as_bytes()).expect("base64url"),
            ));
        }
    }
    for token in all {
        let answer = server.info(&token).await;
        answer.is(401, "invalid_token");
    }
    assert_eq!(server.info(&good).await.status, StatusCode::OK);
    server.close().await;
}

/// One that was made for somebody else's sign-in, or for another person, opens nothing.
#[tokio::test]
async fn a_hint_of_another_person_signs_nobody_in() {
    let server = Server::with_shop().await;
    let made = server.accounts.create("juno", "cat", false).await;
    made.expect("the name is free");
    let browser = Browser::default();
    let page = browser.get(&server, "/account").await;
    browser.show(&server, &page, ("juno", "cat")).await;
    let hint = server.tokens().await.field("id_token");
    let asked = query(&[("prompt", "none"), ("id_token_hint", &hint)]);
    let path = format!("/oauth2/authorize?{asked}");
    let answer = browser.get(&server, &path).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    let asked = query(&[("id_token_hint", &hint)]);
    let path = format!("/oauth2/authorize?{asked}");
    let page = browser.get(&server, &path).await;
    assert!(page.text.contains("current-password"), "{}", page.text);
    server.close().await;
}

/// Whoever sends a request does not choose the names that we go by.
#[tokio::test]
async fn a_host_that_is_said_changes_nothing() {
    let server = Server::with_shop().await;
    let evil = Extra {
        headers: vec![
            ("host", "evil.example"),
            ("forwarded", "host=evil.example;proto=http"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-original-url", "https://evil.example/"),
        ],
    };
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/_matrix/client/v1/auth_metadata",
    ] {
        let told = server.get(path, &evil).await;
        assert_eq!(told.body["issuer"], ISSUER, "{path}");
        assert!(!told.text.contains("evil"), "{path}: {}", told.text);
    }
    let path = format!("/oauth2/authorize?{}", query(&[("prompt", "none")]));
    let answer = server.get(&path, &evil).await;
    assert!(answer.location().as_str().starts_with(REDIRECT));
    assert_eq!(answer.parameter("iss").as_deref(), Some(ISSUER));
    let page = server.get("/account", &evil).await;
    assert!(!page.text.contains("evil"), "{}", page.text);
    server.close().await;
}

/// Section 4.2 and RFC 6749, section 5.1: what opens something is neither kept on the way nor told to whom the browser goes next.
#[tokio::test]
async fn nothing_that_opens_something_is_kept_on_the_way() {
    let server = Server::new().await;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let mut metadata = shop();
    metadata["grant_types"] = json!(["authorization_code", "refresh_token", device]);
    metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
    let secret = server.add_client("shop", metadata).await;
    let basic = basic("shop", &secret);
    let extra = Extra {
        headers: vec![("authorization", &basic)],
    };
    let granted = Browser::default().grant(&server, &query(&[])).await;
    assert_eq!(granted.header("cache-control"), "no-store");
    assert_eq!(granted.header("referrer-policy"), "no-referrer");
    let code = granted.parameter("code").expect("a code");
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", VERIFIER),
    ];
    let tokens = server.form("/oauth2/token", &fields, &extra).await;
    let access = tokens.field("access_token");
    let told = [("token", &*access)];
    let told = server.form("/oauth2/introspect", &told, &extra).await;
    assert_eq!(told.body["active"], true, "{told:?}");
    let refresh = tokens.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*refresh),
    ];
    let refreshed = server.form("/oauth2/token", &fields, &extra).await;
    let scope = [("scope", "openid")];
    let begun = server
        .form("/oauth2/device_authorization", &scope, &extra)
        .await;
    let pushed = server.push(&[], &extra).await;
    let who = server.info(&access).await;
    let again = server.form("/oauth2/token", &[], &extra).await;
    for answer in [tokens, told, refreshed, begun, pushed, who, again] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
    server.close().await;
}

/// Section 4.14 and RFC 8252, section 8.6: another program of the person's could take the place of one on their machine, so they see
/// each time that somebody asks.
#[tokio::test]
async fn whoever_agreed_is_asked_again_for_an_app_of_their_machine() {
    let server = Server::new().await;
    let mut metadata = shop();
    metadata["redirect_uris"] = json!(["http://127.0.0.1/in", "com.example.shop:/in"]);
    metadata["application_type"] = "native".into();
    server.add_client("shop", metadata).await;
    let browser = Browser::default();
    for uri in ["http://127.0.0.1:49152/in", "com.example.shop:/in"] {
        let asked = query(&[("redirect_uri", uri)]);
        let path = format!("/oauth2/authorize?{asked}");
        let mut page = browser.get(&server, &path).await;
        if page.text.contains("current-password") {
            page = browser.sign_in(&server, &page).await;
        }
        let granted = browser.agree(&server, &page, true).await;
        assert!(granted.parameter("code").is_some(), "{uri}: {granted:?}");
        let page = browser.get(&server, &path).await;
        assert!(page.text.contains("/account/consent"), "{uri}: {page:?}");
        let silent = query(&[("redirect_uri", uri), ("prompt", "none")]);
        let silent = browser
            .get(&server, &format!("/oauth2/authorize?{silent}"))
            .await;
        let error = silent.parameter("error");
        assert_eq!(error.as_deref(), Some("consent_required"), "{uri}");
    }
    server.close().await;
}

/// A cookie of the pages' forms is for this host alone, too, and no script reads it.
#[tokio::test]
async fn the_cookie_of_forms_is_for_this_host_alone() {
    let server = Server::new().await;
    let page = server.get("/account", &Extra::default()).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-bongsu-forms="), "{cookie}");
    for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    server.close().await;
}
