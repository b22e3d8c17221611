//! The OpenID provider, called as clients and browsers call it, through the router.

mod attacks;
mod browser;
mod clients;
mod code;
mod devices;
mod dpop;
mod keys;
mod logout;
mod pages;
mod practice;
mod refresh;
mod signed;
mod storm;
mod strangers;
mod tricks;

use crate::house::{House, TestLog};
use axum::Router;
use axum::body::Body;
use bongsu_base::Millis;
use bongsu_fetch::{Fetcher, Rules};
use bongsu_identity::http::{admin, oauth};
use bongsu_identity::{
    Accounts, Clock, Config, HashingCost, Provider, ProviderConfig, Registration, SelfRegistration,
    Vault,
};
use bongsu_jose::{JwkSet, Signed, VerifyingKey};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The name of the provider in these tests.
pub const ISSUER: &str = "https://id.bongsu.test";
/// Where the client `shop` has codes sent.
pub const REDIRECT: &str = "https://shop.example/in";
/// What a client keeps to itself until it has a code.
pub const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

/// A provider without a socket.
pub struct Server {
    pub house: House,
    pub accounts: Accounts,
    pub provider: Provider,
    router: Router,
    operator: Router,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

/// How a request is made.
#[derive(Debug, Default, Clone)]
pub struct Extra<'a> {
    pub headers: Vec<(&'static str, &'a str)>,
}

impl Server {
    /// With the account `mina`, whose password is `dog`, and keys.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut ProviderConfig)) -> Self {
        Self::over(Fetcher::new(Rules::default()), change).await
    }

    /// With whoever tells clients that somebody signed out.
    pub async fn over(fetcher: Fetcher, change: impl FnOnce(&mut ProviderConfig)) -> Self {
        let house = House::over(TestLog::empty()).await;
        let accounts = accounts(&house, |_| ());
        let mut how = ProviderConfig::new(ISSUER);
        how.registration = SelfRegistration::Open { most: 10 };
        change(&mut how);
        let vault = Vault::parse(&"ab".repeat(32)).expect("a key");
        let provider = Provider::new(accounts.clone(), how, vault, fetcher);
        let operators = admin::provider_routes().into_router(provider.clone());
        let operators = operators.route_layer(axum::middleware::from_fn(
            bongsu_web_kit::admin::admit_by_socket,
        ));
        let server = Self {
            router: oauth::routes().into_router(provider.clone()),
            operator: operators,
            house,
            accounts,
            provider,
        };
        server.provider.make_due_keys().await.expect("keys");
        let made = server.accounts.create("mina", "dog", false).await;
        made.expect("the name is free");
        server
    }

    pub fn pass(&self, span: Millis) {
        self.house.log.pass(span);
    }

    pub async fn close(mut self) {
        self.house.close().await;
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        answer(&self.router, request).await
    }

    /// The same installation behind another gateway, which remembers nothing of what the first one saw, and handles
    /// accounts in another way.
    pub fn elsewhere(&self, change: impl FnOnce(&mut Config)) -> Elsewhere {
        let vault = Vault::parse(&"ab".repeat(32)).expect("a key");
        let how = self.provider.config().clone();
        let fetcher = Fetcher::new(Rules::default());
        let provider = Provider::new(accounts(&self.house, change), how, vault, fetcher);
        Elsewhere(oauth::routes().into_router(provider))
    }

    /// Asks with GET.
    pub async fn get(&self, path: &str, extra: &Extra<'_>) -> Answer {
        self.send(request(Method::GET, path, extra, Body::empty()))
            .await
    }

    /// Sends a form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)], extra: &Extra<'_>) -> Answer {
        self.send(form(path, fields, extra)).await
    }

    /// Pushes the request of `shop` with these parameters beside or instead of the usual ones.
    pub async fn push(&self, changes: &[(&str, &str)], extra: &Extra<'_>) -> Answer {
        let asked: Vec<(String, String)> =
            serde_urlencoded::from_str(&query(changes)).expect("a query");
        let fields: Vec<_> = asked.iter().map(|(n, v)| (&**n, &**v)).collect();
        self.form("/oauth2/par", &fields, extra).await
    }

    /// Asks as the operator.
    pub async fn operate(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).body(Body::from(body.to_string()));
        answer(&self.operator, request.expect("a request")).await
    }

    /// Adds a client; gives its secret.
    pub async fn add_client(&self, id: &str, metadata: Value) -> String {
        let body = json!({"client_id": id, "metadata": metadata});
        let made = self.operate("/admin/v1/clients", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.body["client_secret"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The client `shop` without a secret.
    pub async fn with_shop() -> Self {
        let server = Self::new().await;
        server.add_client("shop", shop()).await;
        server
    }

    /// The claims of a token that is signed with one of the keys that are shown.
    pub async fn claims(&self, token: &str) -> Value {
        let keys = self.get("/oauth2/keys.json", &Extra::default()).await;
        let set: JwkSet = serde_json::from_value(keys.body).expect("keys");
        let signed = Signed::parse(token).expect("a token");
        let kid = signed.header().kid.clone();
        let mut keys = set.keys.iter();
        let key = keys
            .find(|key| key.kid == kid)
            .expect("a key that is shown");
        let key = VerifyingKey::new(&key.key).expect("a sound key");
        let trusted = signed.verify(&key).expect("its own signature");
        trusted.claims().expect("an object")
    }
}

/// Another gateway of the same installation.
pub struct Elsewhere(Router);

impl Elsewhere {
    /// Asks with GET.
    pub async fn get(&self, path: &str, extra: &Extra<'_>) -> Answer {
        answer(&self.0, request(Method::GET, path, extra, Body::empty())).await
    }

    /// Sends a form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)], extra: &Extra<'_>) -> Answer {
        answer(&self.0, form(path, fields, extra)).await
    }
}

fn accounts(house: &House, change: impl FnOnce(&mut Config)) -> Accounts {
    let log = house.log.clone();
    let name = "bongsu.test".parse().expect("a server name");
    let mut config = Config::new(name, Registration::Open);
    config.hashing = HashingCost::LEAST;
    config.clock = Clock::new(move || log.now());
    change(&mut config);
    Accounts::new(house.lane.clone(), config).expect("a valid cost")
}

fn form(path: &str, fields: &[(&str, &str)], extra: &Extra<'_>) -> Request<Body> {
    let body = serde_urlencoded::to_string(fields).expect("a form");
    let mut extra = extra.clone();
    extra
        .headers
        .push(("content-type", "application/x-www-form-urlencoded"));
    request(Method::POST, path, &extra, Body::from(body))
}

async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body in memory").to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn request(method: Method, path: &str, extra: &Extra<'_>, body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in &extra.headers {
        request = request.header(*name, *value);
    }
    request.body(body).expect("a request")
}

