//! Tokens that are bound to a key.

use super::browser::Browser;
use super::{Answer, Extra, ISSUER, Server, VERIFIER, basic, query};
use bongsu_jose::{Algorithm, Header, SigningKey, make};
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

fn key(n: u8) -> SigningKey {
    let secret = make(Algorithm::EdDsa, |bytes| bytes.fill(n)).expect("a key");
    SigningKey::open(Algorithm::EdDsa, "own", &secret).expect("a key")
}

fn signed(key: &SigningKey, typ: &str, claims: &Value) -> String {
    let header = Header {
        alg: Algorithm::EdDsa,
        typ: Some(typ.to_owned()),
        kid: None,
        jwk: Some(key.public().clone()),
    };
    key.sign_with(&header, claims).expect("a proof")
}

fn claims(server: &Server, jti: &str, changes: Value) -> Value {
    let mut claims = json!({
        "jti": jti, "htm": "POST", "htu": format!("{ISSUER}/oauth2/token"),
        "iat": server.house.log.now().0 / 1000,
    });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

async fn ask(server: &Server, fields: &[(&str, &str)], proof: &str) -> Answer {
    let extra = Extra {
        headers: vec![("dpop", proof)],
    };
    server.form("/oauth2/token", fields, &extra).await
}

#[tokio::test]
async fn bound_tokens_are_good_with_their_key_alone() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "shop"),
        ("redirect_uri", super::REDIRECT),
        ("code_verifier", VERIFIER),
        ("code", &*code),
    ];
    let proof = signed(&key(1), "dpop+jwt", &claims(&server, "1", json!({})));
    let tokens = ask(&server, &fields, &proof).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    assert_eq!(tokens.body["token_type"], "DPoP");
    let access = tokens.field("access_token");
    let said = server.claims(&access).await;
    let jkt = BASE64URL_NOPAD.encode(&key(1).public().thumbprint());
    assert_eq!(said["cnf"]["jkt"], jkt);

    let ath = BASE64URL_NOPAD.encode(digest(&SHA256, access.as_bytes()).as_ref());
    let info = format!("{ISSUER}/oauth2/userinfo");
    let at_info = |n: u8, jti: &str, ath: &str| {
        let changes = json!({"htm": "GET", "htu": info, "ath": ath});
        signed(&key(n), "dpop+jwt", &claims(&server, jti, changes))
    };
    for (scheme, proof, status) in [
        ("DPoP", Some(at_info(1, "2", &ath)), 200),
        ("DPoP", Some(at_info(1, "2", &ath)), 401),
        ("DPoP", Some(at_info(2, "3", &ath)), 401),
        ("DPoP", Some(at_info(1, "4", "other")), 401),
        ("DPoP", None, 401),
        ("Bearer", None, 401),
        ("Bearer", Some(at_info(1, "5", &ath)), 401),
    ] {
        let bearer = format!("{scheme} {access}");
        let mut headers = vec![("authorization", &*bearer)];
        headers.extend(proof.iter().map(|proof| ("dpop", proof.as_str())));
        let answer = server.get("/oauth2/userinfo", &Extra { headers }).await;
        assert_eq!(answer.status.as_u16(), status, "{scheme} {proof:?}");
    }
    let token = tokens.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", &*token),
    ];
    let other = signed(&key(2), "dpop+jwt", &claims(&server, "6", json!({})));
    ask(&server, &fields, &other)
        .await
        .is(400, "invalid_dpop_proof");
    server.refresh(&token).await.is(400, "invalid_dpop_proof");
    let own = signed(&key(1), "dpop+jwt", &claims(&server, "7", json!({})));
    let again = ask(&server, &fields, &own).await;
    assert_eq!(again.body["token_type"], "DPoP", "{again:?}");
    server.close().await;
}

#[tokio::test]
async fn a_proof_is_for_one_request() {
    let server = Server::with_shop().await;
    let now = server.house.log.now().0 / 1000;
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", "bgr_none"),
    ];
    for (typ, changes, good) in [
        ("dpop+jwt", json!({}), true),
        (
            "dpop+jwt",
            json!({"htu": format!("{ISSUER}/oauth2/token?x=1#y")}),
            true,
        ),
        ("dpop+jwt", json!({"iat": now - 60}), true),
        ("dpop+jwt", json!({"iat": now as f64 + 0.5}), true),
        ("dpop+jwt", json!({"iat": "now"}), false),
        ("dpop+jwt", json!({"iat": 1e300}), false),
        ("JWT", json!({}), false),
        ("dpop+jwt", json!({"htm": "GET"}), false),
        (
            "dpop+jwt",
            json!({"htu": "https://evil.example/oauth2/token"}),
            false,
        ),
        (
            "dpop+jwt",
            json!({"htu": format!("{ISSUER}/oauth2/userinfo")}),
            false,
        ),
        ("dpop+jwt", json!({"iat": now - 61}), false),
        ("dpop+jwt", json!({"iat": now + 61}), false),
        ("dpop+jwt", json!({"iat": i64::MIN}), false),
        ("dpop+jwt", json!({"jti": ""}), false),
        ("dpop+jwt", json!({"jti": null}), false),
    ] {
        let jti = format!("{typ}{changes}");
        let proof = signed(&key(1), typ, &claims(&server, &jti, changes.clone()));
        let answer = ask(&server, &fields, &proof).await;
        let expect = if good {
            "invalid_grant"
        } else {
            "invalid_dpop_proof"
        };
        answer.is(400, expect);
    }
    let bare = key(1)
        .sign("dpop+jwt", &claims(&server, "bare", json!({})))
        .expect("a token");
    ask(&server, &fields, &bare)
        .await
        .is(400, "invalid_dpop_proof");
    server.close().await;
}

