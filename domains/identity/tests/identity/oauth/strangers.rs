//! What is another client's, and what was shown to another data centre already.

use super::{Extra, ISSUER, Server, basic};
use bongsu_jose::{Algorithm, Header, Jwk, JwkSet, SigningKey, make};
use http::StatusCode;
use serde_json::{Value, json};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The thief is a client like any other, with a secret of its own.
#[tokio::test]
async fn a_clients_tokens_are_nothing_to_another() {
    let server = Server::with_shop().await;
    let metadata = json!({
        "redirect_uris": ["https://thief.example/in"], "grant_types": ["authorization_code", "refresh_token"],
    });
    let secret = server.add_client("thief", metadata).await;
    let thief = basic("thief", &secret);
    let extra = Extra {
        headers: vec![("authorization", &thief)],
    };
    let tokens = server.tokens().await;
    for name in ["access_token", "refresh_token", "id_token"] {
        let token = tokens.field(name);
        let fields = [("token", &*token)];
        let told = server.form("/oauth2/introspect", &fields, &extra).await;
        assert_eq!(told.body, json!({"active": false}), "{name}");
        let ended = server.form("/oauth2/revoke", &fields, &extra).await;
        assert_eq!(ended.status, StatusCode::OK, "{name}");
    }
    let refresh = tokens.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*refresh),
    ];
    let stolen = server.form("/oauth2/token", &fields, &extra).await;
    stolen.is(400, "invalid_grant");
    let next = server.refresh(&refresh).await;
    assert_eq!(next.status, StatusCode::OK, "nothing was ended: {next:?}");
    server.close().await;
}

#[tokio::test]
async fn a_devices_code_is_nothing_to_another_client() {
    let server = Server::new().await;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    for id in ["tv", "thief"] {
        let metadata = json!({"grant_types": [grant], "token_endpoint_auth_method": "none"});
        server.add_client(id, metadata).await;
    }
    let fields = [("client_id", "tv"), ("scope", "openid")];
    let path = "/oauth2/device_authorization";
    let begun = server.form(path, &fields, &Extra::default()).await;
    let code = begun.field("device_code");
    for (id, error) in [("thief", "invalid_grant"), ("tv", "authorization_pending")] {
        let fields = [
            ("grant_type", grant),
            ("client_id", id),
            ("device_code", &*code),
        ];
        let extra = Extra::default();
        let asked = server.form("/oauth2/token", &fields, &extra);
        asked.await.is(400, error);
    }
    server.close().await;
}

#[tokio::test]
async fn a_token_of_a_clients_own_can_be_ended() {
    let server = Server::new().await;
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "orders:read"});
    let orders = basic(
        "orders",
        &server.add_client("orders", metadata.clone()).await,
    );
    let other = basic("other", &server.add_client("other", metadata).await);
    fn extra(header: &str) -> Extra<'_> {
        Extra {
            headers: vec![("authorization", header)],
        }
    }
    let own = [("grant_type", "client_credentials")];
    let own = server.form("/oauth2/token", &own, &extra(&orders)).await;
    let token = own.field("access_token");
    let fields = [("token", &*token)];
    for (who, active) in [(&other, true), (&orders, false), (&orders, false)] {
        let ended = server.form("/oauth2/revoke", &fields, &extra(who)).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended:?}");
        let asked = extra(&orders);
        let told = server.form("/oauth2/introspect", &fields, &asked).await;
        assert_eq!(told.body["active"], active, "{told:?}");
    }
    server.close().await;
}

fn key() -> SigningKey {
    let secret = make(Algorithm::Es256, |_| ()).expect("a key");
    SigningKey::open(Algorithm::Es256, "a", &secret).expect("a key")
}

/// Two clients that sign, each with a key of its own under the same name.
async fn signers() -> (Server, [SigningKey; 2]) {
    let server = Server::new().await;
    let keys = [key(), key()];
    for (id, key) in ["orders", "thief"].into_iter().zip(&keys) {
        let jwk = Jwk {
            key: key.public().clone(),
            kid: Some("a".into()),
            alg: None,
            key_use: None,
        };
        let metadata = json!({
            "grant_types": ["client_credentials"], "scope": "orders:read",
            "token_endpoint_auth_method": "private_key_jwt", "jwks": JwkSet { keys: vec![jwk] },
        });
        server.add_client(id, metadata).await;
    }
    (server, keys)
}

fn claims(server: &Server, jti: &str, who: &str) -> Value {
    let now = server.house.log.now().0 / 1000;
    json!({"iss": who, "sub": who, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60})
}

