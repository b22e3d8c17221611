//! Assertions with which a client shows that it is the one (RFC 7523; OpenID Connect Core 1.0, section 9).

use super::Provider;
use super::client::Client;
use super::tokens::seconds;
use crate::command::oauth::{ClientId, Spend};
use crate::secret::TokenHash;
use bongsu_base::LogTime;
use bongsu_jose::{JoseError, Signed};
use serde::{Deserialize, Serialize};

/// How far ahead of ours a client's clock may be, in seconds.
const SKEW: i64 = 30;
/// How long an assertion may be good, in seconds.
const LONGEST: i64 = 3_600;
/// The kinds of assertion: most say nothing better than that they are tokens.
const KINDS: [&str; 2] = ["jwt", "client-authentication+jwt"];

/// What an assertion says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionClaims {
    /// The client.
    pub iss: ClientId,
    /// The client again.
    pub sub: ClientId,
    /// Whom it is for.
    pub aud: Audience,
    /// Its name.
    pub jti: String,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// From when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
}

/// One or several for whom a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is for `one` alone.
    #[must_use]
    pub fn is_only(&self, one: &str) -> bool {
        match self {
            Self::One(name) => name == one,
            Self::Several(names) => matches!(&names[..], [name] if name == one),
        }
    }
}

/// An assertion is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client assertion {0}")]
pub struct AssertionError(&'static str);

/// From which client an assertion says that it is.
pub fn said_client(assertion: &str) -> Option<ClientId> {
    let claims: Result<AssertionClaims, JoseError> = Signed::parse(assertion).ok()?.unverified();
    claims.ok().map(|claims| claims.sub)
}

impl Provider {
    /// Whether `assertion` shows that it is `client` who asks at `path`; gives what tells it from others.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        path: &str,
    ) -> Result<Spend, AssertionError> {
        let claims = verified(client, assertion)?;
        if claims.iss != client.id || claims.sub != client.id {
            return Err(AssertionError("is of another client"));
        }
        // The issuer, or for clients of before the endpoint itself or the token endpoint; never more than one.
        let config = self.config();
        let places = [
            config.issuer.clone(),
            config.url(path),
            config.url("/oauth2/token"),
        ];
        if !places.iter().any(|place| claims.aud.is_only(place)) {
            return Err(AssertionError("is for another audience"));
        }
        let now = seconds(self.now());
        if claims.exp <= now || claims.exp > now.saturating_add(LONGEST + SKEW) {
            return Err(AssertionError(
                "has expired, or lasts for more than an hour",
            ));
        }
        let early = |at: Option<i64>| at.is_some_and(|at| at > now.saturating_add(SKEW));
        if early(claims.nbf) || early(claims.iat) {
            return Err(AssertionError("is of the future"));
        }
        if claims.jti.is_empty() || claims.jti.len() > 256 {
            return Err(AssertionError("has a jti that is empty or too long"));
        }
        let until = LogTime(claims.exp * 1000);
        if !self.is_first(client.id.as_str(), &claims.jti, until) {
            return Err(AssertionError("was presented before"));
        }
        let name = format!("client assertion {} {}", client.id, claims.jti);
        Ok(Spend {
            what: TokenHash::of(&name),
            until,
        })
    }
}

/// What it says, signed with one of the client's keys: that of its name, if it names one.
fn verified(client: &Client, assertion: &str) -> Result<AssertionClaims, AssertionError> {
    let signed = Signed::parse(assertion).map_err(|_| AssertionError("is no signed token"))?;
    let header = signed.header();
    // What the client signed to show something else is no assertion (RFC 8725, section 3.11).
    let known = |typ: &String| KINDS.iter().any(|kind| typ.eq_ignore_ascii_case(kind));
    if !header.typ.as_ref().is_none_or(known) {
        return Err(AssertionError("is a token of another kind"));
    }
    let kid = header.kid.clone();
    let meant = |name: &Option<String>| kid.is_none() || name.is_none() || *name == kid;
    for (_, key) in client.keys.iter().filter(|(name, _)| meant(name)) {
        let signed = Signed::parse(assertion).map_err(|_| AssertionError("is no signed token"))?;
        if let Ok(trusted) = signed.verify(key) {
            return trusted
                .claims()
                .map_err(|_| AssertionError("lacks iss, sub, aud, jti or exp"));
        }
    }
    Err(AssertionError("is not signed with a key of the client's"))
}
