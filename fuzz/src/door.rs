//! The door that is asked: the OpenID provider, with three clients and somebody who is signed in in a browser.

use crate::house::{NOW, open};
use axum::Router;
use axum::body::Body;
use bongsu_base::{LogTime, Millis};
use bongsu_fetch::{Fetcher, Rules};
use bongsu_identity::http::oauth::routes;
use bongsu_identity::oauth::{AddKey, AdministerClient, ClientAct, KeyKind, NewClient, Oauth};
use bongsu_identity::{
    Accounts, Clock, Command, Config, HashingCost, Identity, Provider, ProviderConfig,
    Registration, SelfRegistration, Token, Vault,
};
use bongsu_jose::{Algorithm, SigningKey, make};
use bongsu_lane::{Actor, Lane, Priority};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::cell::RefCell;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// After so many inputs a new door is made, so that it stays small.
const INPUTS: usize = 20_000;
/// The name of the provider.
pub const ISSUER: &str = "https://id.test";

/// The provider's endpoints.
pub struct Door {
    router: Router,
    /// The cookies of the browser in which somebody is signed in.
    pub cookies: String,
    /// What its forms carry.
    pub seal: String,
    /// The secret of the client `orders`.
    pub secret: String,
    lane: Lane<Identity>,
    _folder: TempDir,
}

/// What the clock shows: by then the keys are in use that the log was given.
const LATER: LogTime = LogTime(NOW.0 + 60_000);

/// The key of the client `signer`.
///
/// # Panics
/// Never: 32 bytes are a key.
#[must_use]
pub fn signer() -> SigningKey {
    let seed = make(Algorithm::EdDsa, |bytes| bytes.fill(5)).expect("a seed");
    SigningKey::open(Algorithm::EdDsa, "a", &seed).expect("a key")
}

/// The clients: their ids, what they say of themselves, and whether they have a secret.
fn clients() -> [(&'static str, Value, bool); 3] {
    let mut jwk = serde_json::to_value(signer().public()).expect("JSON");
    jwk["kid"] = "a".into();
    let web = json!({
        "redirect_uris": ["https://shop.example/in"], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "id_token_signed_response_alg": "EdDSA", "authorization_signed_response_alg": "EdDSA",
        "post_logout_redirect_uris": ["https://shop.example/out"],
    });
    let signs = json!({
        "grant_types": ["client_credentials"], "scope": "orders:read",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [jwk]},
    });
    let orders = json!({"grant_types": ["client_credentials"], "scope": "orders:read"});
    [
        ("shop", web, false),
        ("signer", signs, false),
        ("orders", orders, true),
    ]
}

/// Keys without RSA, which takes long to make.
fn keys(vault: &Vault) -> Vec<AddKey> {
    let kinds = [
        (KeyKind::Refresh, "AAAAAAAAAAA", None),
        (KeyKind::EdDsa, "BBBBBBBBBBA", Some(Algorithm::EdDsa)),
    ];
    let made = kinds.map(|(kind, kid, algorithm)| {
        let seed = vec![9; 32];
        let public = algorithm.map(|algorithm| {
            let key = SigningKey::open(algorithm, kid, &seed).expect("a key");
            serde_json::to_string(key.public()).expect("JSON")
        });
        AddKey {
            kid: kid.to_owned(),
            kind,
            public: public.unwrap_or_default(),
            sealed: vault.seal(&format!("{kind:?} {kid}"), &seed, [3; 12]),
            overlap: Millis(0),
            keep: Millis::hours(1),
            after: None,
            by: None,
            reason: None,
        }
    });
    made.into()
}

