//! Verifying with a provider that is there, slow to be told, and gone.

use async_trait::async_trait;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use bongsu_jose::{Algorithm, Jwk, JwkSet, SigningKey, make};
use bongsu_rp_kit::{Fetch, Fetched, Past, Refusal, Settings, Verified, Verifier, require};
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use http::{Request, StatusCode, header};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tower::ServiceExt;

const ISSUER: &str = "https://id.example";
const LIST: &str = "https://id.example/oauth2/status/0";

fn key(n: u8) -> SigningKey {
    let secret = make(Algorithm::EdDsa, |bytes| bytes.fill(n)).expect("a key");
    SigningKey::open(Algorithm::EdDsa, &format!("k{n}"), &secret).expect("a key")
}

/// A provider that can be out of reach.
struct Provider {
    now: AtomicI64,
    /// How far its own clock is ahead.
    ahead: AtomicI64,
    asked: AtomicUsize,
    gone: Mutex<bool>,
    revoked: Mutex<BTreeSet<u64>>,
    keys: Mutex<Vec<u8>>,
}

impl Provider {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(1_800_000_000),
            ahead: AtomicI64::new(0),
            asked: AtomicUsize::new(0),
            gone: Mutex::new(false),
            revoked: Mutex::default(),
            keys: Mutex::new(vec![1]),
        })
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn list(&self) -> String {
        let mut bytes = vec![0_u8; 64];
        for place in self.revoked.lock().iter() {
            bytes[*place as usize / 8] |= 1 << (place % 8);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes).expect("memory");
        let lst = BASE64URL_NOPAD.encode(&encoder.finish().expect("memory"));
        let made = self.now() + self.ahead.load(Ordering::SeqCst);
        let claims = json!({
            "sub": LIST, "iat": made, "exp": made + 3600, "ttl": 30,
            "status_list": {"bits": 1, "lst": lst},
        });
        key(1).sign("statuslist+jwt", &claims).expect("a token")
    }

    fn token(&self, changes: Value) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": "@mina:a", "client_id": "shop", "jti": "1",
            "iat": self.now(), "exp": self.now() + 600, "scope": "openid orders:read",
            "status": {"status_list": {"idx": 5, "uri": LIST}},
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        key(1).sign("at+jwt", &claims).expect("a token")
    }

    fn verifier(self: &Arc<Self>, past: Past) -> Verifier {
        self.verifier_for(300, past)
    }

    fn verifier_for(self: &Arc<Self>, bound: i64, past: Past) -> Verifier {
        let settings = Settings {
            issuer: ISSUER.to_owned(),
            clients: vec!["shop".to_owned()],
            bound,
            past,
        };
        let clock = self.clone();
        Verifier::new(settings, Arc::new(Asked(self.clone())), move || clock.now())
    }
}

struct Asked(Arc<Provider>);

#[async_trait]
impl Fetch for Asked {
    async fn get(&self, url: &str) -> Result<Fetched, String> {
        let provider = &self.0;
        provider.asked.fetch_add(1, Ordering::SeqCst);
        if *provider.gone.lock() {
            return Err("nobody is there".to_owned());
        }
        let body = match url.strip_prefix(ISSUER) {
            Some("/.well-known/openid-configuration") => {
                json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys")}).to_string()
            }
            Some("/keys") => {
                let keys = provider.keys.lock();
                let keys = keys.iter().map(|n| Jwk {
                    key: key(*n).public().clone(),
                    kid: Some(format!("k{n}")),
                    alg: None,
                    key_use: None,
                });
                let set = JwkSet {
                    keys: keys.collect(),
                };
                serde_json::to_string(&set).expect("JSON")
            }
            Some("/oauth2/status/0") => provider.list(),
            _ => return Err("there is nothing".to_owned()),
        };
        Ok(Fetched {
            body: body.into_bytes(),
            max_age: Some(86_400),
        })
    }
}

async fn judge(verifier: &Verifier, token: &str) -> Result<bool, Refusal> {
    verifier.verify(token).await.map(|verified| verified.stale)
}

