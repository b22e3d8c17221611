//! Tokens that others sign: client assertions, proofs of keys, hints, access tokens, keys. What a key of the fuzzer's own signs
//! gets past the signature.

use crate::{ISSUER, Words, signer, with_door};
use bongsu_jose::{Header, JwkSet, Signed, VerifyingKey};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

const ASSERTION: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

/// The token of these words: signed, if they are a header and claims, or as it is.
fn token(head: &[u8], claims: &[u8]) -> String {
    let key = signer();
    let head = serde_json::from_slice::<Header>(head);
    let claims = serde_json::from_slice::<Value>(claims);
    match (head, claims) {
        (Ok(head), Ok(claims)) => key.sign_with(&head, &claims).unwrap_or_default(),
        (Err(_), Ok(claims)) => key.sign("JWT", &claims).unwrap_or_default(),
        _ => String::new(),
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    with_door(async |door| {
        let mut words = Words::of(data);
        let (head, claims, raw) = (words.bytes(), words.bytes(), words.bytes());
        if let Ok(set) = serde_json::from_slice::<JwkSet>(raw) {
            for jwk in &set.keys {
                let signed = token(head, claims);
                if let (Ok(key), Ok(signed)) = (VerifyingKey::new(&jwk.key), Signed::parse(&signed))
                {
                    let _ = signed.verify(&key);
                }
                let _ = jwk.key.thumbprint();
            }
        }
        let raw = String::from_utf8_lossy(raw).into_owned();
        for token in [token(head, claims), raw] {
            let _ = Signed::parse(&token).map(|signed| signed.unverified::<Value>());
            let Ok(value) = HeaderValue::from_str(&token) else {
                continue;
            };
            let mut headers = HeaderMap::new();
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(header::CONTENT_TYPE, form);
            let body = format!(
                "grant_type=client_credentials&client_assertion={token}&client_assertion_type={ASSERTION}"
            );
            door.ask(Method::POST, "/oauth2/token", &headers, body.as_bytes())
                .await;
            headers.insert("dpop", value.clone());
            let body = "grant_type=refresh_token&client_id=shop&refresh_token=bgr_none";
            door.ask(Method::POST, "/oauth2/token", &headers, body.as_bytes())
                .await;
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) {
                headers.insert(header::AUTHORIZATION, value);
            }
            door.ask(Method::GET, "/oauth2/userinfo", &headers, b"")
                .await;
            let hint: String = token.chars().filter(|c| c.is_ascii_graphic()).collect();
            let uri = format!("{ISSUER}/oauth2/authorize?client_id=shop&id_token_hint={hint}");
            door.ask(Method::GET, &uri, &HeaderMap::new(), b"").await;
        }
    });
}
