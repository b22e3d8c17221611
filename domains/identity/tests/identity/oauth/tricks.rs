//! Requests that say something twice, or in an odd way: parameters, headers, cookies, forms.

use super::browser::Browser;
use super::{Answer, Extra, Server, basic, query, shop};
use http::{Request, StatusCode};

async fn post(
    server: &Server,
    path: &str,
    body: impl Into<Vec<u8>>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::post(path);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (name, value) in std::iter::once(&form).chain(headers) {
        request = request.header(*name, *value);
    }
    server
        .send(request.body(body.into().into()).expect("a request"))
        .await
}

#[tokio::test]
async fn no_parameter_comes_twice() {
    let server = Server::with_shop().await;
    for (path, body) in [
        (
            "/oauth2/token",
            "grant_type=refresh_token&client_id=shop&refresh_token=a&refresh_token=b",
        ),
        (
            "/oauth2/token",
            "grant_type=refresh_token&grant_type=authorization_code&client_id=shop",
        ),
        (
            "/oauth2/token",
            "grant_type=refresh_token&client_id=shop&client_id=other",
        ),
        (
            "/oauth2/token",
            "grant_type=authorization_code&client_id=shop&code=a&code=b",
        ),
        (
            "/oauth2/par",
            "client_id=shop&redirect_uri=https://shop.example/in&redirect_uri=https://evil.example/",
        ),
        ("/oauth2/introspect", "client_id=shop&token=a&token=b"),
        ("/oauth2/revoke", "client_id=shop&token=a&token=b"),
        (
            "/oauth2/device_authorization",
            "client_id=shop&scope=openid&scope=profile",
        ),
        ("/oauth2/userinfo", "access_token=a&access_token=b"),
    ] {
        let answer = post(&server, path, body, &[]).await;
        answer.is(400, "invalid_request");
    }
    let browser = Browser::default();
    for path in [
        format!("/oauth2/authorize?{}&state=other", query(&[])),
        format!("/oauth2/authorize?{}&client_id=other", query(&[])),
        "/oauth2/logout?client_id=a&client_id=b".to_owned(),
    ] {
        let answer = browser.get(&server, &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(!answer.headers.contains_key("location"), "{path}");
    }
    server.close().await;
}

#[tokio::test]
async fn what_is_not_a_form_is_refused() {
    let server = Server::with_shop().await;
    let json = r#"{"grant_type":"refresh_token","client_id":"shop","refresh_token":"a"}"#;
    for kind in ["application/json", "text/plain", "multipart/form-data", ""] {
        let request = Request::post("/oauth2/token").header("content-type", kind);
        let request = request.body(json.into()).expect("a request");
        server.send(request).await.is(400, "invalid_request");
    }
    let strange = "grant_type=r%00%22%5C%ED%95%9C&client_id=shop";
    let answer = post(&server, "/oauth2/token", strange, &[]).await;
    answer.is(400, "unsupported_grant_type");
    let twice = "%ED%95%9C%22=1&%ED%95%9C%22=2";
    let answer = post(&server, "/oauth2/token", twice, &[]).await;
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    let told = answer.field("error_description");
    assert!(told.chars().all(plain), "{told}");
    let long = format!("client_id=shop&token={}", "a".repeat(70_000));
    let answer = post(&server, "/oauth2/revoke", long, &[]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    server.close().await;
}

#[tokio::test]
async fn a_client_shows_itself_as_the_standard_codes_it() {
    let server = Server::new().await;
    let metadata =
        serde_json::json!({"grant_types": ["client_credentials"], "scope": "orders:read"});
    let secret = server.add_client("or-ders", metadata).await;
    let percent = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02x}")).collect() };
    let right = basic("or-ders", &secret);
    let body = "grant_type=client_credentials";
    for (headers, status) in [
        (vec![right.clone()], 200),
        (vec![basic(&percent("or-ders"), &percent(&secret))], 200),
        (vec![right.replace("Basic", "bAsIc")], 200),
        (vec![basic(&percent(&percent("or-ders")), &secret)], 401),
        (vec![basic("or-ders", &format!("{secret}&x=1"))], 401),
        (vec![basic("or-ders", "")], 401),
        (vec![basic("", &secret)], 401),
        (vec![right.clone(), right.clone()], 401),
        (vec![right.replace("Basic", "Bearer")], 401),
    ] {
        let pairs: Vec<_> = headers
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let answer = post(&server, "/oauth2/token", body, &pairs).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {answer:?}");
    }
    server.close().await;
}

#[tokio::test]
async fn an_access_token_is_shown_in_one_way() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let token = server.redeem(&code, &[]).await.field("access_token");
    let (bearer, body) = (format!("Bearer {token}"), format!("access_token={token}"));
    let path = "/oauth2/userinfo";
    let header = ("authorization", bearer.as_str());
    for (body, headers, status) in [
        ("", &[header][..], 200),
        (&*body, &[], 200),
        (&*body, &[header], 400),
        ("", &[header, header], 400),
        ("", &[], 401),
        ("access_token=", &[], 401),
    ] {
        let answer = post(&server, path, body, headers).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{body} {headers:?}: {answer:?}"
        );
    }
    let query = server
        .get(&format!("{path}?{body}"), &Extra::default())
        .await;
    query.is(401, "invalid_token");
    let challenge = query.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer, DPoP ") && !challenge.contains("error"),
        "{challenge}"
    );
    server.close().await;
}