#[tokio::test]
async fn a_token_is_taken_for_what_it_is() {
    let provider = Provider::new();
    let verifier = provider.verifier(Past::Refuse);
    let now = provider.now();
    for (changes, expect) in [
        (json!({}), Ok(false)),
        (json!({"status": null}), Ok(false)),
        (json!({"client_id": "thief"}), Err(Refusal::NotOurs)),
        (
            json!({"iss": "https://evil.example"}),
            Err(Refusal::NotOurs),
        ),
        (
            json!({"aud": "https://other.example"}),
            Err(Refusal::NotOurs),
        ),
        (json!({"aud": [ISSUER]}), Err(Refusal::NotOurs)),
        (json!({"cnf": {"jkt": "x"}}), Err(Refusal::NotOurs)),
        (json!({"exp": now}), Err(Refusal::Expired)),
        (json!({"iat": now + 120}), Err(Refusal::Expired)),
        (
            json!({"status": {"status_list": {"idx": 5, "uri": "https://evil.example/0"}}}),
            Err(Refusal::NotOurs),
        ),
        (
            json!({"status": {"status_list": {"idx": 5, "uri": "https://id.example.evil/0"}}}),
            Err(Refusal::NotOurs),
        ),
        (
            json!({"status": {"status_list": {"idx": 100_000, "uri": LIST}}}),
            Err(Refusal::Revoked),
        ),
    ] {
        let token = provider.token(changes.clone());
        assert_eq!(judge(&verifier, &token).await, expect, "{changes}");
    }
    let claims = json!({"iss": ISSUER, "aud": "shop", "sub": "a", "exp": now + 600, "iat": now});
    for wrong in [
        key(1).sign("JWT", &claims).expect("a token"),
        key(2).sign("at+jwt", &claims).expect("a token"),
        "e30.e30.e30".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            judge(&verifier, &wrong).await,
            Err(Refusal::NotOurs),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn what_was_revoked_is_known_within_the_lists_time() {
    let provider = Provider::new();
    let verifier = provider.verifier(Past::Refuse);
    let token = provider.token(json!({}));
    assert_eq!(judge(&verifier, &token).await, Ok(false));
    provider.revoked.lock().insert(5);
    provider.pass(29);
    assert_eq!(
        judge(&verifier, &token).await,
        Ok(false),
        "the list is fresh still"
    );
    provider.pass(1);
    assert_eq!(judge(&verifier, &token).await, Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_list_of_the_future_keeps_no_later_one_away() {
    let provider = Provider::new();
    provider.ahead.store(300, Ordering::SeqCst);
    let verifier = provider.verifier(Past::Refuse);
    let token = provider.token(json!({}));
    assert_eq!(judge(&verifier, &token).await, Ok(false));
    provider.ahead.store(0, Ordering::SeqCst);
    provider.revoked.lock().insert(5);
    provider.pass(31);
    assert_eq!(judge(&verifier, &token).await, Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_short_bound_has_lists_be_fetched_more_often() {
    let provider = Provider::new();
    let verifier = provider.verifier_for(20, Past::Refuse);
    let token = provider.token(json!({}));
    for _ in 0..3 {
        assert_eq!(judge(&verifier, &token).await, Ok(false));
        provider.pass(21);
    }
}

#[tokio::test]
async fn with_the_provider_gone_it_goes_on_until_the_bound() {
    for (past, then) in [
        (Past::Refuse, Err(Refusal::Stale)),
        (Past::TakeAndSay, Ok(true)),
    ] {
        let provider = Provider::new();
        let verifier = provider.verifier(past);
        let token = provider.token(json!({}));
        assert_eq!(judge(&verifier, &token).await, Ok(false));
        provider.revoked.lock().insert(6);
        *provider.gone.lock() = true;
        provider.pass(300);
        assert_eq!(judge(&verifier, &token).await, Ok(false), "{past:?}");
        provider.pass(1);
        assert_eq!(judge(&verifier, &token).await, then, "{past:?}");
        *provider.gone.lock() = false;
        provider.pass(5);
        verifier.refresh().await;
        verifier.refresh().await;
        let fresh = judge(&verifier, &token).await;
        assert_eq!(fresh, Ok(false), "{past:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_gone_is_not_asked_for_each_token() {
    let provider = Provider::new();
    let verifier = provider.verifier(Past::Refuse);
    *provider.gone.lock() = true;
    let token = provider.token(json!({}));
    for _ in 0..100 {
        assert_eq!(judge(&verifier, &token).await, Err(Refusal::Stale));
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_met() {
    let provider = Provider::new();
    let verifier = provider.verifier(Past::Refuse);
    assert_eq!(
        judge(&verifier, &provider.token(json!({}))).await,
        Ok(false)
    );
    provider.keys.lock().push(2);
    provider.pass(10);
    let claims = json!({
        "iss": ISSUER, "aud": ISSUER, "sub": "@mina:a", "client_id": "shop", "jti": "2",
        "iat": provider.now(), "exp": provider.now() + 600,
    });
    let token = key(2).sign("at+jwt", &claims).expect("a token");
    assert_eq!(judge(&verifier, &token).await, Ok(false));
}

#[tokio::test]
async fn the_layer_lets_good_tokens_through() {
    let provider = Provider::new();
    let verifier = provider.verifier(Past::Refuse);
    let hello = |Extension(verified): Extension<Verified>| async move {
        assert!(verified.has_scope("orders:read") && !verified.has_scope("orders"));
        verified.claims.sub
    };
    let router = Router::new()
        .route("/", get(hello))
        .route_layer(from_fn_with_state(verifier, require));
    let ask = |token: Option<String>| {
        let mut request = Request::get("/");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let router = router.clone();
        async move { router.oneshot(request).await.expect("infallible") }
    };
    let good = ask(Some(provider.token(json!({})))).await;
    assert_eq!(good.status(), StatusCode::OK);
    for token in [
        None,
        Some("x".to_owned()),
        Some(provider.token(json!({"exp": 1}))),
    ] {
        let refused = ask(token).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.headers().contains_key(header::WWW_AUTHENTICATE));
    }
    *provider.gone.lock() = true;
    provider.pass(301);
    let late = ask(Some(provider.token(json!({})))).await;
    assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
}
