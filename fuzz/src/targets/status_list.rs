//! Lists of revoked tokens as a service reads them, and tokens with a place on them.

use crate::{Words, signer};
use async_trait::async_trait;
use bongsu_jose::JwkSet;
use bongsu_rp_kit::{Fetch, Fetched, Past, Settings, Verifier};
use serde_json::{Value, json};
use std::sync::Arc;

const ISSUER: &str = "https://id.test";
const NOW: i64 = 1_800_000_000;

/// A provider that says what it is told to.
struct Told {
    keys: Vec<u8>,
    list: Vec<u8>,
}

#[async_trait]
impl Fetch for Told {
    async fn get(&self, url: &str) -> Result<Fetched, String> {
        let body = match url.strip_prefix(ISSUER).unwrap_or_default() {
            "/.well-known/openid-configuration" => {
                json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys")})
                    .to_string()
                    .into()
            }
            "/keys" => self.keys.clone(),
            _ => self.list.clone(),
        };
        let max_age = Some(3_600);
        Ok(Fetched { body, max_age })
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let mut words = Words::of(data);
    let (claims, place, raw) = (words.bytes(), words.bytes(), words.bytes());
    let key = signer();
    let list = match serde_json::from_slice::<Value>(claims) {
        Ok(claims) => key
            .sign("statuslist+jwt", &claims)
            .unwrap_or_default()
            .into(),
        Err(_) => raw.to_vec(),
    };
    let mut jwk = serde_json::to_value(key.public()).expect("JSON");
    jwk["kid"] = "a".into();
    let keys = json!({"keys": [jwk]}).to_string().into_bytes();
    assert!(serde_json::from_slice::<JwkSet>(&keys).is_ok());
    let settings = Settings {
        issuer: ISSUER.to_owned(),
        clients: vec!["shop".to_owned()],
        bound: 600,
        past: Past::TakeAndSay,
    };
    let verifier = Verifier::new(settings, Arc::new(Told { keys, list }), || NOW);
    let status = serde_json::from_slice::<Value>(place).unwrap_or(Value::Null);
    let access = json!({
        "iss": ISSUER, "aud": ISSUER, "sub": "@mina:test", "client_id": "shop", "jti": "a", "iat": NOW, "exp": NOW + 60,
        "status": {"status_list": {"idx": status, "uri": format!("{ISSUER}/list")}},
    });
    let token = key.sign("at+jwt", &access).expect("a token");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let _ = verifier.verify(&token).await;
    });
}
