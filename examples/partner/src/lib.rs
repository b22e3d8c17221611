//! A service of somebody else's, whose people sign in with Bongsu, with a second OpenID provider, or with a password that the
//! service keeps itself.
//!
//! It promises that each way works while the other two are lost, that an account is the same whichever way was taken,
//! and that access tokens of Bongsu's are verified without asking anybody: until what is known is older than the bound, and
//! after that as the declared policy has it. It links no accounts by itself: who is who was written down beforehand.

mod accounts;
mod browser;
mod client;
mod openid;
mod pages;
mod sessions;
mod settings;

pub use accounts::{Accounts, hash};
pub use settings::{Arguments, Policy, ProviderSettings, Settings};

use accounts::Passwords;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use bongsu_rp_kit::{Fetch, HttpFetch, Verifier, require};
use openid::OpenId;
use sessions::Sessions;
use std::sync::Arc;

/// The time of day, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The service. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Partner(Arc<Shared>);

struct Shared {
    base_url: String,
    accounts: Accounts,
    passwords: Passwords,
    bongsu: OpenId,
    second: OpenId,
    sessions: Sessions,
    verifier: Verifier,
    clock: Clock,
}

impl Partner {
    /// The service with these settings.
    ///
    /// # Errors
    /// When the file of the linked accounts cannot be read, or an address is none.
    pub fn new(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        Self::with_fetch(settings, clock, Arc::new(HttpFetch::default()))
    }

    /// The same, where what providers say of themselves is fetched by `fetch`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_fetch(
        settings: Settings,
        clock: Clock,
        fetch: Arc<dyn Fetch>,
    ) -> anyhow::Result<Self> {
        let told = clock.clone();
        let verifier = Verifier::new(settings.verifying(), fetch.clone(), move || told());
        let redirect = |way: &str| format!("{}/signed-in/{way}", settings.base_url);
        let openid = |of, way| OpenId::new(of, redirect(way), fetch.clone(), clock.clone());
        Ok(Self(Arc::new(Shared {
            accounts: Accounts::read(&settings.accounts)?,
            passwords: Passwords::new(settings.passwords.clone()),
            bongsu: openid(settings.bongsu.clone(), "bongsu")?,
            second: openid(settings.second.clone(), "second")?,
            sessions: Sessions::default(),
            base_url: settings.base_url,
            verifier,
            clock,
        })))
    }

    /// What verifies Bongsu's access tokens.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// All that is served.
    pub fn router(&self) -> Router {
        let verifier = self.0.verifier.clone();
        let api = Router::new()
            .route("/api/me", get(pages::me))
            .route_layer(from_fn_with_state(verifier, require));
        Router::new()
            .route("/", get(pages::home))
            .route("/style.css", get(pages::style))
            .route("/sign-in/password", post(pages::with_password))
            .route("/sign-in/{way}", get(pages::begin))
            .route("/signed-in/{way}", get(pages::finish))
            .route("/sign-out", post(pages::sign_out))
            .merge(api)
            .with_state(self.clone())
    }
}
