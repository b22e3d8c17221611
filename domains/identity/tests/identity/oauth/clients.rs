//! How clients register, and show that they are the ones.

use super::{Extra, ISSUER, REDIRECT, Server, basic};
use bongsu_base::Millis;
use bongsu_identity::SelfRegistration;
use bongsu_jose::{Algorithm, Jwk, JwkSet, SigningKey, make};
use http::StatusCode;
use serde_json::{Value, json};

async fn register(server: &Server, metadata: &Value) -> super::Answer {
    let request = http::Request::post("/oauth2/register").body(metadata.to_string().into());
    server.send(request.expect("a request")).await
}

#[tokio::test]
async fn a_client_registers_itself() {
    let server = Server::new().await;
    let public = json!({
        "client_name": "Messenger", "redirect_uris": ["http://127.0.0.1/in"],
        "token_endpoint_auth_method": "none", "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"], "scope": "orders:read",
    });
    let once = register(&server, &public).await;
    assert_eq!(once.status, StatusCode::CREATED, "{once:?}");
    assert_eq!(once.body.get("client_secret"), None);
    assert_eq!(
        once.body.get("scope"),
        None,
        "scopes are the operator's to give"
    );
    let again = register(&server, &public).await;
    assert_eq!(again.field("client_id"), once.field("client_id"));
    let secret = json!({"redirect_uris": [REDIRECT]});
    let (one, other) = (
        register(&server, &secret).await,
        register(&server, &secret).await,
    );
    assert_ne!(one.field("client_id"), other.field("client_id"));
    assert_eq!(one.body["client_secret_expires_at"], 0);
    for (field, holds) in [
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("subject_type", json!("public")),
    ] {
        assert_eq!(one.body[field], holds, "{field}");
    }
    for refused in [
        json!([]),
        json!({"redirect_uris": [REDIRECT], "subject_type": "pairwise"}),
    ] {
        let answer = register(&server, &refused).await;
        answer.is(400, "invalid_client_metadata");
    }
    assert!(one.field("client_secret").starts_with("bgs_"));
    let found = server
        .get("/.well-known/openid-configuration", &Extra::default())
        .await;
    assert_eq!(
        found.body["registration_endpoint"],
        format!("{ISSUER}/oauth2/register")
    );
    server.close().await;
}

#[tokio::test]
async fn nobody_registers_where_the_operator_adds_clients() {
    let server = Server::with(|config| config.registration = SelfRegistration::Closed).await;
    let answer = register(&server, &json!({"redirect_uris": [REDIRECT]})).await;
    answer.is(400, "unauthorized_client");
    let found = server
        .get("/.well-known/openid-configuration", &Extra::default())
        .await;
    assert_eq!(found.body.get("registration_endpoint"), None);
    let metadata = "/_matrix/client/v1/auth_metadata";
    let found = server.get(metadata, &Extra::default()).await;
    assert_eq!(found.body["errcode"], "M_UNRECOGNIZED", "{}", found.text);
    server.close().await;
}

fn credentials() -> Value {
    json!({"grant_types": ["client_credentials"], "scope": "orders:read orders:write"})
}

/// The same, of a client that shows its secret in the form.
fn posting() -> Value {
    let mut metadata = credentials();
    metadata["token_endpoint_auth_method"] = "client_secret_post".into();
    metadata
}

