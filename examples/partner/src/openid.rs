//! Signing in with an OpenID provider: the code flow of `oauth2`, and ID tokens verified with `bongsu-jose`.

use crate::Clock;
use crate::client::Sender;
use crate::settings::ProviderSettings;
use anyhow::Context;
use bongsu_jose::{JwkSet, Signed, VerifyingKey};
use bongsu_rp_kit::Fetch;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, ExtraTokenFields,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// How old, in seconds, what is known of a provider may be when somebody is led there.
const FRESH: i64 = 10;
/// How far the provider's clock may be ahead, in seconds.
const SKEW: i64 = 60;

/// What comes beside the access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct WithIdToken {
    id_token: String,
}

impl ExtraTokenFields for WithIdToken {}

type Oauth2 = Client<
    BasicErrorResponse,
    StandardTokenResponse<WithIdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Debug, Clone)]
struct Known {
    metadata: Metadata,
    keys: Vec<(Option<String>, VerifyingKey)>,
    fetched: i64,
}

/// What the service keeps to itself while somebody is at the provider.
#[derive(Debug)]
pub struct Pending {
    /// What comes back with the answer.
    pub state: String,
    nonce: String,
    verifier: String,
}

/// What the provider sent the browser back with (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    /// The code.
    pub code: Option<String>,
    /// What went out.
    pub state: Option<String>,
    /// Who answers.
    pub iss: Option<String>,
    /// What is wrong.
    pub error: Option<String>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The provider cannot be reached.
    #[error("it cannot be reached: {0}")]
    Lost(String),
    /// The provider, or the person, said no.
    #[error("it said no: {0}")]
    Refused(String),
    /// What came back is not an answer of the provider's to this browser.
    #[error("its answer is not for this sign-in: {0}")]
    Foreign(&'static str),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What an ID token says (OpenID Connect Core 1.0, section 2).
#[derive(Deserialize)]
struct IdClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
}

/// A provider.
pub struct OpenId {
    settings: ProviderSettings,
    redirect: RedirectUrl,
    fetch: Arc<dyn Fetch>,
    sender: Sender,
    clock: Clock,
    known: RwLock<Option<Known>>,
}

