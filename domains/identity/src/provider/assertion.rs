//! Assertions with which a client shows that it is the one (RFC 7523; OpenID Connect Core 1.0, section 9).

use super::Provider;
use super::client::Client;
use super::numeric_date::NumericDate;
use super::tokens::seconds;
use crate::command::oauth::{ClientId, Spend};
use crate::secret::TokenHash;
use bongsu_base::LogTime;
use bongsu_jose::{JoseError, Signed};
use serde::Deserialize;

/// How far ahead of ours a client's clock may be, in seconds.
const SKEW: i64 = 30;
/// How long an assertion may be good, in seconds.
const LONGEST: i64 = 3_600;
/// The kinds of assertion: most say nothing better than that they are tokens.
const KINDS: [&str; 2] = ["jwt", "client-authentication+jwt"];

/// What an assertion says, as far as it says it.
#[derive(Debug, Deserialize)]
struct Told {
    iss: Option<ClientId>,
    sub: Option<ClientId>,
    aud: Option<Audience>,
    jti: Option<String>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
}

/// What an assertion says.
#[derive(Debug)]
struct AssertionClaims {
    /// The client.
    iss: ClientId,
    /// The client again.
    sub: ClientId,
    /// Whom it is for.
    aud: Audience,
    /// Its name.
    jti: String,
    /// When it expires.
    exp: i64,
    /// From when it is good.
    nbf: Option<i64>,
    /// When it was made.
    iat: Option<i64>,
}

/// One or several for whom a token is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is for `one` alone.
    fn is_only(&self, one: &str) -> bool {
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

impl From<JoseError> for AssertionError {
    fn from(error: JoseError) -> Self {
        Self(match error {
            JoseError::Form => "is no signed token",
            JoseError::TooLong => "is too long",
            JoseError::Algorithm => "is not signed with an algorithm that is taken",
            JoseError::Critical => "demands an extension (crit) that is not known here",
            JoseError::Key => "brings a key that cannot be used",
            JoseError::Signature => "is not signed with a key of the client's",
            JoseError::Claims => "has a claim that is not of its form",
        })
    }
}

impl TryFrom<Told> for AssertionClaims {
    type Error = AssertionError;

    fn try_from(told: Told) -> Result<Self, AssertionError> {
        let at = |date: Option<NumericDate>| date.map(|NumericDate(seconds)| seconds);
        Ok(Self {
            iss: told.iss.ok_or(AssertionError("lacks iss"))?,
            sub: told.sub.ok_or(AssertionError("lacks sub"))?,
            aud: told.aud.ok_or(AssertionError("lacks aud"))?,
            jti: told.jti.ok_or(AssertionError("lacks jti"))?,
            exp: at(told.exp).ok_or(AssertionError("lacks exp"))?,
            nbf: at(told.nbf),
            iat: at(told.iat),
        })
    }
}

/// From which client an assertion says that it is.
///
/// # Errors
/// Why it cannot be one.
pub fn said_client(assertion: &str) -> Result<ClientId, AssertionError> {
    let told: Told = Signed::parse(assertion)?.unverified()?;
    told.sub.ok_or(AssertionError("lacks sub"))
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
    let signed = Signed::parse(assertion)?;
    let header = signed.header();
    // What the client signed to show something else is no assertion (RFC 8725, section 3.11).
    let known = |typ: &String| KINDS.iter().any(|kind| typ.eq_ignore_ascii_case(kind));
    if !header.typ.as_ref().is_none_or(known) {
        return Err(AssertionError("is a token of another kind"));
    }
    let kid = header.kid.clone();
    let meant = |name: &Option<String>| kid.is_none() || name.is_none() || *name == kid;
    for (_, key) in client.keys.iter().filter(|(name, _)| meant(name)) {
        if let Ok(trusted) = Signed::parse(assertion)?.verify(key) {
            return trusted.claims::<Told>()?.try_into();
        }
    }
    Err(AssertionError("is not signed with a key of the client's"))
}
