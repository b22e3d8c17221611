//! The tokens that clients get (RFC 9068; OpenID Connect Core 1.0, section 2), made of an outcome.

use super::claims::{Claim, Claims, PASSWORD};
use super::client::Client;
use super::scope::{Scope, Scopes};
use super::status::StatusClaim;
use super::{Keys, Provider, Refreshable};
use crate::command::oauth::{Begun, ClientId, Issued, SessionNo};
use crate::query;
use crate::secret::TokenHash;
use bongsu_base::{DeviceId, LogTime, UserId};
use bongsu_jose::{Algorithm, Signed};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// The kind of an access token (RFC 9068, section 2.1).
const ACCESS: &str = "at+jwt";
/// The kind of an ID token.
const ID: &str = "JWT";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who made it.
    pub iss: String,
    /// Whose it is: a person, or the client itself.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// The client.
    pub client_id: ClientId,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// Its name.
    pub jti: String,
    /// What it is for.
    pub scope: String,
    /// The client's session; a client that is there for itself has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionNo>,
    /// The device that the session is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// When the person showed who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The key that it is bound to (RFC 7800).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Where it is told whether it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusClaim>,
}

/// A key that a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Its thumbprint (RFC 9449, section 6.1).
    pub jkt: String,
}

/// What an ID token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// Who made it.
    pub iss: String,
    /// Who signed in.
    pub sub: String,
    /// The client.
    pub aud: ClientId,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When the person showed who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What the client asked to be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How the person showed who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// With what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// In which browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
}

/// What the token endpoint answers (RFC 6749, section 5.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// How it is presented.
    pub token_type: TokenType,
    /// How long it lasts, in seconds.
    pub expires_in: i64,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What it is for.
    pub scope: String,
}

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// By itself (RFC 6750).
    Bearer,
    /// With a proof (RFC 9449).
    #[serde(rename = "DPoP")]
    DPoP,
}

/// There is no key to sign with: none was made yet, or this process cannot open those that were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sign-in has no key that can be used here yet; if that lasts, the log says why")]
pub struct NoKey;

/// An access token that is good.
#[derive(Debug, Clone)]
pub struct Access {
    /// What it says.
    pub claims: AccessClaims,
    /// What it is for.
    pub scopes: Scopes,
    /// Whose it is; `None` for a client that is there for itself.
    pub user: Option<UserId>,
    /// The claims that were asked for beyond the scope.
    pub wanted: Claims,
}

/// Whole seconds since 1970.
pub(crate) const fn seconds(at: LogTime) -> i64 {
    at.0.div_euclid(1000)
}

/// A thumbprint as text.
pub(crate) fn thumbprint(jkt: &[u8; 32]) -> String {
    BASE64URL_NOPAD.encode(jkt)
}

impl Provider {
    /// What a client gets whose session has these tokens.
    pub(crate) fn answer(
        &self,
        keys: &Keys,
        client: &Client,
        issued: &Issued,
    ) -> Result<TokenAnswer, NoKey> {
        let claims = self.access_claims(client, issued);
        let algorithm = client.access_token_algorithm();
        let access_token = self.sign(keys, algorithm, ACCESS, issued.at, &claims)?;
        let refresh_token = match issued.generation {
            0 => None,
            generation => {
                let key = keys.secret(issued.at).ok_or(NoKey)?;
                Some(key.refresh_token(Refreshable {
                    session: issued.session,
                    generation,
                }))
            }
        };
        Ok(TokenAnswer {
            access_token,
            token_type: token_type(issued.jkt.as_ref()),
            expires_in: issued.lasts.0 / 1000,
            refresh_token,
            id_token: None,
            scope: issued.scope.clone(),
        })
    }