/// A word of ours, in the answer to a proof that lacks it.
fn nonce(answer: &Answer) -> String {
    answer.is(400, "use_dpop_nonce");
    answer.header("dpop-nonce")
}

#[tokio::test]
async fn a_proof_repeats_a_word_of_ours_where_that_is_wanted() {
    let server = Server::with(|config| config.dpop_nonce = true).await;
    server.add_client("shop", super::shop()).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", "bgr_none"),
    ];
    let prove =
        |jti: &str, changes: Value| signed(&key(1), "dpop+jwt", &claims(&server, jti, changes));
    let bare = ask(&server, &fields, &prove("1", json!({}))).await;
    let word = nonce(&bare);
    let wrong = ask(&server, &fields, &prove("2", json!({"nonce": "wrong"}))).await;
    nonce(&wrong);
    let good = json!({"nonce": word});
    let proof = prove("3", good.clone());
    ask(&server, &fields, &proof).await.is(400, "invalid_grant");
    ask(&server, &fields, &proof)
        .await
        .is(400, "invalid_dpop_proof");
    let elsewhere = server.elsewhere(|_| ());
    let proof = prove("4", good.clone());
    let extra = Extra {
        headers: vec![("dpop", &proof)],
    };
    let there = elsewhere.form("/oauth2/token", &fields, &extra).await;
    there.is(400, "invalid_grant");
    server.pass(bongsu_base::Millis::minutes(5));
    let late = ask(&server, &fields, &prove("5", good)).await;
    nonce(&late);
    server.close().await;
}

#[tokio::test]
async fn a_resource_asks_for_the_word_too() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "shop"),
        ("redirect_uri", super::REDIRECT),
        ("code_verifier", VERIFIER),
        ("code", &*code),
    ];
    let proof = signed(&key(1), "dpop+jwt", &claims(&server, "1", json!({})));
    let access = ask(&server, &fields, &proof).await.field("access_token");
    let ath = BASE64URL_NOPAD.encode(digest(&SHA256, access.as_bytes()).as_ref());
    let changes = json!({
        "htm": "GET", "htu": format!("{ISSUER}/oauth2/userinfo"), "ath": ath, "nonce": "old",
    });
    let proof = signed(&key(1), "dpop+jwt", &claims(&server, "2", changes));
    let bound = format!("DPoP {access}");
    let headers = vec![("authorization", &*bound), ("dpop", &*proof)];
    let answer = server.get("/oauth2/userinfo", &Extra { headers }).await;
    answer.is(401, "use_dpop_nonce");
    assert!(
        answer
            .header("www-authenticate")
            .starts_with("DPoP error=\"use_dpop_nonce\"")
    );
    assert!(answer.headers.contains_key("dpop-nonce"));
    let headers = vec![
        ("authorization", &*bound),
        ("dpop", &*proof),
        ("dpop", &*proof),
    ];
    let twice = server.get("/oauth2/userinfo", &Extra { headers }).await;
    twice.is(401, "invalid_dpop_proof");
    server.close().await;
}

/// The client `shop` with a secret, and what stands in its `Authorization` header.
async fn with_secret(changes: Value) -> (Server, String) {
    let server = Server::new().await;
    let mut metadata = super::shop();
    metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
    for (name, value) in changes.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    let secret = server.add_client("shop", metadata).await;
    (server, basic("shop", &secret))
}

/// Asks for tokens as a client with a secret does, with a proof of key `n` if one is wanted.
async fn ask_as(
    (server, basic): &(Server, String),
    fields: &[(&str, &str)],
    proof: Option<(u8, &str)>,
) -> Answer {
    let proof = proof.map(|(n, jti)| signed(&key(n), "dpop+jwt", &claims(server, jti, json!({}))));
    let mut headers = vec![("authorization", &**basic)];
    headers.extend(proof.iter().map(|proof| ("dpop", &**proof)));
    server
        .form("/oauth2/token", fields, &Extra { headers })
        .await
}

