//! Tokens that are bound to a key.

use super::browser::Browser;
use super::{Answer, Extra, ISSUER, Server, VERIFIER, query};
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