    fn access_claims(&self, client: &Client, issued: &Issued) -> AccessClaims {
        let iat = seconds(issued.at);
        // Unlike for any other token: a session's generations are.
        let mut name = issued.session.0.to_be_bytes().to_vec();
        name.extend(issued.generation.to_be_bytes());
        // A lost answer may be asked for again with another key.
        name.extend(issued.jkt.iter().flat_map(|jkt| &jkt[..8]));
        AccessClaims {
            iss: self.config().issuer.clone(),
            sub: issued.user.to_string(),
            aud: self.config().issuer.clone(),
            client_id: client.id.clone(),
            iat,
            exp: iat + issued.lasts.0 / 1000,
            jti: BASE64URL_NOPAD.encode(&name),
            scope: issued.scope.clone(),
            session: Some(issued.session),
            device: Some(issued.device.clone()),
            auth_time: Some(seconds(issued.auth_time)),
            acr: Some(PASSWORD.to_owned()),
            cnf: issued.jkt.as_ref().map(|jkt| Confirmation {
                jkt: thumbprint(jkt),
            }),
            status: Some(self.status(issued.session)),
        }
    }

    /// What a client gets that is there for itself.
    pub(crate) fn own_answer(
        &self,
        keys: &Keys,
        client: &Client,
        (scopes, jkt): (&Scopes, Option<[u8; 32]>),
    ) -> Result<TokenAnswer, NoKey> {
        let now = self.now();
        let lasts = self.config().access_token.0 / 1000;
        let claims = AccessClaims {
            iss: self.config().issuer.clone(),
            sub: client.id.to_string(),
            aud: self.config().issuer.clone(),
            client_id: client.id.clone(),
            iat: seconds(now),
            exp: seconds(now) + lasts,
            jti: BASE64URL_NOPAD.encode(&self.random::<16>()),
            scope: scopes.to_string(),
            session: None,
            device: None,
            auth_time: None,
            acr: None,
            cnf: jkt.as_ref().map(|jkt| Confirmation {
                jkt: thumbprint(jkt),
            }),
            // It says all there is, and lasts a few minutes.
            status: None,
        };
        let algorithm = client.access_token_algorithm();
        Ok(TokenAnswer {
            access_token: self.sign(keys, algorithm, ACCESS, now, &claims)?,
            token_type: token_type(jkt.as_ref()),
            expires_in: lasts,
            refresh_token: None,
            id_token: None,
            scope: claims.scope,
        })
    }

    /// The ID token of a session that begins. `name` is the person's.
    pub(crate) fn id_token(
        &self,
        keys: &Keys,
        client: &Client,
        begun: &Begun,
        name: Option<String>,
    ) -> Result<String, NoKey> {
        let issued = &begun.issued;
        let wanted = Claims::of(begun.claims.as_deref());
        let wants = |claim| wanted.id_token.contains_key(&claim);
        let iat = seconds(issued.at);
        let username = wants(Claim::PreferredUsername);
        let claims = IdClaims {
            iss: self.config().issuer.clone(),
            sub: issued.user.to_string(),
            aud: client.id.clone(),
            exp: iat + issued.lasts.0 / 1000,
            iat,
            auth_time: Some(seconds(issued.auth_time)),
            nonce: begun.nonce.clone(),
            acr: Some(PASSWORD.to_owned()),
            amr: vec!["pwd".to_owned()],
            sid: issued.browser.as_ref().map(DeviceId::to_string),
            name: name.filter(|_| wants(Claim::Name)),
            preferred_username: username.then(|| issued.user.localpart().to_owned()),
        };
        self.sign(keys, client.id_token_algorithm(), ID, issued.at, &claims)
    }

