//! Verifying tokens.

use crate::fetch::Fetch;
use crate::list::List;
use bongsu_jose::{JwkSet, Signed, VerifyingKey};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// How soon something is tried again that failed, in seconds.
const AGAIN: i64 = 5;
/// How many lists are kept.
const MOST_LISTS: usize = 1_000;

/// What is done with a token when what is known is older than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It is refused.
    Refuse,
    /// It is taken if it was not known to be revoked, and [`Verified::stale`] says so: for what can be undone.
    TakeAndSay,
}

/// What a service decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The provider, as it stands in tokens.
    pub issuer: String,
    /// The clients whose people are served.
    pub clients: Vec<String>,
    /// How old, in seconds, what is known of keys and revoked tokens may be. The provider's own bounds hold too.
    pub bound: i64,
    /// What happens beyond that.
    pub past: Past,
}

/// What an access token says (RFC 9068).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// Whose it is.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// The client.
    pub client_id: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// Its name.
    pub jti: String,
    /// What it is for, as scopes with a space between them.
    #[serde(default)]
    pub scope: String,
    /// Where it is told whether it was revoked.
    #[serde(default)]
    pub status: Option<Status>,
    /// The key that it is bound to.
    #[serde(default)]
    pub cnf: Option<serde_json::Value>,
}

/// Where it is told whether a token was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The place.
    pub status_list: Place,
}

/// A place on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which.
    pub idx: u64,
    /// Of which list.
    pub uri: String,
}

/// A token that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// Whether what is known is older than the bound.
    pub stale: bool,
}

impl Verified {
    /// Whether the token is for `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.claims.scope.split(' ').any(|one| one == scope)
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a token of the provider's for one of the clients.
    #[error("the access token is not one that is taken here")]
    NotOurs,
    /// It has expired, or is of the future.
    #[error("the access token has expired")]
    Expired,
    /// It was revoked.
    #[error("the access token was revoked")]
    Revoked,
    /// What is known is too old to say.
    #[error("the provider cannot be reached, and what is known of it is too old")]
    Stale,
}

/// The keys, as they were fetched.
#[derive(Debug, Default)]
struct Warm {
    keys: BTreeMap<String, VerifyingKey>,
    fetched: i64,
    until: i64,
    lists: BTreeMap<String, List>,
    /// When each address was last tried.
    tried: BTreeMap<String, i64>,
}

struct Shared {
    settings: Settings,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    warm: RwLock<Warm>,
    fetching: Mutex<()>,
}

