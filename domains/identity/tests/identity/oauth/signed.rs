//! Answers that come as signed tokens, for clients that want them so.

use super::browser::Browser;
use super::{Extra, ISSUER, Server, basic, query, shop};
use bongsu_jose::Signed;
use http::StatusCode;
use serde_json::{Value, json};

/// The kind of a token and what it says.
async fn opened(server: &Server, token: &str) -> (String, Value) {
    let typ = Signed::parse(token).expect("a token").header().typ.clone();
    (typ.expect("a kind"), server.claims(token).await)
}

/// With a client that wants all of it signed with Ed25519.
async fn server() -> Server {
    let server = Server::new().await;
    let mut metadata = shop();
    for name in ["userinfo", "authorization", "introspection"] {
        metadata[format!("{name}_signed_response_alg")] = json!("EdDSA");
    }
    server.add_client("shop", metadata).await;
    server
}

#[tokio::test]
async fn who_somebody_is_comes_signed_where_that_was_registered() {
    let server = server().await;
    let bearer = format!("Bearer {}", server.tokens().await.field("access_token"));
    let extra = Extra {
        headers: vec![("authorization", &bearer)],
    };
    let answer = server.get("/oauth2/userinfo", &extra).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let (typ, claims) = opened(&server, &answer.text).await;
    assert_eq!(typ, "userinfo+jwt");
    assert_eq!(
        claims,
        json!({"iss": ISSUER, "aud": "shop", "sub": "@mina:bongsu.test",
            "preferred_username": "mina", "name": "mina"})
    );
    server.close().await;
}

#[tokio::test]
async fn what_goes_through_the_browser_comes_signed_where_that_is_asked() {
    let server = server().await;
    for (mode, in_fragment) in [("jwt", false), ("query.jwt", false), ("fragment.jwt", true)] {
        for (prompt, expect) in [("consent", "code"), ("none", "error")] {
            let asked = query(&[("response_mode", mode), ("prompt", prompt)]);
            let browser = Browser::default();
            let answer = if expect == "code" {
                browser.grant(&server, &asked).await
            } else {
                browser
                    .get(&server, &format!("/oauth2/authorize?{asked}"))
                    .await
            };
            let location = answer.location();
            let text = if in_fragment {
                location.fragment().expect("a fragment")
            } else {
                location.query().expect("a query")
            };
            let pairs: Vec<(String, String)> =
                serde_urlencoded::from_str(text).expect("parameters");
            let [(name, token)] = &pairs[..] else {
                panic!("the token is all there is: {pairs:?}");
            };
            assert_eq!(name, "response");
            let (typ, claims) = opened(&server, token).await;
            assert_eq!(typ, "oauth-authz-resp+jwt");
            let now = server.house.log.now().0 / 1000;
            assert_eq!(claims["iss"], ISSUER);
            assert_eq!(claims["aud"], "shop");
            assert_eq!(claims["exp"], now + 300);
            assert_eq!(claims["state"], "a state");
            assert!(claims[expect].is_string(), "{claims}");
        }
    }
    server.close().await;
}

#[tokio::test]
async fn what_a_token_is_comes_signed_where_that_is_asked() {
    let server = server().await;
    let metadata = json!({
        "grant_types": ["client_credentials"], "scope": "orders:read",
        "introspection_signed_response_alg": "ES256",
    });
    let secret = server.add_client("orders", metadata).await;
    let basic = basic("orders", &secret);
    let accept = "application/json;q=0.5, application/token-introspection+jwt";
    let extra = Extra {
        headers: vec![("authorization", &basic), ("accept", accept)],
    };
    let own = [("grant_type", "client_credentials")];
    let own = server.form("/oauth2/token", &own, &extra).await;
    for (token, active) in [
        (own.field("access_token"), true),
        ("bgr_none".into(), false),
    ] {
        let answer = server
            .form("/oauth2/introspect", &[("token", &token)], &extra)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let kind = answer.header("content-type");
        assert_eq!(kind, "application/token-introspection+jwt");
        let signed = Signed::parse(&answer.text).expect("a token");
        assert_eq!(signed.header().alg.name(), "ES256");
        let (typ, claims) = opened(&server, &answer.text).await;
        assert_eq!(typ, "token-introspection+jwt");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!(ISSUER), &json!("orders"))
        );
        assert_eq!(claims["token_introspection"]["active"], active);
        assert_eq!(claims.get("active"), None);
    }
    server.close().await;
}

/// Signed answers are no tokens that open anything.
#[tokio::test]
async fn no_signed_answer_is_taken_for_a_token() {
    let server = server().await;
    let bearer = format!("Bearer {}", server.tokens().await.field("access_token"));
    let extra = Extra {
        headers: vec![("authorization", &bearer)],
    };
    let info = server.get("/oauth2/userinfo", &extra).await.text;
    let asked = query(&[("response_mode", "jwt"), ("prompt", "none")]);
    let path = format!("/oauth2/authorize?{asked}");
    let reply = Browser::default().get(&server, &path).await;
    let reply = reply.parameter("response").expect("a token");
    for token in [info, reply] {
        let bearer = format!("Bearer {token}");
        let extra = Extra {
            headers: vec![("authorization", &bearer)],
        };
        let taken = server.get("/oauth2/userinfo", &extra).await;
        taken.is(401, "invalid_token");
        let path = format!("/oauth2/authorize?{}", query(&[("id_token_hint", &token)]));
        let hinted = Browser::default().get(&server, &path).await;
        assert_eq!(
            hinted.parameter("error").as_deref(),
            Some("invalid_request")
        );
    }
    server.close().await;
}
