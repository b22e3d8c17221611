//! Clients: what they say of themselves (RFC 7591; OpenID Connect Dynamic Client Registration 1.0) and what is made of it.

use super::scope::{Scope, Scopes};
use crate::command::oauth::ClientId;
use crate::secret::TokenHash;
use crate::state::oauth::client::ClientRow;
use bongsu_base::LogTime;
use bongsu_fetch::{is_own_machine, is_service};
use bongsu_jose::{Algorithm, JwkSet, VerifyingKey};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// How a client shows that it is the one (RFC 7591, section 2; OpenID Connect Core 1.0, section 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Not at all: it can keep no secret.
    None,
    /// With its secret in the `Authorization` header.
    #[default]
    ClientSecretBasic,
    /// With its secret in the form.
    ClientSecretPost,
    /// With an assertion that it signs.
    PrivateKeyJwt,
}

impl Authentication {
    /// Whether it has a secret.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// What tokens can be asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Grant {
    /// An authorization code (RFC 6749, section 4.1).
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// A refresh token (section 6).
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// Being the client (section 4.4).
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// A device code (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
}

/// What comes back from the authorization endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// A code.
    Code,
}

/// Where a client runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a server, or in a browser.
    #[default]
    Web,
    /// On a person's device.
    Native,
}

/// By what name a client knows people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same name for every client.
    Public,
}

/// What a client says of itself. What is not known here is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Metadata {
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its picture; not shown, since nothing is fetched from elsewhere by the pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// What it does with what it learns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Where codes are sent, exactly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after they signed out, exactly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// `code` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<ResponseType>>,
    /// What it asks for tokens with; `authorization_code` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<Grant>>,
    /// Where it runs.
    pub application_type: ApplicationType,
    /// How it shows that it is the one.
    pub token_endpoint_auth_method: Authentication,
    /// The scopes that it may have beyond those known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<JwkSet>,
    /// Where its keys are: not taken, since signing in would depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// How its ID tokens are signed; `RS256` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// How its access tokens are signed; `EdDSA` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub access_token_signed_response_alg: Option<Algorithm>,
    /// How answers of the userinfo endpoint are signed; not at all where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// How answers of the introspection endpoint are signed that it wants signed (RFC 9701); `RS256` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// How answers of the authorization endpoint are signed that it wants signed (JARM); `RS256` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// Where it is told that somebody signed out (OpenID Connect Back-Channel Logout 1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether that has to say in which browser; it always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_required: Option<bool>,
    /// Whether all its tokens are bound to keys (RFC 9449, section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_bound_access_tokens: Option<bool>,
    /// Whether it may ask only with requests that it pushed (RFC 9126, section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pushed_authorization_requests: Option<bool>,
    /// How long ago at most people showed who they are, in seconds, where it does not say each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// By what name it knows people: `public` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
}

/// Why a client's description is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A redirect URI cannot be used.
    #[error(
        "`{0}` is no redirect URI: expected https, http on the own machine, or for native clients a scheme with a \
         dot in it; without a fragment, credentials or white space"
    )]
    RedirectUri(String),
    /// Its name cannot be shown to people.
    #[error("client_name is blank, or has characters that are not seen")]
    Name,
    /// There is none, and codes need one.
    #[error("redirect_uris is empty, and authorization codes are sent to one")]
    NoRedirectUri,
    /// There are too many, or something is too long.
    #[error("too much: at most 20 URIs of 2,000 bytes each and a name of 200 bytes")]
    TooMuch,
    /// Something else is a URL that is none.
    #[error("{0} is not an https URL")]
    Url(&'static str),
    /// Keys belong to `private_key_jwt`.
    #[error(
        "private_key_jwt needs jwks with a key of Ed25519, P-256 or RSA; jwks_uri is not taken"
    )]
    Keys,
    /// What was asked for together cannot be had together.
    #[error("{0}")]
    Together(&'static str),
    /// Not a scope.
    #[error(transparent)]
    Scope(#[from] super::scope::ScopeError),
    /// Not of its form.
    #[error("the description is not of its form: {0}")]
    Form(String),
}

/// A client that was found sound.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What it says.
    pub metadata: Metadata,
    /// Its keys, with their names.
    pub keys: Vec<(Option<String>, VerifyingKey)>,
    /// The scopes that it may have beyond those known here.
    pub scopes: Scopes,
    /// Whether people are not asked before it learns of them.
    pub trusted: bool,
    secret: Option<TokenHash>,
    old_secret: Option<(TokenHash, LogTime)>,
}