impl Door {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lane = open::<Identity>(&folder).await;
        let name = "test".parse().expect("a name");
        let mut how = Config::new(name, Registration::Open);
        how.hashing = HashingCost::LEAST;
        how.clock = Clock::new(|| LATER);
        let accounts = Accounts::new(lane.clone(), how).expect("a cost that argon2 knows");
        let mut config = ProviderConfig::new(ISSUER);
        config.registration = SelfRegistration::Open { most: 1_000 };
        let vault = Vault::parse(&"ab".repeat(32)).expect("a key");
        for key in keys(&vault) {
            submit(&lane, Actor::Platform, Oauth::AddKey(key)).await;
        }
        let secret = Token::from_random([7; 32]);
        for (id, metadata, has_secret) in clients() {
            let new = NewClient {
                metadata: metadata.to_string(),
                secret: has_secret.then(|| secret.hash()),
                logout_uri: None,
                trusted: false,
            };
            let command = AdministerClient {
                by: None,
                reason: None,
                client: id.parse().expect("an id"),
                act: ClientAct::Add(new),
            };
            submit(&lane, Actor::Operator, Oauth::Administer(command)).await;
        }
        let made = accounts.create("mina", "tea", false).await;
        made.expect("the name is free");
        let fetcher = Fetcher::new(Rules::default());
        let provider = Provider::new(accounts, config, vault, fetcher);
        let mut door = Self {
            router: routes().into_router(provider),
            cookies: String::new(),
            seal: String::new(),
            secret: secret.reveal().to_owned(),
            lane,
            _folder: folder,
        };
        door.sign_in().await;
        door
    }

    /// Signs mina in.
    async fn sign_in(&mut self) {
        let nothing = HeaderMap::new();
        let page = self.ask(Method::GET, "/account", &nothing, b"").await;
        let (_, headers, page) = page.expect("a request");
        let page = String::from_utf8(page).expect("text");
        let mark = "name=\"seal\" value=\"";
        let (_, rest) = page.split_once(mark).expect("a form");
        self.seal = rest.split('"').next().expect("a seal").to_owned();
        self.cookies = cookie(&headers);
        let form = format!("seal={}&name=mina&password=tea", self.seal);
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        let led = self.ask(Method::POST, "/account/sign-in", &headers, form.as_bytes());
        let (status, headers, _) = led.await.expect("a request");
        assert_eq!(status, StatusCode::SEE_OTHER);
        self.cookies = format!("{}; {}", self.cookies, cookie(&headers));
    }

    /// Asks, and sees that the answer is no defect; nothing, if this is no request at all.
    ///
    /// # Panics
    /// When the answer is a defect.
    pub async fn ask(
        &self,
        method: Method,
        uri: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<(StatusCode, HeaderMap, Vec<u8>)> {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header("cookie", &self.cookies);
        let mut request = request.body(Body::from(body.to_vec())).ok()?;
        request.headers_mut().extend(headers.clone());
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await;
        let bytes = body.map(|body| body.to_bytes().to_vec());
        let bytes = bytes.unwrap_or_default();
        assert_ne!(
            parts.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{uri}: {}",
            String::from_utf8_lossy(&bytes)
        );
        Some((parts.status, parts.headers, bytes))
    }
}

async fn submit(lane: &Lane<Identity>, actor: Actor, command: Oauth) {
    let command = Command::Oauth(Box::new(command));
    let request = lane.request(actor, Priority::Vital, command);
    let done = lane.submit(request).await.expect("it is applied");
    done.outcome.expect("it is accepted");
}

/// The pair of the one cookie that is set.
fn cookie(headers: &HeaderMap) -> String {
    let line = headers.get(header::SET_COOKIE).expect("a cookie");
    let line = line.to_str().expect("text");
    line.split(';').next().unwrap_or_default().to_owned()
}

struct Kept {
    runtime: Runtime,
    door: Option<(Door, usize)>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Runs `target` with a door, which is kept for the next inputs.
///
/// # Panics
/// When `target` does.
pub fn with_door(target: impl AsyncFnOnce(&Door)) {
    KEPT.with_borrow_mut(|kept| {
        let kept = kept.get_or_insert_with(|| {
            let runtime = Builder::new_current_thread().enable_all().build();
            Kept {
                runtime: runtime.expect("a runtime"),
                door: None,
            }
        });
        kept.runtime.block_on(async {
            let old = kept.door.take();
            let (door, count) = match old {
                Some((door, count)) if count < INPUTS => (door, count),
                Some((door, _)) => {
                    door.lane.close().await;
                    (Door::new().await, 0)
                }
                None => (Door::new().await, 0),
            };
            target(&door).await;
            kept.door = Some((door, count + 1));
        });
    });
}