impl OpenId {
    /// The provider with these settings, which sends people back to `redirect`.
    pub fn new(
        settings: ProviderSettings,
        redirect: String,
        fetch: Arc<dyn Fetch>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            settings,
            redirect: RedirectUrl::new(redirect).context("the service's URL is none")?,
            fetch,
            sender: Sender::default(),
            clock,
            known: RwLock::default(),
        })
    }

    /// What is known of the provider. Nobody is led to one that does not answer, whatever was heard of it before.
    async fn known(&self) -> Result<Known, SignInError> {
        let now = (self.clock)();
        let known = self.known.read().clone();
        match known {
            Some(known) if now - known.fetched < FRESH => Ok(known),
            _ => self.look(now).await.map_err(SignInError::Lost),
        }
    }

    async fn look(&self, now: i64) -> Result<Known, String> {
        let issuer = &self.settings.issuer;
        let address = format!("{issuer}/.well-known/openid-configuration");
        let told = self.fetch.get(&address).await?;
        let metadata: Metadata =
            serde_json::from_slice(&told.body).map_err(|error| error.to_string())?;
        if metadata.issuer != *issuer {
            return Err(format!("it says that it is {}", metadata.issuer));
        }
        let told = self.fetch.get(&metadata.jwks_uri).await?;
        let set: JwkSet = serde_json::from_slice(&told.body).map_err(|error| error.to_string())?;
        let keys = set.keys.iter();
        let keys =
            keys.filter_map(|jwk| Some((jwk.kid.clone(), VerifyingKey::new(&jwk.key).ok()?)));
        let known = Known {
            metadata,
            keys: keys.collect(),
            fetched: now,
        };
        *self.known.write() = Some(known.clone());
        Ok(known)
    }

    fn client(&self) -> Oauth2 {
        Client::new(ClientId::new(self.settings.client.clone()))
            .set_client_secret(ClientSecret::new(self.settings.secret.clone()))
    }

    /// Where the browser is led, and what is kept until it comes back.
    ///
    /// # Errors
    /// When the provider is lost.
    pub async fn begin(&self) -> Result<(Url, Pending), SignInError> {
        let known = self.known().await?;
        let client = self
            .client()
            .set_auth_uri(known.metadata.authorization_endpoint)
            .set_redirect_uri(self.redirect.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().into_secret();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("openid".to_owned()))
            .add_extra_param("nonce", &nonce)
            .set_pkce_challenge(challenge)
            .url();
        let pending = Pending {
            state: state.into_secret(),
            nonce,
            verifier: verifier.into_secret(),
        };
        Ok((url, pending))
    }

    /// Who signed in: the `sub` of the ID token.
    ///
    /// # Errors
    /// When nobody did, or the answer is not the provider's.
    pub async fn finish(&self, pending: Pending, back: Back) -> Result<String, SignInError> {
        let known = self.known().await?;
        // Before anything else of the answer is heeded: it may be another provider's (RFC 9207, section 2.4).
        match &back.iss {
            Some(iss) if *iss != self.settings.issuer => {
                return Err(SignInError::Foreign("another provider answers"));
            }
            None if known
                .metadata
                .authorization_response_iss_parameter_supported =>
            {
                return Err(SignInError::Foreign("it does not say who answers"));
            }
            _ => {}
        }
        if let Some(error) = back.error {
            return Err(SignInError::Refused(error));
        }
        let code = back.code.ok_or(SignInError::Foreign("there is no code"))?;
        let client = self
            .client()
            .set_token_uri(known.metadata.token_endpoint.clone())
            .set_redirect_uri(self.redirect.clone());
        let send = |request| self.sender.clone().send(request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier))
            .request_async(&send)
            .await;
        let tokens = tokens.map_err(|error| match error {
            oauth2::RequestTokenError::Request(error) => SignInError::Lost(error.to_string()),
            other => SignInError::Refused(other.to_string()),
        })?;
        self.subject(&tokens.extra_fields().id_token, &pending.nonce, known)
            .await
    }

    /// Whose ID token it is (OpenID Connect Core 1.0, section 3.1.3.7).
    async fn subject(&self, token: &str, nonce: &str, known: Known) -> Result<String, SignInError> {
        let foreign = |why| SignInError::Foreign(why);
        let now = (self.clock)();
        let claims = match claims(token, &known) {
            Some(claims) => claims,
            // The key may be newer than what is known.
            None => {
                let known = self.look(now).await.map_err(SignInError::Lost)?;
                claims(token, &known).ok_or(foreign("the ID token is not signed by it"))?
            }
        };
        let ours = match &claims.aud {
            Audience::One(one) => *one == self.settings.client,
            Audience::Several(all) => matches!(&all[..], [one] if *one == self.settings.client),
        };
        if claims.iss != self.settings.issuer || !ours {
            return Err(foreign("the ID token is for somebody else"));
        }
        if claims.exp <= now || claims.iat > now + SKEW {
            return Err(foreign("the ID token is not of now"));
        }
        if claims.nonce.as_deref() != Some(nonce) {
            return Err(foreign("the ID token is for another sign-in"));
        }
        Ok(claims.sub)
    }
}

/// What the token says, if one of the known keys signed it.
fn claims(token: &str, known: &Known) -> Option<IdClaims> {
    let kid = Signed::parse(token).ok()?.header().kid.clone();
    let mut keys = known.keys.iter();
    keys.find_map(|(name, key)| {
        let meant = kid.is_none() || *name == kid;
        let signed = Signed::parse(token).ok().filter(|_| meant)?;
        signed.verify(key).ok()?.claims().ok()
    })
}
