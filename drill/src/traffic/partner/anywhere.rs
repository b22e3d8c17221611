//! How the service reaches the platform: under one name, at whichever data centre answers, as with a name that has several addresses.

use crate::day;
use crate::ground::Site;
use async_trait::async_trait;
use bongsu_rp_kit::{Fetch, Fetched, HttpFetch};
use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long one data centre may take before another is asked.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where lists of revoked tokens are.
const LISTS: &str = "/oauth2/status/";
/// What names everything else, and is no key itself.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Whoever fetches for the service.
pub struct Anywhere {
    sites: Arc<[Site]>,
    issuer: String,
    http: HttpFetch,
    /// Which data centre is asked next.
    next: AtomicUsize,
    /// When the newest keys and the newest list were made that came from there, in seconds since 1970.
    made: Mutex<[Option<i64>; 2]>,
}

impl Anywhere {
    /// It reaches `issuer` at any of `sites`.
    pub fn new(sites: Arc<[Site]>, issuer: String) -> Self {
        Self {
            sites,
            issuer,
            http: HttpFetch::default(),
            next: AtomicUsize::default(),
            made: Mutex::default(),
        }
    }

    /// How old the older of keys and list is. A service that has not both yet knows nothing.
    pub fn heard(&self) -> Duration {
        let now = day::seconds();
        let [Some(keys), Some(list)] = *self.made.lock() else {
            return Duration::MAX / 2;
        };
        let age = now.saturating_sub(keys.min(list));
        Duration::from_secs(u64::try_from(age).unwrap_or(0))
    }

    /// Notes what came.
    fn note(&self, path: &str, asked: i64, body: &[u8]) {
        let (place, made) = if path.starts_with(LISTS) {
            let list = std::str::from_utf8(body).ok().and_then(made_at);
            (1, list.unwrap_or(0).min(asked))
        } else if path == DISCOVERY {
            return;
        } else {
            (0, asked)
        };
        let newest = &mut self.made.lock()[place];
        *newest = (*newest).max(Some(made));
    }
}

#[async_trait]
impl Fetch for Anywhere {
    async fn get(&self, url: &str) -> Result<Fetched, String> {
        let path = url.strip_prefix(&self.issuer);
        let path = path.ok_or_else(|| format!("{url} is somewhere else"))?;
        let begin = self.next.fetch_add(1, Ordering::Relaxed);
        let mut why = String::new();
        for n in 0..self.sites.len() {
            let site = &self.sites[(begin + n) % self.sites.len()];
            let there = format!("http://{}{path}", site.address);
            let asked = day::seconds();
            match timeout(PATIENCE, self.http.get(&there)).await {
                Ok(Ok(fetched)) => {
                    self.note(path, asked, &fetched.body);
                    return Ok(fetched);
                }
                Ok(Err(error)) => why = error,
                Err(_) => "it takes too long".clone_into(&mut why),
            }
        }
        Err(why)
    }
}

/// When a signed token says that it was made (RFC 7519, section 4.1.6), in seconds since 1970. Nothing is verified.
pub fn made_at(token: &str) -> Option<i64> {
    let claims = token.trim().split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["iat"].as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_token_was_made_is_read_off_it() {
        let claims = BASE64URL_NOPAD.encode(br#"{"iat":1700000000}"#);
        assert_eq!(made_at(&format!("e30.{claims}.x\n")), Some(1_700_000_000));
        for token in ["", "a.b.c", "e30.e30.x"] {
            assert_eq!(made_at(token), None, "{token}");
        }
    }

    #[test]
    fn what_was_heard_is_as_old_as_the_older_of_keys_and_list() {
        let anywhere = Anywhere::new(Arc::new([]), "https://id.example".to_owned());
        let now = day::seconds();
        let list = |made: i64| {
            let claims = BASE64URL_NOPAD.encode(format!(r#"{{"iat":{made}}}"#).as_bytes());
            format!("e30.{claims}.x").into_bytes()
        };
        assert!(anywhere.heard() > Duration::from_secs(1 << 40));
        anywhere.note("/oauth2/jwks", now, b"{}");
        anywhere.note(DISCOVERY, now, b"{}");
        assert!(anywhere.heard() > Duration::from_secs(1 << 40));
        anywhere.note("/oauth2/status/0", now, &list(now - 9));
        let nearly = |age: Duration, expect: u64| (expect..expect + 3).contains(&age.as_secs());
        assert!(nearly(anywhere.heard(), 9));
        // An older one, and one of the future.
        anywhere.note("/oauth2/status/0", now, &list(now - 30));
        assert!(nearly(anywhere.heard(), 9));
        anywhere.note("/oauth2/status/0", now, &list(now + 300));
        assert!(nearly(anywhere.heard(), 0));
    }
}