impl Answer {
    #[track_caller]
    pub fn is(&self, status: u16, error: &str) {
        let found = (self.status.as_u16(), self.body["error"].as_str());
        assert_eq!(found, (status, Some(error)), "{self:?}");
    }

    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("no `{name}` in {self:?}"))
            .to_owned()
    }

    /// Where the browser is led.
    #[track_caller]
    pub fn location(&self) -> url::Url {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        let location = self.header(header::LOCATION.as_str());
        let base = url::Url::parse(ISSUER).expect("a URL");
        base.join(&location).expect("an address")
    }

    /// A parameter of where the browser is led.
    #[track_caller]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut pairs = location.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no `{name}` in {self:?}"));
        value.to_str().expect("text").to_owned()
    }

    /// The value of a hidden field of the page's first form.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .text
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no field `{name}` in {}", self.text));
        let (value, _) = rest.split_once('"').expect("the value ends");
        value
            .replace("&#38;", "&")
            .replace("&#39;", "'")
            .replace("&#34;", "\"")
    }
}

/// What the client `shop` says of itself.
pub fn shop() -> Value {
    json!({
        "client_name": "Shop", "redirect_uris": [REDIRECT],
        "post_logout_redirect_uris": ["https://shop.example/out"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
}

/// What a client shows in the `Authorization` header.
pub fn basic(id: &str, secret: &str) -> String {
    let coded = BASE64.encode(format!("{id}:{secret}").as_bytes());
    format!("Basic {coded}")
}

/// The hash of a verifier.
pub fn challenge(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

/// The query of a request of `shop`, with these parameters beside or instead of the usual ones; an empty one is left out.
pub fn query(changes: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let usual = [
        ("client_id", "shop"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", "a state"),
        ("nonce", "a nonce"),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let all: Vec<_> = kept.chain(changes.iter().copied()).collect();
    serde_urlencoded::to_string(all).expect("a query")
}