#[tokio::test]
async fn a_client_shows_its_secret_in_either_way_and_not_in_both() {
    let server = Server::new().await;
    let secret = server.add_client("orders", credentials()).await;
    let posted = server.add_client("posts", posting()).await;
    let (right, wrong) = (basic("orders", &secret), basic("orders", "bgs_wrong"));
    let other_way = basic("posts", &posted);
    let asked = ("grant_type", "client_credentials");
    let id = ("client_id", "orders");
    let post = ("client_secret", &*secret);
    let posts = [asked, ("client_id", "posts"), ("client_secret", &*posted)];
    for (header, fields, status) in [
        (Some(&right), vec![asked], 200),
        (Some(&right), vec![asked, id], 200),
        (None, posts.to_vec(), 200),
        // Each in the way that the client did not register.
        (None, vec![asked, id, post], 200),
        (Some(&other_way), vec![asked], 200),
        (Some(&wrong), vec![asked], 401),
        (None, vec![asked, id, ("client_secret", "bgs_wrong")], 401),
        (None, vec![asked, id], 401),
        (None, vec![asked], 401),
        (Some(&right), vec![asked, id, post], 400),
        (Some(&right), vec![asked, ("client_id", "other")], 400),
    ] {
        let extra = Extra {
            headers: header
                .iter()
                .map(|one| ("authorization", one.as_str()))
                .collect(),
        };
        let answer = server.form("/oauth2/token", &fields, &extra).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{header:?} {fields:?}: {answer:?}"
        );
        if status == 401 {
            answer.is(401, "invalid_client");
        }
    }
    server.close().await;
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_taken_for_a_while() {
    let server = Server::new().await;
    let old = server.add_client("orders", posting()).await;
    let body = json!({"overlap_seconds": 60});
    let made = server
        .operate("/admin/v1/clients/orders/rotate", body)
        .await;
    let new = made.field("client_secret");
    let ask = |secret: String| {
        let server = &server;
        async move {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", "orders"),
                ("client_secret", &*secret),
            ];
            let answer = server
                .form("/oauth2/token", &fields, &Extra::default())
                .await;
            answer.status.as_u16()
        }
    };
    assert_eq!((ask(old.clone()).await, ask(new.clone()).await), (200, 200));
    server.pass(Millis::seconds(60));
    assert_eq!((ask(old).await, ask(new).await), (401, 200));
    server.close().await;
}

#[tokio::test]
async fn a_client_has_its_own_scopes_for_itself_alone() {
    let server = Server::new().await;
    let secret = server.add_client("orders", posting()).await;
    for (scope, expect) in [
        ("", Some("orders:read orders:write")),
        ("orders:read", Some("orders:read")),
        ("openid", None),
        ("orders:read other", None),
        ("urn:matrix:client:api:*", None),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", "orders"),
            ("client_secret", &*secret),
            ("scope", scope),
        ];
        let answer = server
            .form("/oauth2/token", &fields, &Extra::default())
            .await;
        assert_eq!(answer.body["scope"].as_str(), expect, "{scope}: {answer:?}");
    }
    server.close().await;
}

/// A client that registers itself has no scope, and a token without one is good for nothing.
#[tokio::test]
async fn a_client_without_a_scope_gets_no_token_for_itself() {
    let server = Server::new().await;
    let made = register(&server, &posting()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let (id, secret) = (made.field("client_id"), made.field("client_secret"));
    for scope in ["", "orders:read", "openid"] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &*id),
            ("client_secret", &*secret),
            ("scope", scope),
        ];
        let answer = server
            .form("/oauth2/token", &fields, &Extra::default())
            .await;
        answer.is(400, "invalid_scope");
    }
    server.close().await;
}

/// What is read into a description would be read from a list of what it has, too.
#[tokio::test]
async fn a_list_describes_nothing() {
    let server = Server::new().await;
    let good = json!({"client_id": "orders", "metadata": credentials()});
    let listed = json!(["orders", credentials(), false, null]);
    for (path, body, status) in [
        ("/admin/v1/clients", &listed, 400),
        ("/admin/v1/clients", &good, 201),
        ("/admin/v1/clients/orders/rotate", &json!([]), 400),
        ("/admin/v1/clients/orders/rotate", &json!([60, "why"]), 400),
        ("/admin/v1/clients/orders/rotate", &json!({}), 200),
    ] {
        let answer = server.operate(path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}: {answer:?}");
    }
    server.close().await;
}

/// Another key of P-256 each time.
fn key() -> SigningKey {
    let secret = make(Algorithm::Es256, |_| ()).expect("a key");
    SigningKey::open(Algorithm::Es256, "a", &secret).expect("a key")
}

/// The client `orders`, which signs with this key.
async fn with_signer(key: &SigningKey) -> Server {
    let server = Server::new().await;
    let jwk = Jwk {
        key: key.public().clone(),
        kid: Some("a".into()),
        alg: None,
        key_use: None,
    };
    let mut metadata = credentials();
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    metadata["jwks"] = serde_json::to_value(JwkSet { keys: vec![jwk] }).expect("JSON");
    server.add_client("orders", metadata).await;
    server
}