/// Browsers do not send the cookie with a form of another site, and do when they are led.
#[tokio::test]
async fn a_request_that_is_posted_is_led_on() {
    let server = Server::with_shop().await;
    let led = post(&server, "/oauth2/authorize", query(&[]), &[]).await;
    let location = led.location();
    assert_eq!(location.path(), "/oauth2/authorize");
    assert_eq!(location.query(), Some(&*query(&[])));
    for body in ["client_id=shop\r\nX: y", "client_id=shop#x", "client_id=한"] {
        let answer = post(&server, "/oauth2/authorize", body, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_cookie_by_another_name_opens_nothing() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let page = browser.get(&server, "/account").await;
    browser.sign_in(&server, &page).await;
    let value = browser.cookies.borrow()["__Host-bongsu"].clone();
    for (cookie, is_in) in [
        (format!("__Host-bongsu={value}"), true),
        (format!("a=b; __Host-bongsu={value}; c"), true),
        // Over TLS a cookie without the prefix could be a neighbour's.
        (format!("bongsu={value}"), false),
        (format!("__Host-bongsu={value}; __Host-bongsu=bgs_x"), false),
        (format!("__Host-bongsu=bgs_x; __Host-bongsu={value}"), false),
        (format!("__host-bongsu={value}"), false),
        (format!("__Host-bongsu =; __Host-bongsu={value}"), false),
        (format!("__Host-bongsu=\"{value}\""), false),
        (format!("__Secure-bongsu={value}"), false),
        (format!("__Host-bongsu-forms={value}"), false),
        ("__Host-bongsu=".to_owned(), false),
    ] {
        let extra = Extra {
            headers: vec![("cookie", &cookie)],
        };
        let page = server.get("/account", &extra).await;
        assert_eq!(
            page.text.contains("/account/sessions/end"),
            is_in,
            "{cookie}"
        );
    }
    server.close().await;
}

/// Each form of each page, without the seal, with that of another browser, and from another site.
#[tokio::test]
async fn no_form_is_taken_that_a_page_of_this_browser_did_not_give() {
    let server = Server::with_shop().await;
    let browser = Browser::default();
    let page = browser.get(&server, "/account").await;
    browser.sign_in(&server, &page).await;
    let page = browser.get(&server, "/account").await;
    let own = page.hidden("seal");
    let foreign = Browser::default()
        .get(&server, "/account")
        .await
        .hidden("seal");
    let cookies: Vec<String> = browser
        .cookies
        .borrow()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let cookies = cookies.join("; ");
    let next = format!("authorize?{}", query(&[]));
    let forms: Vec<&str> = bongsu_identity::http::oauth::routes()
        .operations()
        .iter()
        .filter(|(method, path)| method.as_str() == "POST" && path.starts_with("/account"))
        .map(|(_, path)| *path)
        .collect();
    assert_eq!(forms.len(), 7, "{forms:?}");
    for path in forms {
        for (seal, site) in [
            ("", "same-origin"),
            (&*foreign, "same-origin"),
            (&*own, "cross-site"),
        ] {
            let fields = [
                ("seal", seal),
                ("next", &*next),
                ("name", "mina"),
                ("password", "dog dog dog"),
                ("answer", "allow"),
                ("user_code", "BCDFGHJK"),
                ("client", "shop"),
            ];
            let extra = Extra {
                headers: vec![("cookie", &cookies), ("sec-fetch-site", site)],
            };
            let answer = server.form(path, &fields, &extra).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} {seal} {site}: {answer:?}"
            );
            assert!(!answer.headers.contains_key("set-cookie"), "{path}");
        }
    }
    let still = browser.get(&server, "/account").await;
    assert_eq!(still.text.matches("/account/sessions/end").count(), 1);
    server.close().await;
}