/// Verifies tokens. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Verifier(Arc<Shared>);

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.0.settings).finish()
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Verifier {
    /// A verifier that asks `fetch`; `clock` tells the time of day in seconds since 1970.
    pub fn new(
        settings: Settings,
        fetch: Arc<dyn Fetch>,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            settings,
            fetch,
            clock: Arc::new(clock),
            warm: RwLock::default(),
            fetching: Mutex::default(),
        }))
    }

    /// Keeps keys and lists fresh, for as long as it runs: then no request waits for the provider.
    pub async fn keep_warm(self) {
        loop {
            self.refresh().await;
            sleep(Duration::from_secs(AGAIN.unsigned_abs())).await;
        }
    }

    /// Fetches what is due.
    pub async fn refresh(&self) {
        let now = (self.0.clock)();
        if self.keys_due(now) {
            self.fetch_keys(now).await;
        }
        let due: Vec<String> = {
            let warm = self.0.warm.read();
            let due = |list: &List| now - list.made >= self.fresh(list);
            let lists = warm.lists.iter().filter(|(_, list)| due(list));
            lists.map(|(uri, _)| uri.clone()).collect()
        };
        for uri in due {
            self.fetch_list(&uri, now).await;
        }
    }

    fn keys_due(&self, now: i64) -> bool {
        let warm = self.0.warm.read();
        // Half of the time that they may be relied on: there is as much again to reach the provider.
        let relied = (warm.until - warm.fetched).min(self.0.settings.bound);
        warm.keys.is_empty() || now - warm.fetched >= relied / 2
    }

    /// After how many seconds a list is fetched again: half of the time that it may be relied on leaves as much to reach the provider.
    fn fresh(&self, list: &List) -> i64 {
        list.fresh.min(self.0.settings.bound / 2).max(1)
    }

    /// Whether `address` may be tried now.
    fn may_try(&self, address: &str, now: i64) -> bool {
        let mut warm = self.0.warm.write();
        let soon = warm.tried.get(address).is_some_and(|at| now - at < AGAIN);
        if !soon {
            if warm.tried.len() >= MOST_LISTS {
                warm.tried.clear();
            }
            warm.tried.insert(address.to_owned(), now);
        }
        !soon
    }

    async fn fetch_keys(&self, now: i64) {
        let issuer = &self.0.settings.issuer;
        let address = format!("{issuer}/.well-known/openid-configuration");
        let _one_at_a_time = self.0.fetching.lock().await;
        if !self.may_try(&address, now) {
            return;
        }
        if let Err(why) = self.try_keys(&address, now).await {
            tracing::warn!(issuer, why, "the keys of sign-in could not be fetched");
        }
    }

    async fn try_keys(&self, address: &str, now: i64) -> Result<(), String> {
        let told = self.0.fetch.get(address).await?;
        let told: Discovery =
            serde_json::from_slice(&told.body).map_err(|error| error.to_string())?;
        if told.issuer != self.0.settings.issuer {
            return Err(format!("it says that it is {}", told.issuer));
        }
        let fetched = self.0.fetch.get(&told.jwks_uri).await?;
        let set: JwkSet =
            serde_json::from_slice(&fetched.body).map_err(|error| error.to_string())?;
        let keys = set.keys.iter().filter_map(|jwk| {
            let key = VerifyingKey::new(&jwk.key).ok()?;
            Some((jwk.kid.clone()?, key))
        });
        let mut warm = self.0.warm.write();
        warm.keys = keys.collect();
        warm.fetched = now;
        warm.until = now + fetched.max_age.unwrap_or(300);
        Ok(())
    }

    async fn fetch_list(&self, uri: &str, now: i64) {
        let _one_at_a_time = self.0.fetching.lock().await;
        if !self.may_try(uri, now) {
            return;
        }
        let fetched = self.0.fetch.get(uri).await;
        let read = fetched.and_then(|fetched| {
            let token = String::from_utf8(fetched.body).map_err(|_| "it is no text".to_owned())?;
            let warm = self.0.warm.read();
            List::read(&token, uri, |kid| warm.keys.get(kid)).map_err(ToOwned::to_owned)
        });
        match read {
            Ok(mut list) => {
                // A clock that is ahead makes no list newer than the next ones.
                list.made = list.made.min(now);
                let mut warm = self.0.warm.write();
                // An older one is never put in the place of a newer.
                let newer = warm.lists.get(uri).is_none_or(|old| old.made <= list.made);
                if newer && (warm.lists.len() < MOST_LISTS || warm.lists.contains_key(uri)) {
                    warm.lists.insert(uri.to_owned(), list);
                }
            }
            Err(why) => tracing::warn!(uri, why, "a list of revoked tokens could not be fetched"),
        }
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn verify(&self, token: &str) -> Result<Verified, Refusal> {
        let now = (self.0.clock)();
        let kid = Signed::parse(token)
            .ok()
            .filter(|signed| signed.header().typ.as_deref() == Some("at+jwt"))
            .and_then(|signed| signed.header().kid.clone())
            .ok_or(Refusal::NotOurs)?;
        if self.keys_due(now) || !self.0.warm.read().keys.contains_key(&kid) {
            self.fetch_keys(now).await;
        }
        let claims = self.signed_claims(token, &kid)?;
        let settings = &self.0.settings;
        if claims.iss != settings.issuer
            || claims.aud != settings.issuer
            || !settings.clients.contains(&claims.client_id)
            // A token that is bound to a key has to come with a proof, which is not checked here.
            || claims.cnf.is_some()
        {
            return Err(Refusal::NotOurs);
        }
        if claims.exp <= now || claims.iat > now + 60 {
            return Err(Refusal::Expired);
        }
        let listed = match &claims.status {
            Some(status) => self.listed(&status.status_list, now).await?,
            None => true,
        };
        let stale = !listed || self.are_keys_stale(now);
        match settings.past {
            Past::Refuse if stale => Err(Refusal::Stale),
            Past::Refuse | Past::TakeAndSay => Ok(Verified { claims, stale }),
        }
    }

    fn signed_claims(&self, token: &str, kid: &str) -> Result<Claims, Refusal> {
        let warm = self.0.warm.read();
        if warm.keys.is_empty() {
            return Err(Refusal::Stale);
        }
        let key = warm.keys.get(kid).ok_or(Refusal::NotOurs)?;
        let signed = Signed::parse(token).map_err(|_| Refusal::NotOurs)?;
        let trusted = signed.verify(key).map_err(|_| Refusal::NotOurs)?;
        trusted.claims().map_err(|_| Refusal::NotOurs)
    }

    fn are_keys_stale(&self, now: i64) -> bool {
        let warm = self.0.warm.read();
        now >= warm.until || now - warm.fetched > self.0.settings.bound
    }

    /// Whether a list that is fresh enough says that the token is good.
    async fn listed(&self, place: &Place, now: i64) -> Result<bool, Refusal> {
        // Nobody else's list says anything about the provider's tokens.
        let base = format!("{}/", self.0.settings.issuer);
        if !place.uri.starts_with(&base) {
            return Err(Refusal::NotOurs);
        }
        let known = |fresh: bool| {
            let warm = self.0.warm.read();
            let list = warm.lists.get(&place.uri);
            list.is_some_and(|list| !fresh || now - list.made < self.fresh(list))
        };
        if !known(true) {
            self.fetch_list(&place.uri, now).await;
        }
        let warm = self.0.warm.read();
        let Some(list) = warm.lists.get(&place.uri) else {
            return Ok(false);
        };
        if !list.is_good(place.idx) {
            return Err(Refusal::Revoked);
        }
        Ok(now < list.until && now - list.made <= self.0.settings.bound)
    }
}