#[tokio::test]
async fn a_client_signs_that_it_is_the_one() {
    let (key, other) = (key(), key());
    let server = with_signer(&key).await;
    let now = server.house.log.now().0 / 1000;
    let claims = |changes: Value| {
        let mut claims = json!({
            "iss": "orders", "sub": "orders", "aud": ISSUER, "jti": "1", "exp": now + 60,
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    };
    let at = |path: &str| format!("{ISSUER}{path}");
    for (key, changes, status) in [
        (&key, json!({}), 200),
        (&key, json!({}), 401),
        (&key, json!({"jti": "2", "aud": at("/oauth2/token")}), 200),
        (&key, json!({"jti": "3", "aud": [ISSUER]}), 200),
        (
            &key,
            json!({"jti": "4", "aud": [ISSUER, "https://evil.example"]}),
            401,
        ),
        (
            &key,
            json!({"jti": "5", "aud": "https://evil.example"}),
            401,
        ),
        (&key, json!({"jti": "6", "exp": now}), 401),
        (&key, json!({"jti": "7", "exp": now + 3700}), 401),
        (&key, json!({"jti": "8", "iat": now + 120}), 401),
        (&key, json!({"jti": "9", "nbf": now + 120}), 401),
        (&key, json!({"jti": "10", "iss": "shop"}), 401),
        (&key, json!({"jti": ""}), 401),
        // Times may have fractions (RFC 7519, section 2).
        (
            &key,
            json!({"jti": "12", "exp": now as f64 + 60.5, "iat": now as f64 - 0.25}),
            200,
        ),
        (&key, json!({"jti": "13", "exp": now as f64 + 0.5}), 401),
        (&key, json!({"jti": "14", "exp": 1e300}), 401),
        (&other, json!({"jti": "11"}), 401),
    ] {
        let assertion = key.sign("JWT", &claims(changes.clone())).expect("a token");
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion", &*assertion),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ];
        let answer = server
            .form("/oauth2/token", &fields, &Extra::default())
            .await;
        assert_eq!(answer.status.as_u16(), status, "{changes}: {answer:?}");
    }
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders"),
    ];
    let bare = server
        .form("/oauth2/token", &fields, &Extra::default())
        .await;
    bare.is(401, "invalid_client");
    server.close().await;
}

/// Whoever wrote the client learns what is wrong with its assertion.
#[tokio::test]
async fn an_assertion_that_is_refused_is_told_why() {
    let key = key();
    let server = with_signer(&key).await;
    let now = server.house.log.now().0 / 1000;
    let claims = |changes: &[(&str, Value)]| {
        let mut claims = json!({
            "iss": "orders", "sub": "orders", "aud": ISSUER, "jti": "1", "exp": now + 60,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        claims
    };
    let without = |name: &str| {
        let mut claims = claims(&[]);
        claims.as_object_mut().expect("an object").remove(name);
        key.sign("JWT", &claims).expect("a token")
    };
    let with = |name: &str, value: Value| {
        let claims = claims(&[(name, value)]);
        key.sign("JWT", &claims).expect("a token")
    };
    let encode = |json: &Value| data_encoding::BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let headed = |head: Value| format!("{}.{}.AAAA", encode(&head), encode(&claims(&[])));
    for (assertion, why) in [
        (without("exp"), "lacks exp"),
        (without("jti"), "lacks jti"),
        (without("aud"), "lacks aud"),
        (without("iss"), "lacks iss"),
        (without("sub"), "lacks sub"),
        (with("exp", json!("soon")), "not of its form"),
        (with("aud", json!(7)), "not of its form"),
        (with("exp", json!(now - 60)), "has expired"),
        (
            with("aud", json!("https://evil.example")),
            "another audience",
        ),
        (headed(json!({"alg": "none"})), "an algorithm that is taken"),
        (
            headed(json!({"alg": "HS256"})),
            "an algorithm that is taken",
        ),
        (headed(json!({"alg": "ES256", "crit": ["exp"]})), "crit"),
        (headed(json!({"alg": "ES256"})), "a key of the client"),
        ("orders".to_owned(), "no signed token"),
        ("a.b.c".to_owned(), "no signed token"),
    ] {
        for id in [None, Some(("client_id", "orders"))] {
            let mut fields = vec![
                ("grant_type", "client_credentials"),
                ("client_assertion", &*assertion),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
            ];
            fields.extend(id);
            let answer = server
                .form("/oauth2/token", &fields, &Extra::default())
                .await;
            answer.is(401, "invalid_client");
            let told = answer.field("error_description");
            assert!(
                told.contains("assertion") && told.contains(why),
                "{why}: {told}"
            );
        }
    }
    server.close().await;
}
