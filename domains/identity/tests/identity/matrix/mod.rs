//! The endpoints, called as a client calls them, through the router.

mod account;
mod administration;
mod bad_input;
mod devices;
mod login;
mod profile;
mod register;
mod sessions;

use crate::house::{House, TestLog};
use axum::Router;
use axum::body::Body;
use bongsu_base::Millis;
use bongsu_identity::http::{Api, endpoints};
use bongsu_identity::{Accounts, Clock, Config, HashingCost, Registration, Vault};
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// A server without a socket.
struct Server {
    house: House,
    accounts: Accounts,
    router: Router,
    operations: Vec<String>,
}

/// The endpoints over these accounts in a data centre that has the key-encryption key `n`.
fn api(accounts: &Accounts, n: u8) -> Api {
    let vault = Vault::parse(&Vault::file(&[n; 32])).expect("a key");
    Api::new(accounts.clone(), Arc::new(accounts.clone()), &vault)
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    retry_after: Option<String>,
    body: Value,
}

impl Server {
    async fn new(registration: Registration) -> Self {
        let house = House::over(TestLog::empty()).await;
        let log = house.log.clone();
        let name = "bongsu.test".parse().expect("a server name");
        let mut config = Config::new(name, registration);
        config.hashing = HashingCost::LEAST;
        config.clock = Clock::new(move || log.now());
        let accounts = Accounts::new(house.lane.clone(), config).expect("a valid cost");
        let (router, operations) = endpoints(api(&accounts, 1));
        let operations = operations
            .iter()
            .map(|one| format!("{} {}", one.method, one.path))
            .collect();
        Self {
            house,
            accounts,
            router,
            operations,
        }
    }

    /// With the account `mina`, whose password is `dog`.
    async fn with_mina() -> Self {
        let server = Self::new(Registration::Open).await;
        server
            .accounts
            .create("mina", "dog", false)
            .await
            .expect("the name is free");
        server
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/_matrix/client{path}"));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).expect("a request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body in memory").to_bytes();
        let retry_after = parts.headers.get(RETRY_AFTER);
        Answer {
            status: parts.status,
            retry_after: retry_after.map(|value| value.to_str().expect("a number").to_owned()),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.call(Method::POST, path, token, Some(body)).await
    }

    async fn put(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.call(Method::PUT, path, token, Some(body)).await
    }

    /// Signs mina in on `device`; gives the access token.
    async fn sign_in(&self, device: &str) -> String {
        let mut body = password("mina", "dog");
        body["device_id"] = device.into();
        let answer = self.post("/v3/login", None, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.text("access_token")
    }

    /// Whether the token still opens something; the error code where not.
    async fn whoami(&self, token: &str) -> Result<String, String> {
        let answer = self.get("/v3/account/whoami", Some(token)).await;
        if answer.status == StatusCode::OK {
            Ok(answer.text("device_id"))
        } else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
            Err(answer.text("errcode"))
        }
    }

    /// The same server in another process, which has the key-encryption key `n`.
    fn elsewhere(&mut self, n: u8) {
        (self.router, _) = endpoints(api(&self.accounts, n));
    }

    fn pass(&self, span: Millis) {
        self.house.log.pass(span);
    }

    async fn close(mut self) {
        self.house.close().await;
    }
}

impl Answer {
    #[track_caller]
    fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("no `{field}` in {self:?}"))
            .to_owned()
    }

    #[track_caller]
    fn is(&self, status: u16, errcode: &str) {
        assert_eq!(
            (self.status.as_u16(), &*self.text("errcode")),
            (status, errcode),
            "{self:?}"
        );
    }

    #[track_caller]
    fn is_ok(&self, body: Value) {
        assert_eq!((self.status, &self.body), (StatusCode::OK, &body));
    }
}

/// A sign-in with a password.
fn password(name: &str, password: &str) -> Value {
    let identifier = json!({"type": "m.id.user", "user": name});
    json!({"type": "m.login.password", "identifier": identifier, "password": password})
}

#[tokio::test]
async fn what_is_served_is_known() {
    let server = Server::new(Registration::Open).await;
    insta::assert_snapshot!("operations", server.operations.join("\n"));
    let answer = server.call(Method::PATCH, "/v3/login", None, None).await;
    answer.is(405, "M_UNRECOGNIZED");
    server.close().await;
}
