//! Tokens of every algorithm, and those that are refused.

use bongsu_jose::{Algorithm, Header, JoseError, Signed, SigningKey, VerifyingKey, make};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

fn random(bytes: &mut [u8]) {
    use ring::rand::{SecureRandom, SystemRandom};
    SystemRandom::new().fill(bytes).expect("random bytes");
}

fn key(algorithm: Algorithm) -> SigningKey {
    let secret = make(algorithm, random).expect("a key");
    SigningKey::open(algorithm, "first", &secret).expect("a key")
}

fn verify(token: &str, key: &SigningKey) -> Result<Value, JoseError> {
    let key = VerifyingKey::new(key.public()).expect("a key");
    Signed::parse(token)?.verify(&key)?.claims()
}

/// The token with its part number `part` replaced.
fn with(token: &str, part: usize, value: &str) -> String {
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[part] = value;
    parts.join(".")
}

#[test]
fn a_token_is_good_with_its_own_key_alone() {
    for algorithm in Algorithm::ALL {
        let (own, other) = (key(algorithm), key(algorithm));
        let claims = json!({"sub": "mina", "한글": "봉수"});
        let token = own.sign("at+jwt", &claims).unwrap();
        assert_eq!(verify(&token, &own), Ok(claims), "{algorithm}");
        assert_eq!(verify(&token, &other), Err(JoseError::Signature));
        let header = Signed::parse(&token).unwrap().header().clone();
        assert_eq!(header.alg, algorithm);
        assert_eq!(header.kid.as_deref(), Some("first"));
        let forged = BASE64URL_NOPAD.encode(br#"{"sub":"juno"}"#);
        assert_eq!(
            verify(&with(&token, 1, &forged), &own),
            Err(JoseError::Signature)
        );
        let same = own.sign("at+jwt", &json!({"sub": "mina", "한글": "봉수"}));
        assert_eq!(
            same.unwrap() == token,
            algorithm != Algorithm::Es256,
            "Ed25519 and RSA sign the same twice"
        );
    }
}

#[test]
fn a_token_does_not_choose_its_algorithm() {
    let own = key(Algorithm::EdDsa);
    let token = own.sign("JWT", &json!({})).unwrap();
    for (header, expect) in [
        (r#"{"alg":"none"}"#, JoseError::Algorithm),
        (r#"{"alg":"HS256"}"#, JoseError::Algorithm),
        (r#"{"alg":"eddsa"}"#, JoseError::Algorithm),
        (r#"{"alg":"RS256"}"#, JoseError::Algorithm),
        (r#"{"alg":"ES256"}"#, JoseError::Algorithm),
        (
            r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#,
            JoseError::Critical,
        ),
        (
            r#"{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}}"#,
            JoseError::Key,
        ),
        (r#"{"alg":"EdDSA","alg":"none"}"#, JoseError::Algorithm),
        (r"{}", JoseError::Algorithm),
        ("[]", JoseError::Form),
        ("", JoseError::Form),
    ] {
        let token = with(&token, 0, &BASE64URL_NOPAD.encode(header.as_bytes()));
        assert_eq!(verify(&token, &own), Err(expect), "{header}");
    }
    let unsigned = with(&token, 2, "");
    assert_eq!(verify(&unsigned, &own), Err(JoseError::Signature));
}

#[test]
fn what_is_no_token_is_refused() {
    let long = "a".repeat(20_000);
    for (text, expect) in [
        ("", JoseError::Form),
        ("a.b", JoseError::Form),
        ("a.b.c.d", JoseError::Form),
        ("e30=.e30=.", JoseError::Form),
        ("e30.e30.a b", JoseError::Algorithm),
        ("eyJhbGciOiJFZERTQSJ9.e30.a b", JoseError::Form),
        (&long, JoseError::TooLong),
    ] {
        assert_eq!(Signed::parse(text).map(|_| ()), Err(expect), "{text:.20}");
    }
}

#[test]
fn keys_that_are_too_short_are_refused() {
    for json in [
        json!({"kty": "RSA", "n": BASE64URL_NOPAD.encode(&[0xff; 128]), "e": "AQAB"}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "%", "y": "AAAA"}),
    ] {
        let jwk = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(
            VerifyingKey::new(&jwk).map(|_| ()),
            Err(JoseError::Key),
            "{json}"
        );
    }
    assert!(SigningKey::open(Algorithm::Rs256, "k", b"{}").is_err());
}

#[test]
fn the_standards_example_is_verified() {
    // RFC 8037, appendix A.4: Ed25519 over "Example of Ed25519 signing".
    let seed = BASE64URL_NOPAD
        .decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let own = SigningKey::open(Algorithm::EdDsa, "a", &seed).unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let public = VerifyingKey::new(own.public()).unwrap();
    let trusted = Signed::parse(token).unwrap().verify(&public).unwrap();
    assert_eq!(
        trusted.claims::<Value>(),
        Err(JoseError::Claims),
        "it holds no JSON"
    );
    let header = Header {
        alg: Algorithm::EdDsa,
        typ: None,
        kid: None,
        jwk: None,
    };
    let made = own.sign_with(&header, &json!({})).unwrap();
    assert!(made.starts_with("eyJhbGciOiJFZERTQSJ9.e30."));
}
