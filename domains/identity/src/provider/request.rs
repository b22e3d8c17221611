//! Authorization requests (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1): from what came in to
//! what it means.

use super::claims::{Claims, PASSWORD};
use super::client::{Client, Grant};
use super::scope::{Scope, Scopes};
use crate::command::oauth::ClientId;
use bongsu_jose::Algorithm;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// The parameters, as they came. Those that are not known are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What is to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_type: Option<String>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mode: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// What is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What is to come back unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the ID token has to repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The hash of what the client keeps to itself (RFC 7636).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
    /// How it was hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge_method: Option<String>,
    /// What the person is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// How long ago at most they showed who they are, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<String>,
    /// The claims that are wanted beyond the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// How the person is to show who they are, if possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// Who they probably are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// An ID token of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_hint: Option<String>,
    /// The languages that they read, the best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui_locales: Option<String>,
    /// The thumbprint of the key that the client will use (RFC 9449, section 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    /// A request that was pushed (RFC 9126).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_uri: Option<String>,
    /// A request as a signed token: not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Why a request is not fulfilled, for the client (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestError {
    /// Something is missing, or not of its form.
    InvalidRequest,
    /// Not for this client.
    UnauthorizedClient,
    /// The person does not want it.
    AccessDenied,
    /// Something else than a code was wanted.
    UnsupportedResponseType,
    /// A scope that is none.
    InvalidScope,
    /// A defect of ours.
    ServerError,
    /// Not now.
    TemporarilyUnavailable,
    /// The person has to sign in, and must not be asked.
    LoginRequired,
    /// The person has to agree, and must not be asked.
    ConsentRequired,
    /// Requests as tokens are not taken.
    RequestNotSupported,
    /// Requests are not fetched.
    RequestUriNotSupported,
    /// Nobody can show who they are in the way that is wanted (OpenID Connect Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements,
}

impl RequestError {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}

/// How the answer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query.
    Query,
    /// In the fragment, which the client's server does not see.
    Fragment,
    /// In a form that the browser sends (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// What the person is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nothing.
    pub none: bool,
    /// To show who they are, once more.
    pub login: bool,
    /// Whether they agree, once more.
    pub consent: bool,
    /// To make an account.
    pub create: bool,
}

/// Where the answer goes, which is known to be the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    /// The redirect URI.
    pub uri: String,
    /// How.
    pub mode: ResponseMode,
    /// How it is signed, where it comes as a token (JARM).
    pub signed: Option<Algorithm>,
    /// The client.
    pub client: ClientId,
    /// What comes back unchanged.
    pub state: Option<String>,
}

/// A request that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRequest {
    /// Where the answer goes.
    pub reply: ReplyTo,
    /// What is wanted, as far as the client may have it.
    pub scopes: Scopes,
    /// The hash of what the client keeps to itself.
    pub challenge: [u8; 32],
    /// What the ID token has to repeat.
    pub nonce: Option<String>,
    /// What the person is asked.
    pub prompt: Prompt,
    /// How long ago at most they showed who they are, in seconds.
    pub max_age: Option<i64>,
    /// The claims that are wanted beyond the scope.
    pub claims: Claims,
    /// Who they probably are.
    pub login_hint: Option<String>,
    /// An ID token of theirs.
    pub id_token_hint: Option<String>,
    /// The thumbprint of the key that the client will use.
    pub jkt: Option<[u8; 32]>,
}

/// The longest value that is repeated to the client, in bytes.
const MAX_REPEATED: usize = 2_000;

/// Where the answer to these parameters goes. Before this is known nobody is sent anywhere.
///
/// # Errors
/// Why that is unknown, in words for a person.
pub fn reply_to(params: &Params, client: &Client) -> Result<ReplyTo, &'static str> {
    let registered = &client.metadata.redirect_uris;
    let uri = match (&params.redirect_uri, &registered[..]) {
        (Some(uri), _) => uri.clone(),
        // Only where it is clear which is meant, and not with OpenID Connect, which wants it said.
        (None, [one]) if !wants_openid(params) => one.clone(),
        (None, _) => return Err("redirect_uri is missing"),
    };
    if !client.takes_redirect(&uri) {
        return Err("redirect_uri is not one that this client registered");
    }
    let (mode, signed) = match params.response_mode.as_deref() {
        None | Some("query") => (ResponseMode::Query, false),
        Some("fragment") => (ResponseMode::Fragment, false),
        Some("jwt" | "query.jwt") => (ResponseMode::Query, true),
        Some("fragment.jwt") => (ResponseMode::Fragment, true),
        Some("form_post") => (ResponseMode::FormPost, false),
        Some("form_post.jwt") => (ResponseMode::FormPost, true),
        Some(_) => return Err("response_mode is not one that is known here"),
    };
    if mode == ResponseMode::FormPost && !uri.starts_with("https:") && !uri.starts_with("http:") {
        return Err("response_mode form_post is for clients that are reached by HTTP");
    }
    let state = params.state.clone();
    if let Some(state) = &state {
        if state.len() > MAX_REPEATED {
            return Err("state is too long");
        }
        // RFC 6749, appendix A.5.
        if !state.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err("state has other characters than those of ASCII that are seen");
        }
    }
    let said = client.metadata.authorization_signed_response_alg;
    Ok(ReplyTo {
        uri,
        mode,
        signed: signed.then_some(said.unwrap_or(Algorithm::Rs256)),
        client: client.id.clone(),
        state,
    })
}