    pub(crate) fn sign(
        &self,
        keys: &Keys,
        algorithm: Algorithm,
        typ: &str,
        at: LogTime,
        claims: &impl Serialize,
    ) -> Result<String, NoKey> {
        let key = keys.signing(algorithm, at).ok_or(NoKey)?;
        key.sign(typ, claims).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            NoKey
        })
    }

    /// What an access token says, if it was made here, has not expired and its session goes on.
    ///
    /// # Errors
    /// When it could not be looked up now.
    pub(crate) async fn access(
        &self,
        token: &str,
    ) -> Result<Option<Access>, bongsu_lane::ReadError> {
        let Some(claims) = self.said_by(token).await? else {
            return Ok(None);
        };
        let now = seconds(self.now());
        if claims.exp <= now || claims.iss != self.config().issuer {
            return Ok(None);
        }
        let Ok(scopes) = Scopes::parse(&claims.scope) else {
            return Ok(None);
        };
        let Some(n) = claims.session else {
            let there = self.client(&claims.client_id).await?.is_some();
            let name = own_token(&claims);
            let look = |view: &bongsu_lane::ReadView<'_>| query::is_spent(view, &name);
            let ended = self.accounts.read(look).await?;
            return Ok((there && !ended).then(|| Access {
                claims,
                scopes,
                user: None,
                wanted: Claims::default(),
            }));
        };
        let found = self
            .accounts
            .read(|view| query::live_session(view, n))
            .await?;
        let found = found.filter(|session| session.client == claims.client_id);
        Ok(found.map(|session| Access {
            claims,
            scopes,
            user: Some(session.user),
            wanted: Claims::of(session.claims.as_deref()),
        }))
    }

    /// The claims of an access token that was made here, whether or not it is good still.
    pub(crate) async fn said_by(
        &self,
        token: &str,
    ) -> Result<Option<AccessClaims>, bongsu_lane::ReadError> {
        let Some(signed) = of_kind(token, ACCESS) else {
            return Ok(None);
        };
        let Some(kid) = signed.header().kid.clone() else {
            return Ok(None);
        };
        let key = self.verifying(&kid).await?;
        Ok(key.and_then(|key| signed.verify(&key).ok()?.claims().ok()))
    }

    /// The claims of an ID token that was made here; it may have expired (OpenID Connect RP-Initiated Logout 1.0,
    /// section 2).
    pub(crate) async fn hinted(
        &self,
        token: &str,
    ) -> Result<Option<IdClaims>, bongsu_lane::ReadError> {
        let Some(signed) = of_kind(token, ID) else {
            return Ok(None);
        };
        let Some(kid) = signed.header().kid.clone() else {
            return Ok(None);
        };
        let key = self.verifying(&kid).await?;
        let claims: Option<IdClaims> = key.and_then(|key| signed.verify(&key).ok()?.claims().ok());
        Ok(claims.filter(|claims| claims.iss == self.config().issuer))
    }

    /// Whether a text could be an access token of the provider's, and not one of the messenger's own.
    #[must_use]
    pub fn is_access_token(token: &str) -> bool {
        token.starts_with("eyJ")
    }

    /// The name that a person shows.
    pub(crate) async fn display_name(
        &self,
        user: &UserId,
    ) -> Result<Option<String>, bongsu_lane::ReadError> {
        let fields = self
            .accounts
            .read(|view| query::profile(view, user))
            .await?;
        let mut fields = fields.unwrap_or_default().into_iter();
        let found = fields.find(|(field, _)| field == "displayname");
        Ok(found.and_then(|(_, json)| serde_json::from_str(&json).ok()))
    }

    /// Whether a person's name is for a client with these scopes.
    pub(crate) fn shows_profile(scopes: &Scopes) -> bool {
        scopes.has(&Scope::Profile)
    }
}

/// What tells a token of a client's own from others.
pub(crate) fn own_token(claims: &AccessClaims) -> TokenHash {
    TokenHash::of(&format!("access token {} {}", claims.client_id, claims.jti))
}

/// The token, if it is one of this kind: a token of one kind is never taken for another (RFC 8725, section 3.11).
fn of_kind<'a>(token: &'a str, kind: &str) -> Option<Signed<'a>> {
    let signed = Signed::parse(token).ok()?;
    let typ = signed.header().typ.as_deref()?;
    typ.eq_ignore_ascii_case(kind).then_some(signed)
}

const fn token_type(jkt: Option<&[u8; 32]>) -> TokenType {
    if jkt.is_some() {
        TokenType::DPoP
    } else {
        TokenType::Bearer
    }
}