const MOST_URIS: usize = 20;
const LONGEST_URI: usize = 2_000;
const LONGEST_NAME: usize = 200;

impl Metadata {
    /// What it asks for tokens with.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        self.grant_types
            .as_deref()
            .unwrap_or(&[Grant::AuthorizationCode])
    }

    /// Looks whether all of it goes together.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn check(&self) -> Result<(), MetadataError> {
        let uris = self.redirect_uris.iter();
        let all: Vec<&String> = uris.chain(&self.post_logout_redirect_uris).collect();
        let long = |text: &&String| text.len() > LONGEST_URI;
        let name = self.client_name.as_ref().map_or(0, String::len);
        if all.len() > MOST_URIS || all.iter().any(long) || name > LONGEST_NAME {
            return Err(MetadataError::TooMuch);
        }
        if self
            .client_name
            .as_deref()
            .is_some_and(|name| !is_name(name))
        {
            return Err(MetadataError::Name);
        }
        let native = self.application_type == ApplicationType::Native;
        for uri in all {
            if !is_redirect_uri(uri, native) {
                return Err(MetadataError::RedirectUri(uri.clone()));
            }
        }
        let grants = self.grants();
        if self.redirect_uris.is_empty() && grants.contains(&Grant::AuthorizationCode) {
            return Err(MetadataError::NoRedirectUri);
        }
        for (name, url) in [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ] {
            let sound = |text: &String| text.len() <= LONGEST_URI && is_web_url(text);
            if !url.as_ref().is_none_or(sound) {
                return Err(MetadataError::Url(name));
            }
        }
        let keyed = self.token_endpoint_auth_method == Authentication::PrivateKeyJwt;
        if self.jwks_uri.is_some() || keyed && self.verifying_keys().is_empty() {
            return Err(MetadataError::Keys);
        }
        let none = self.token_endpoint_auth_method == Authentication::None;
        if none && grants.contains(&Grant::ClientCredentials) {
            let why = "client_credentials are for clients that show that they are the ones";
            return Err(MetadataError::Together(why));
        }
        if let Some(scope) = &self.scope {
            Scopes::parse(scope)?;
        }
        Ok(())
    }

    fn verifying_keys(&self) -> Vec<(Option<String>, VerifyingKey)> {
        let keys = self.jwks.iter().flat_map(|set| &set.keys);
        let keys = keys.filter(|key| key.alg.is_none_or(|alg| alg == key.key.algorithm()));
        keys.filter_map(|key| Some((key.kid.clone(), VerifyingKey::new(&key.key).ok()?)))
            .collect()
    }
}

impl Client {
    /// The client of this row.
    ///
    /// # Errors
    /// When what it said cannot be read.
    pub fn of(row: ClientRow) -> Result<Self, MetadataError> {
        let metadata: Metadata = serde_json::from_str(&row.metadata)
            .map_err(|error| MetadataError::Form(error.to_string()))?;
        let scopes = Scopes::parse(metadata.scope.as_deref().unwrap_or_default())?;
        Ok(Self {
            id: row.client,
            keys: metadata.verifying_keys(),
            scopes,
            metadata,
            trusted: row.trusted,
            secret: row.secret,
            old_secret: row.old_secret,
        })
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.metadata.client_name.as_deref() {
            Some(name) if !name.trim().is_empty() => name,
            _ => self.id.as_str(),
        }
    }

    /// Whether `presented` is its secret. Hashes are compared, so that the time tells nothing.
    #[must_use]
    pub fn is_secret(&self, presented: &str, now: LogTime) -> bool {
        let hash = TokenHash::of(presented);
        let old = self.old_secret.as_ref();
        self.secret == Some(hash) || old.is_some_and(|(old, until)| *old == hash && *until > now)
    }