/// Its refresh tokens are bound to itself, and not to a key (RFC 9449, section 5).
#[tokio::test]
async fn a_client_with_a_secret_changes_its_key() {
    let client = with_secret(json!({})).await;
    let server = &client.0;
    let code = Browser::default().code(server, &query(&[])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code_verifier", VERIFIER),
        ("code", &*code),
    ];
    let tokens = ask_as(&client, &fields, Some((1, "1"))).await;
    assert_eq!(tokens.body["token_type"], "DPoP", "{tokens:?}");
    let refresh = async |token: &str, proof| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let answer = ask_as(&client, &fields, proof).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let said = server.claims(&answer.field("access_token")).await;
        (answer, said)
    };
    let jkt = |n: u8| BASE64URL_NOPAD.encode(&key(n).public().thumbprint());
    let first = tokens.field("refresh_token");
    let (other, said) = refresh(&first, Some((2, "2"))).await;
    assert_eq!(said["cnf"]["jkt"], jkt(2));
    assert_eq!(other.body["token_type"], "DPoP");
    // The answer was lost, and the key with it.
    let (again, said_again) = refresh(&first, Some((3, "3"))).await;
    assert_eq!(said_again["cnf"]["jkt"], jkt(3));
    assert_eq!(again.body["refresh_token"], other.body["refresh_token"]);
    assert_ne!(said_again["jti"], said["jti"], "they are two tokens");
    let (bare, said) = refresh(&again.field("refresh_token"), None).await;
    assert_eq!(
        (&bare.body["token_type"], said.get("cnf")),
        (&json!("Bearer"), None)
    );
    let (_, said) = refresh(&bare.field("refresh_token"), Some((1, "4"))).await;
    assert_eq!(said["cnf"]["jkt"], jkt(1));
    client.0.close().await;
}

#[tokio::test]
async fn a_client_that_registered_it_proves_a_key_each_time() {
    let client = with_secret(json!({"dpop_bound_access_tokens": true})).await;
    let code = Browser::default().code(&client.0, &query(&[])).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code_verifier", VERIFIER),
        ("code", &*code),
    ];
    let bare = ask_as(&client, &fields, None).await;
    bare.is(400, "invalid_dpop_proof");
    let tokens = ask_as(&client, &fields, Some((1, "1"))).await;
    let token = tokens.field("refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
    let bare = ask_as(&client, &fields, None).await;
    bare.is(400, "invalid_dpop_proof");
    let other = ask_as(&client, &fields, Some((2, "2"))).await;
    assert_eq!(other.body["token_type"], "DPoP", "{other:?}");
    client.0.close().await;
}

/// A code that was asked for with the thumbprint of a key is worth nothing to whoever has another (RFC 9449, section 10).
#[tokio::test]
async fn a_code_is_bound_to_the_key_that_was_named() {
    let server = Server::with_shop().await;
    let jkt = BASE64URL_NOPAD.encode(&key(1).public().thumbprint());
    let prove = |n: u8, jti: &str, path: &str| {
        let changes = json!({"htu": format!("{ISSUER}{path}")});
        signed(&key(n), "dpop+jwt", &claims(&server, jti, changes))
    };
    let asked = query(&[("dpop_jkt", &jkt)]);
    let code = Browser::default().code(&server, &asked).await;
    server
        .redeem(&code, &[])
        .await
        .is(400, "invalid_dpop_proof");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "shop"),
        ("code_verifier", VERIFIER),
        ("code", &*code),
    ];
    let other = ask(&server, &fields, &prove(2, "1", "/oauth2/token")).await;
    other.is(400, "invalid_dpop_proof");
    let own = ask(&server, &fields, &prove(1, "2", "/oauth2/token")).await;
    assert_eq!(own.body["token_type"], "DPoP", "{own:?}");
    // A pushed request is bound by its proof, which has to be of the key that it names.
    let push = async |n: u8, jti: &str, named: &str| {
        let proof = prove(n, jti, "/oauth2/par");
        let extra = Extra {
            headers: vec![("dpop", &proof)],
        };
        server.push(&[("dpop_jkt", named)], &extra).await
    };
    push(2, "3", &jkt).await.is(400, "invalid_dpop_proof");
    let pushed = push(1, "4", "").await.field("request_uri");
    let asked = [("client_id", "shop"), ("request_uri", &*pushed)];
    let asked = serde_urlencoded::to_string(asked).expect("a query");
    let code = Browser::default().code(&server, &asked).await;
    server
        .redeem(&code, &[])
        .await
        .is(400, "invalid_dpop_proof");
    server.close().await;
}