/// Other methods than those that there are, and what is asked before a request from elsewhere.
#[tokio::test]
async fn endpoints_take_the_methods_that_they_have() {
    let server = Server::new().await;
    server.add_client("shop", shop()).await;
    for (method, path, status) in [
        ("GET", "/oauth2/token", 405),
        ("HEAD", "/oauth2/token", 405),
        ("PUT", "/oauth2/token", 405),
        ("GET", "/oauth2/introspect", 405),
        ("GET", "/oauth2/revoke", 405),
        ("GET", "/oauth2/par", 405),
        ("HEAD", "/oauth2/keys.json", 200),
        ("HEAD", "/.well-known/openid-configuration", 200),
        ("POST", "/oauth2/keys.json", 405),
        ("HEAD", "/oauth2/userinfo", 401),
        ("GET", "/account/sign-in", 405),
        ("GET", "/account/consent", 405),
        ("GET", "/account/sessions/end", 405),
        ("GET", "/account/sign-out", 405),
    ] {
        let request = Request::builder().method(method).uri(path);
        let answer = server.send(request.body(Default::default()).expect("a request"));
        let answer = answer.await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        if method == "HEAD" {
            assert_eq!(answer.text, "", "{path}");
        }
    }
    server.close().await;
}

/// Nothing is put in the place of what cannot be read.
#[tokio::test]
async fn what_is_no_text_is_refused_and_not_mended() {
    let server = Server::with_shop().await;
    for (path, body, named) in [
        (
            "/oauth2/token",
            "grant_type=%ff&client_id=shop",
            "grant_type",
        ),
        (
            "/oauth2/token",
            "grant_type=refresh_token&client_id=sh%c3op",
            "client_id",
        ),
        (
            "/oauth2/token",
            "grant_type=authorization_code&client_id=shop&code=%ed%a0%80",
            "code",
        ),
        (
            "/oauth2/token",
            "grant_type=refresh_token&client_id=shop&%ff=1",
            "name",
        ),
        ("/oauth2/par", "client_id=shop&state=%ff", "state"),
        ("/oauth2/introspect", "client_id=shop&token=%ff", "token"),
        ("/oauth2/revoke", "client_id=shop&token=%ff", "token"),
        (
            "/oauth2/device_authorization",
            "client_id=shop&scope=%ff",
            "scope",
        ),
        ("/oauth2/userinfo", "access_token=%ff", "access_token"),
    ] {
        let answer = post(&server, path, body, &[]).await;
        answer.is(400, "invalid_request");
        let told = answer.field("error_description");
        assert!(
            told.contains(named) && told.contains("UTF-8"),
            "{body}: {told}"
        );
        let answer = post(&server, path, b"client_id=\xff".as_slice(), &[]).await;
        answer.is(400, "invalid_request");
    }
    server.close().await;
}