    /// Whether it can show in no way that it is the one (RFC 6749, section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.metadata.token_endpoint_auth_method == Authentication::None
    }

    /// Whether it may ask for tokens with this.
    #[must_use]
    pub fn may(&self, grant: Grant) -> bool {
        self.metadata.grants().contains(&grant)
    }

    /// How its ID tokens are signed.
    #[must_use]
    pub fn id_token_algorithm(&self) -> Algorithm {
        let said = self.metadata.id_token_signed_response_alg;
        said.unwrap_or(Algorithm::Rs256)
    }

    /// How its access tokens are signed.
    #[must_use]
    pub fn access_token_algorithm(&self) -> Algorithm {
        let said = self.metadata.access_token_signed_response_alg;
        said.unwrap_or(Algorithm::EdDsa)
    }

    /// Whether a code may be sent to `uri`: one of those that it registered, to the letter. For a native client the port
    /// is free on the person's own machine (RFC 8252, section 7.3).
    #[must_use]
    pub fn takes_redirect(&self, uri: &str) -> bool {
        let native = self.metadata.application_type == ApplicationType::Native;
        let mut registered = self.metadata.redirect_uris.iter();
        registered.any(|one| one == uri || native && is_same_but_for_port(one, uri))
    }

    /// Whether people may be sent to `uri` after they signed out.
    #[must_use]
    pub fn takes_after_logout(&self, uri: &str) -> bool {
        let mut registered = self.metadata.post_logout_redirect_uris.iter();
        registered.any(|one| one == uri)
    }

    /// What of `asked` it may have with a person's agreement. What is not known is passed over.
    #[must_use]
    pub fn allowed(&self, asked: Scopes) -> Scopes {
        asked.only(|scope| match scope {
            Scope::Other(_) => self.scopes.has(scope),
            _ => true,
        })
    }
}

/// Whether people see what `text` says, and nothing else in the place of it.
fn is_name(text: &str) -> bool {
    // Unicode's format characters: they are not seen, and turn around or tear apart what stands beside them.
    let hidden = |c| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    !text.trim().is_empty() && !text.chars().any(|c| c.is_control() || hidden(c))
}

/// Whether codes can be sent to `text`. Its host has to be written as it is understood, so that people are led where they
/// were told.
fn is_redirect_uri(text: &str, native: bool) -> bool {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return false;
    }
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    if text.contains('#') || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let place = text.split_once("://").map_or("", |(_, rest)| rest);
    let place = &place[..place.find(['/', '?']).unwrap_or(place.len())];
    let host = url.host_str().unwrap_or_default();
    let starts = place
        .get(..host.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(host));
    let is_written = starts && matches!(place.as_bytes().get(host.len()), None | Some(b':'));
    match url.scheme() {
        "https" => url.has_host() && is_written && !host.contains('*'),
        "http" => is_own_machine(&url) && is_written,
        // RFC 8252, section 7.1: the reverse of a domain name.
        scheme => native && scheme.contains('.') && !url.cannot_be_a_base(),
    }
}

fn is_same_but_for_port(registered: &str, uri: &str) -> bool {
    match (without_port(registered), without_port(uri)) {
        (Some(one), Some(other)) => one == other && is_redirect_uri(uri, true),
        _ => false,
    }
}