fn wants_openid(params: &Params) -> bool {
    let scope = params.scope.as_deref().unwrap_or_default();
    scope.split(' ').any(|one| one == "openid")
}

/// What the parameters mean.
///
/// # Errors
/// Why they mean nothing, with words for whoever wrote the client.
pub fn read(
    params: &Params,
    client: &Client,
    reply: ReplyTo,
) -> Result<AuthRequest, (RequestError, &'static str)> {
    use RequestError as E;
    if params.request.is_some() {
        return Err((E::RequestNotSupported, "requests as tokens are not taken"));
    }
    if params.request_uri.is_some() {
        let why = "requests are pushed here, and not fetched";
        return Err((E::RequestUriNotSupported, why));
    }
    match params.response_type.as_deref() {
        Some("code") => {}
        None => return Err((E::InvalidRequest, "response_type is missing")),
        Some(_) => return Err((E::UnsupportedResponseType, "response_type has to be code")),
    }
    if !client.may(Grant::AuthorizationCode) {
        let why = "this client did not register authorization_code";
        return Err((E::UnauthorizedClient, why));
    }
    let scope = params.scope.as_deref().unwrap_or_default();
    let scopes = Scopes::parse(scope).map_err(|_| (E::InvalidScope, "scope is not of its form"))?;
    let scopes = client.allowed(scopes);
    if scopes.is_empty() {
        return Err((
            E::InvalidScope,
            "there is no scope that this client may have",
        ));
    }
    let prompt = prompt(params.prompt.as_deref())?;
    let max_age = max_age(params, client)?;
    let claims = match params.claims.as_deref() {
        None => Claims::default(),
        Some(text) => {
            Claims::parse(text).ok_or((E::InvalidRequest, "claims is not of its form"))?
        }
    };
    let scopes = if claims.ask_for_profile() {
        scopes.with(Scope::Profile)
    } else {
        scopes
    };
    if !claims.takes_acr(PASSWORD) {
        let why = "people show who they are with a password here";
        return Err((E::UnmetAuthenticationRequirements, why));
    }
    let nonce = params.nonce.clone();
    if nonce
        .as_ref()
        .is_some_and(|nonce| nonce.len() > MAX_REPEATED)
    {
        return Err((E::InvalidRequest, "nonce is too long"));
    }
    let jkt = params.dpop_jkt.as_deref().map(hash).transpose();
    Ok(AuthRequest {
        reply,
        scopes,
        challenge: challenge(params)?,
        nonce,
        prompt,
        max_age,
        claims,
        login_hint: params.login_hint.clone(),
        id_token_hint: params.id_token_hint.clone(),
        jkt: jkt.map_err(|()| (E::InvalidRequest, "dpop_jkt is no thumbprint"))?,
    })
}

/// The hash of the client's verifier. Every client has one, and it is never the verifier itself (RFC 9700, section
/// 2.1.1).
fn challenge(params: &Params) -> Result<[u8; 32], (RequestError, &'static str)> {
    let invalid = |why| (RequestError::InvalidRequest, why);
    let challenge = params.code_challenge.as_deref();
    let challenge = challenge.ok_or(invalid("code_challenge is missing"))?;
    if params.code_challenge_method.as_deref() != Some("S256") {
        return Err(invalid("code_challenge_method has to be S256"));
    }
    hash(challenge).map_err(|()| invalid("code_challenge is no hash"))
}

fn hash(text: &str) -> Result<[u8; 32], ()> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ())?;
    bytes.try_into().map_err(|_| ())
}

fn prompt(text: Option<&str>) -> Result<Prompt, (RequestError, &'static str)> {
    let mut prompt = Prompt::default();
    let words = text.unwrap_or_default().split(' ');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    for word in &words {
        match *word {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            "create" => prompt.create = true,
            _ => {
                return Err((
                    RequestError::InvalidRequest,
                    "prompt has a word that is not known",
                ));
            }
        }
    }
    if prompt.none && words.len() > 1 {
        return Err((
            RequestError::InvalidRequest,
            "prompt=none goes with no other",
        ));
    }
    Ok(prompt)
}

fn max_age(params: &Params, client: &Client) -> Result<Option<i64>, (RequestError, &'static str)> {
    match params.max_age.as_deref() {
        None => Ok(client.metadata.default_max_age.map(i64::from)),
        Some(text) => match text.parse::<u32>() {
            Ok(seconds) => Ok(Some(seconds.into())),
            Err(_) => Err((
                RequestError::InvalidRequest,
                "max_age is no number of seconds",
            )),
        },
    }
}

impl AuthRequest {
    /// Whether an ID token is wanted.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scopes.has(&Scope::OpenId)
    }
}