fn fields(assertion: &str) -> [(&'static str, &str); 3] {
    [
        ("grant_type", "client_credentials"),
        ("client_assertion", assertion),
        ("client_assertion_type", ASSERTION),
    ]
}

#[tokio::test]
async fn an_assertion_is_good_once_whichever_data_centre_is_shown_it() {
    let (server, [key, _]) = signers().await;
    let elsewhere = server.elsewhere(|_| ());
    let assertion = key
        .sign("JWT", &claims(&server, "1", "orders"))
        .expect("a token");
    let (fields, extra) = (fields(&assertion), Extra::default());
    let (here, there) = tokio::join!(
        server.form("/oauth2/token", &fields, &extra),
        elsewhere.form("/oauth2/token", &fields, &extra),
    );
    let good = [&here, &there].map(|answer| answer.status == StatusCode::OK);
    assert_eq!(
        good.iter().filter(|good| **good).count(),
        1,
        "{here:?} {there:?}"
    );
    let refused = if good[0] { there } else { here };
    refused.is(401, "invalid_client");
    server.close().await;
}

#[tokio::test]
async fn a_refresh_that_two_data_centres_are_asked_for_has_one_answer() {
    let server = Server::with_shop().await;
    let elsewhere = server.elsewhere(|_| ());
    let first = server.tokens().await.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", &*first),
    ];
    let extra = Extra::default();
    let (here, there) = tokio::join!(
        server.refresh(&first),
        elsewhere.form("/oauth2/token", &fields, &extra)
    );
    assert_eq!(here.status, StatusCode::OK, "{here:?}");
    assert_eq!(here.body, there.body);
    let next = server.refresh(&here.field("refresh_token")).await;
    assert_eq!(next.status, StatusCode::OK, "{next:?}");
    let replayed = elsewhere.form("/oauth2/token", &fields, &extra).await;
    replayed.is(400, "invalid_grant");
    let next = next.field("refresh_token");
    server.refresh(&next).await.is(400, "invalid_grant");
    server.close().await;
}

/// Headers that would have the key or the algorithm chosen by whoever wrote the token.
#[tokio::test]
async fn no_assertion_chooses_its_own_key() {
    let (server, [own, thiefs]) = signers().await;
    let claims = |jti: &str| claims(&server, jti, "orders");
    let encode = |json: &Value| data_encoding::BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let with_head = |head: Value, jti: &str| {
        let message = format!("{}.{}", encode(&head), encode(&claims(jti)));
        // The public key as a secret that both sides know.
        let public = serde_json::to_vec(own.public()).expect("a key");
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
        let tag = ring::hmac::sign(&secret, message.as_bytes());
        let tag = data_encoding::BASE64URL_NOPAD.encode(tag.as_ref());
        format!("{message}.{tag}")
    };
    let brings = Header {
        alg: Algorithm::Es256,
        typ: Some("JWT".into()),
        kid: Some("a".into()),
        jwk: Some(thiefs.public().clone()),
    };
    let brought = thiefs.sign_with(&brings, &claims("2"));
    let signed = |key: &SigningKey, typ: &str, jti: &str| {
        let token = key.sign(typ, &claims(jti));
        token.expect("a token")
    };
    let none = with_head(json!({"alg": "none"}), "3");
    let (none, _) = none.rsplit_once('.').expect("a token");
    let crit = json!({"alg": "ES256", "crit": ["b64"], "b64": false});
    for (what, assertion) in [
        ("another's key", signed(&thiefs, "JWT", "1")),
        ("a key that it brings", brought.expect("a token")),
        ("none", format!("{none}.")),
        (
            "a shared secret",
            with_head(json!({"alg": "HS256", "kid": "a"}), "4"),
        ),
        (
            "another algorithm",
            with_head(json!({"alg": "RS256", "kid": "a"}), "5"),
        ),
        ("an extension", with_head(crit, "6")),
        (
            "a path",
            with_head(json!({"alg": "ES256", "kid": "../a"}), "7"),
        ),
        ("a proof of a key", signed(&own, "dpop+jwt", "8")),
        ("a token of ours", signed(&own, "at+jwt", "9")),
    ] {
        let answer = server
            .form("/oauth2/token", &fields(&assertion), &Extra::default())
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{what}: {answer:?}"
        );
        assert_eq!(answer.body["error"], "invalid_client", "{what}");
    }
    let good = signed(&own, "client-authentication+jwt", "10");
    let answer = server
        .form("/oauth2/token", &fields(&good), &Extra::default())
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    server.close().await;
}