/// Host and rest of an http address on the own machine, letter by letter: nothing of it is put in order first.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let local = Url::parse(uri).is_ok_and(|url| is_own_machine(&url));
    let rest = uri.strip_prefix("http://").filter(|_| local)?;
    let (place, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = match place.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => place,
    };
    Some((host, rest))
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_service(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_sound() {
        for (uri, web, native) in [
            ("https://shop.example/in", true, true),
            ("https://shop.example/in?a=b", true, true),
            ("http://127.0.0.1/in", true, true),
            ("http://[::1]:8000/in", true, true),
            ("http://localhost/in", true, true),
            ("example.shop:/in", false, true),
            ("example.shop://in", false, true),
            ("http://shop.example/in", false, false),
            ("http://127.0.0.1.shop.example/in", false, false),
            ("https://shop.example/in#", false, false),
            ("https://mina@shop.example/in", false, false),
            ("https://shop.example/in\n", false, false),
            ("https://shop.example/a b", false, false),
            ("https://shop.example:8443/in", true, true),
            ("https://Shop.example/in", true, true),
            ("https://shop.example\\@evil.example/in", false, false),
            ("https://shop.example%2eevil.example/in", false, false),
            ("https://shöp.example/in", false, false),
            ("https://*.shop.example/in", false, false),
            ("http://127.1/in", false, false),
            ("javascript:alert(1)", false, false),
            ("data:text/html,a", false, false),
            ("shop:/in", false, false),
            ("/in", false, false),
            ("//shop.example/in", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_redirect_uri(uri, false), web, "{uri}");
            assert_eq!(is_redirect_uri(uri, true), native, "{uri}");
        }
    }

    #[test]
    fn a_name_is_seen() {
        for (name, expect) in [
            ("가게 \u{1f6cd}", true),
            ("Mina's (new)", true),
            (" ", false),
            ("a\u{7}b", false),
            ("\u{202e}knab", false),
            ("\u{200b}", false),
        ] {
            assert_eq!(is_name(name), expect, "{name:?}");
        }
    }

    #[test]
    fn a_redirect_is_taken_to_the_letter() {
        let client = |registered: &str, application_type| {
            let metadata = Metadata {
                application_type,
                redirect_uris: vec![registered.to_owned()],
                ..Metadata::default()
            };
            let row = ClientRow {
                client: "shop".parse().unwrap(),
                metadata: serde_json::to_string(&metadata).unwrap(),
                secret: None,
                old_secret: None,
                logout_uri: None,
                trusted: false,
                registered: false,
                made: LogTime(0),
            };
            Client::of(row).unwrap()
        };
        let (web, native) = ("https://shop.example/in", "http://127.0.0.1/in");
        for (registered, uri, expect) in [
            (web, "https://shop.example/in", true),
            (web, "https://shop.example/in/", false),
            (web, "https://shop.example/in?x=1", false),
            (web, "https://shop.example:443/in", false),
            (web, "https://SHOP.example/in", false),
            (web, "https://shop.example/./in", false),
            (web, "https://shop.example/in#a", false),
            (web, "https://shop.example/x/../in", false),
            (web, "https://shop.example@evil.example/in", false),
            ("https://shop.example/", "https://shop.example", false),
            (native, "http://127.0.0.1:49152/in", true),
            ("http://[::1]/in", "http://[::1]:49152/in", true),
            ("http://127.0.0.1:80/in", "http://127.0.0.1/in", true),
            (native, "http://127.0.0.1:49152/x/../in", false),
            (native, "http://127.1:49152/in", false),
            (native, "http://2130706433:49152/in", false),
            (native, "http://localhost:49152/in", false),
            (native, "http://127.0.0.1:49152/%69n", false),
            (native, "http://127.0.0.1:/in", false),
            (native, "http://127.0.0.1:65536/in", false),
            (native, "HTTP://127.0.0.1:49152/in", false),
            (native, "http://127.0.0.2:49152/in", false),
            (native, "http://127.0.0.1:49152/other", false),
            (native, "http://127.0.0.1:80@evil.example/in", false),
            (native, "https://127.0.0.1:49152/in", false),
        ] {
            let takes = |kind| client(registered, kind).takes_redirect(uri);
            assert_eq!(takes(ApplicationType::Native), expect, "{registered} {uri}");
            let to_the_letter = registered == uri;
            assert_eq!(
                takes(ApplicationType::Web),
                to_the_letter,
                "{registered} {uri}"
            );
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let check = |json: &str| serde_json::from_str::<Metadata>(json).unwrap().check();
        let ok = r#"{"redirect_uris":["https://a.example/"]"#;
        assert_eq!(check(&format!("{ok}}}")), Ok(()));
        assert_eq!(check("{}"), Err(MetadataError::NoRedirectUri));
        for (more, expect) in [
            (
                r#","jwks_uri":"https://a.example/keys""#,
                MetadataError::Keys,
            ),
            (
                r#","token_endpoint_auth_method":"private_key_jwt""#,
                MetadataError::Keys,
            ),
            (
                r#","client_uri":"javascript:1""#,
                MetadataError::Url("client_uri"),
            ),
            (
                r#","backchannel_logout_uri":"http://a.example/""#,
                MetadataError::Url("backchannel_logout_uri"),
            ),
        ] {
            assert_eq!(check(&format!("{ok}{more}}}")), Err(expect), "{more}");
        }
        let public =
            r#"{"grant_types":["client_credentials"],"token_endpoint_auth_method":"none"}"#;
        assert!(matches!(check(public), Err(MetadataError::Together(_))));
        for json in [
            r#"{"grant_types":["implicit"]}"#,
            r#"{"response_types":["token"]}"#,
            r#"{"id_token_signed_response_alg":"none"}"#,
            r#"{"token_endpoint_auth_method":"tls_client_auth"}"#,
        ] {
            assert!(serde_json::from_str::<Metadata>(json).is_err(), "{json}");
        }
    }
}