/// What comes back unchanged has characters that are seen (RFC 6749, appendix A.5).
#[tokio::test]
async fn a_state_that_would_be_changed_is_refused() {
    let server = Server::with_shop().await;
    let usual = query(&[("state", "PLACE")]);
    let browser = Browser::default();
    for state in ["%ff", "%00", "a%0d%0ab", "%7f", "%ed%95%9c", "%c0%af"] {
        let asked = usual.replace("PLACE", state);
        let path = format!("/oauth2/authorize?{asked}");
        let page = browser.get(&server, &path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{state}");
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.headers.contains_key("location"), "{state}");
        let pushed = post(&server, "/oauth2/par", asked, &[]).await;
        pushed.is(400, "invalid_request");
    }
    let all: String = (' '..='~').collect();
    let asked = query(&[("state", &all), ("prompt", "none")]);
    let path = format!("/oauth2/authorize?{asked}");
    let answer = browser.get(&server, &path).await;
    assert_eq!(answer.parameter("state"), Some(all));
    server.close().await;
}

/// Each of them says how a client could show that it is the one (RFC 9110, section 15.5.2).
#[tokio::test]
async fn nobody_is_refused_without_a_challenge() {
    let server = Server::with_shop().await;
    let metadata = serde_json::json!({"grant_types": ["client_credentials"], "scope": "a:b"});
    server.add_client("orders", metadata).await;
    let wrong = basic("orders", "bgs_wrong");
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let asserted = format!("client_assertion=a.b.c&client_assertion_type={kind}");
    for path in [
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/revoke",
        "/oauth2/par",
        "/oauth2/device_authorization",
    ] {
        for (body, header) in [
            ("", None),
            ("client_id=nobody", None),
            ("client_id=orders", None),
            ("client_id=orders&client_secret=bgs_wrong", None),
            (&*asserted, None),
            ("", Some(&*wrong)),
            ("", Some("Bearer x")),
            ("", Some("Basic %")),
        ] {
            let headers: Vec<_> = header
                .map(|one| ("authorization", one))
                .into_iter()
                .collect();
            let answer = post(&server, path, body, &headers).await;
            answer.is(401, "invalid_client");
            let challenge = answer.header("www-authenticate");
            assert!(
                challenge.starts_with("Basic realm="),
                "{path} {body}: {challenge}"
            );
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    let public = post(&server, "/oauth2/introspect", "client_id=shop&token=a", &[]).await;
    public.is(401, "invalid_client");
    assert!(public.header("www-authenticate").starts_with("Basic "));
    server.close().await;
}

/// People see a page, whatever their browser sends.
#[tokio::test]
async fn a_form_of_a_page_that_is_none_is_answered_with_a_page() {
    let server = Server::with_shop().await;
    let routes = bongsu_identity::http::oauth::routes();
    let forms = routes.operations().iter();
    let forms =
        forms.filter(|(method, path)| method.as_str() == "POST" && path.starts_with("/account"));
    let mut paths: Vec<&str> = forms.map(|(_, path)| *path).collect();
    paths.extend(["/oauth2/authorize", "/oauth2/logout"]);
    for path in paths {
        for body in [b"name=\xff".as_slice(), b"name=%ff", b"seal=a&seal=b"] {
            // A request that is led on is refused where it leads.
            let led = path == "/oauth2/authorize" && body.is_ascii();
            let page = post(&server, path, body, &[("accept-language", "ko")]).await;
            let expect = if led {
                StatusCode::SEE_OTHER
            } else {
                StatusCode::BAD_REQUEST
            };
            assert_eq!(page.status, expect, "{path}: {page:?}");
            if !led {
                assert!(page.text.contains("<html lang=\"ko\">"), "{path}: {page:?}");
                assert!(
                    page.header("content-security-policy")
                        .contains("frame-ancestors 'none'")
                );
            }
        }
    }
    server.close().await;
}
