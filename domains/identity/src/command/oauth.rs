//! What may be asked of the OpenID provider.
//!
//! Everything random, hashed, signed or read from a clock was made by the gateway; the rules decide. Spans
//! stand in the commands, since they are configured and every data centre has to apply the same ones.

use super::Proof;
use crate::secret::{PasswordHash, TokenHash};
use bongsu_base::{DeviceId, LogTime, Millis, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A client's id: 1 to 128 characters that need no escaping in a URL (RFC 3986, section 2.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Box<str>);

/// A text is not a client's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client's id has 1 to 128 letters, digits, `-`, `.`, `_` and `~`")]
pub struct NoClientId;

impl ClientId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = NoClientId;

    fn from_str(text: &str) -> Result<Self, NoClientId> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let sound = (1..=128).contains(&text.len()) && text.chars().all(allowed);
        sound.then(|| Self(text.into())).ok_or(NoClientId)
    }
}

impl TryFrom<String> for ClientId {
    type Error = NoClientId;

    fn try_from(text: String) -> Result<Self, NoClientId> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a client's session, from 1; never given twice. It is its place in the status list too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionNo(pub i64);

/// One command. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Oauth {
    /// Put a key beside those that are there, or in the place of one.
    AddKey(AddKey),
    /// What an operator does with clients.
    Administer(AdministerClient),
    /// A client registers itself.
    RegisterClient(RegisterClient),
    /// Somebody signs in with a password, in a browser.
    SignInBrowser(SignInBrowser),
    /// Somebody makes an account, in a browser.
    SignUpBrowser(SignUpBrowser),
    /// Somebody signs out of a browser.
    SignOutBrowser(SignOutBrowser),
    /// Somebody lets a client learn of them.
    Authorize(Authorize),
    /// A client begins a session with a code.
    Redeem(Redeem),
    /// A client replaces its tokens.
    RefreshTokens(RefreshTokens),
    /// A client ends its session.
    Revoke(Revoke),
    /// A device without a browser asks to be let in.
    BeginDevice(BeginDevice),
    /// Somebody answers it.
    DecideDevice(DecideDevice),
    /// It asks what the answer is.
    RedeemDevice(RedeemDevice),
    /// Somebody ends one of their sessions, in a browser.
    EndSession(EndSession),
    /// Somebody takes back what they let a client have, and its sessions end.
    ForgetConsent(ForgetConsent),
    /// Something is used that is good once, or is good no more.
    Spend(Spend),
    /// A client that showed that it is the one replaces its tokens. They are bound to the key that it proves to have now, if
    /// any: its refresh token is bound to the client itself (RFC 9449, section 5).
    RefreshAsItself(RefreshTokens),
    /// A device without a browser asks to be let in, and may ask at once what the answer is (RFC 8628, section 3.5).
    AwaitDevice(BeginDevice),
    /// Somebody lets a client learn of them with a request that it pushed, which is good for one code (RFC 9126, section 4).
    AuthorizePushed(AuthorizePushed),
    /// Somebody signs in with a password, in a browser. Where they were signed in there already they stay so under another
    /// cookie: what services have of them goes on (OpenID Connect Core 1.0, section 3.1.2.3).
    SignInAgain(SignInBrowser),
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyKind {
    /// Sealing refresh tokens.
    Refresh,
    /// Signing with Ed25519.
    EdDsa,
    /// Signing with ECDSA on P-256.
    Es256,
    /// Signing with RSA.
    Rs256,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refresh, Self::EdDsa, Self::Es256, Self::Rs256];
}

/// Which key-encryption key seals something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SealId(pub [u8; 8]);

/// A secret that only who has the key-encryption key can open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Under which key.
    pub with: SealId,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Put a key beside those that are there, or in the place of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddKey {
    /// Its name: 1 to 43 characters.
    pub kid: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Its public half, a JWK; empty where there is none.
    pub public: String,
    /// Itself.
    pub sealed: Sealed,
    /// How long it is shown before it is used.
    pub overlap: Millis,
    /// How long the one before it is shown after it was last used.
    pub keep: Millis,
    /// The name of the key that it takes the place of; `None` for the first. Of two data centres that replace the
    /// same key, one does.
    pub after: Option<String>,
    /// Which administrator; `None` is the platform itself, or whoever runs the installation.
    pub by: Option<UserId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What an operator does with clients. It is written into the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministerClient {
    /// Which administrator; `None` is whoever runs the installation.
    pub by: Option<UserId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// To which client.
    pub client: ClientId,
    /// What.
    pub act: ClientAct,
}

/// What an operator can do with a client. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAct {
    /// Make it.
    Add(NewClient),
    /// Give it a new secret.
    Rotate {
        /// The new one.
        secret: TokenHash,
        /// How long the old one is taken too.
        overlap: Millis,
    },
    /// End it and its sessions.
    Remove,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewClient {
    /// What it said of itself, as JSON.
    pub metadata: String,
    /// Its secret, if it has one.
    pub secret: Option<TokenHash>,
    /// Where it is told that somebody signed out.
    pub logout_uri: Option<String>,
    /// Whether people are not asked before it learns of them.
    pub trusted: bool,
}

/// A client registers itself. One without a secret that says the same again is the same client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterClient {
    /// Its id, made of what it said where it has no secret.
    pub client: ClientId,
    /// The client.
    pub new: NewClient,
    /// How many registered clients there may be.
    pub most: u32,
}

/// A browser in which somebody is signed in from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBrowser {
    /// Its cookie.
    pub cookie: TokenHash,
    /// Its device, a new one.
    pub device: DeviceId,
    /// Its name among the devices.
    pub name: String,
    /// The network that it comes from.
    pub address: String,
    /// How long it stays signed in.
    pub lasts: Millis,
    /// The cookie that it had before, which ends.
    pub before: Option<TokenHash>,
}

/// Somebody signs in with a password, in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInBrowser {
    /// Who.
    pub user: UserId,
    /// What the gateway found.
    pub proof: Proof,
    /// The browser.
    pub browser: NewBrowser,
}

/// Somebody makes an account, in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUpBrowser {
    /// Its id.
    pub user: UserId,
    /// Its password.
    pub password: PasswordHash,
    /// The browser.
    pub browser: NewBrowser,
}

/// Somebody signs out of a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOutBrowser {
    /// Its cookie.
    pub cookie: TokenHash,
}

/// How somebody agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consent {
    /// Just now.
    Now {
        /// Whether they are not to be asked again.
        remember: bool,
    },
    /// Earlier.
    Earlier,
}

/// What somebody granted to a client, and what the client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// To whom.
    pub client: ClientId,
    /// What, as scopes with a space between them.
    pub scope: String,
    /// Where the code is sent.
    pub redirect_uri: String,
    /// The SHA-256 of what the client keeps to itself (RFC 7636).
    pub challenge: [u8; 32],
    /// What the ID token has to repeat.
    pub nonce: Option<String>,
    /// The claims that were asked for beyond the scope, as JSON.
    pub claims: Option<String>,
    /// The key that the client said it will use (RFC 9449, section 10).
    pub jkt: Option<[u8; 32]>,
    /// The Matrix device that the client wants to be.
    pub device: Option<DeviceId>,
    /// When the person last showed who they are. Set by the rule.
    pub auth_time: LogTime,
    /// The device of their browser. Set by the rule.
    pub browser: Option<DeviceId>,
}

/// Somebody lets a client learn of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorize {
    /// Their browser's cookie.
    pub cookie: TokenHash,
    /// The code.
    pub code: TokenHash,
    /// How long it is good.
    pub lasts: Millis,
    /// What it stands for.
    pub granted: Granted,
    /// How they agreed.
    pub consent: Consent,
}

/// The same, with a request that was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizePushed {
    /// What they grant.
    pub authorize: Authorize,
    /// The request's name, which is used up.
    pub pushed: Spend,
}

/// How a client's session is begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The device it becomes, where it did not ask for one.
    pub device: DeviceId,
    /// Its name among the devices.
    pub name: String,
    /// The network that it comes from.
    pub address: String,
    /// Whether there is a refresh token.
    pub refresh: bool,
    /// How long an access token lasts.
    pub lasts: Millis,
    /// After how long without a refresh it ends.
    pub idle: Millis,
    /// The key to which its tokens are bound.
    pub jkt: Option<[u8; 32]>,
}

/// A client begins a session with a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeem {
    /// The client, which showed that it is.
    pub client: ClientId,
    /// The code.
    pub code: TokenHash,
    /// Where the client says that it was sent; it need not, if there is only one.
    pub redirect_uri: Option<String>,
    /// The SHA-256 of the verifier that it presented.
    pub challenge: [u8; 32],
    /// The session.
    pub begin: Beginning,
}

/// A client replaces its tokens. The gateway has checked the presented one's seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTokens {
    /// The client, which showed that it is.
    pub client: ClientId,
    /// Its session.
    pub session: SessionNo,
    /// The generation of the token presented.
    pub generation: u32,
    /// The key whose possession it proved.
    pub jkt: Option<[u8; 32]>,
    /// How long an access token lasts.
    pub lasts: Millis,
    /// After how long without a refresh the session ends.
    pub idle: Millis,
    /// The network that it comes from.
    pub address: String,
}

/// A client ends its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// The client, which showed that it is.
    pub client: ClientId,
    /// The session.
    pub session: SessionNo,
}

/// A device without a browser asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginDevice {
    /// The client, which showed that it is, if it can.
    pub client: ClientId,
    /// What it wants.
    pub scope: String,
    /// What it asks with.
    pub code: TokenHash,
    /// What the person types.
    pub user_code: String,
    /// How long there is.
    pub lasts: Millis,
    /// How long it waits between two questions.
    pub interval: Millis,
    /// How many may wait.
    pub most: u32,
}

/// Somebody answers a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideDevice {
    /// Their browser's cookie.
    pub cookie: TokenHash,
    /// What they typed.
    pub user_code: String,
    /// Whether it is let in.
    pub admit: bool,
}

/// A device asks what the answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemDevice {
    /// The client, which showed that it is, if it can.
    pub client: ClientId,
    /// What it asks with.
    pub code: TokenHash,
    /// The session.
    pub begin: Beginning,
}

/// Somebody ends one of their sessions, in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// Their browser's cookie.
    pub cookie: TokenHash,
    /// Which.
    pub device: DeviceId,
}

/// Somebody takes back what they let a client have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetConsent {
    /// Their browser's cookie.
    pub cookie: TokenHash,
    /// Which client.
    pub client: ClientId,
}

/// Something is used that is good once, or is good no more: an assertion, or a token that belongs to no session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The hash of what tells it from others.
    pub what: TokenHash,
    /// From when it is worth nothing anyway.
    pub until: LogTime,
}

/// What an accepted command answers. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    /// A session has tokens.
    Issued(Box<Issued>),
    /// A session began.
    Begun(Box<Begun>),
    /// What was presented had been used before: somebody has a copy. What came of it has ended.
    Reused,
    /// Nobody has answered the device yet.
    Waiting,
    /// Nobody has answered it yet, and it asked too soon; it now has to wait longer.
    TooSoon,
    /// Somebody turned it away.
    TurnedAway,
    /// Such a client is registered already.
    Registered,
}

/// What a session's tokens are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The session.
    pub session: SessionNo,
    /// The refresh token's generation; 0 where there is none.
    pub generation: u32,
    /// When the tokens were made. A repeat says when they were made first.
    pub at: LogTime,
    /// How long the access token lasts.
    pub lasts: Millis,
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// For what.
    pub scope: String,
    /// When the person last showed who they are.
    pub auth_time: LogTime,
    /// The device of the browser in which they did.
    pub browser: Option<DeviceId>,
    /// The key to which the tokens are bound.
    pub jkt: Option<[u8; 32]>,
}

/// What the first tokens of a session are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// As with all tokens.
    pub issued: Issued,
    /// What the ID token has to repeat.
    pub nonce: Option<String>,
    /// The claims that were asked for beyond the scope, as JSON.
    pub claims: Option<String>,
}

/// Why a command was not accepted. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    /// There is no such client.
    #[error("there is no such client")]
    NoSuchClient,
    /// There is one with this id.
    #[error("there is a client with this id")]
    ClientInUse,
    /// The client keeps no secret.
    #[error("this client has no secret")]
    NoSecret,
    /// There are too many clients that registered themselves.
    #[error("there are too many clients; the operator can add one, or remove some")]
    TooManyClients,
    /// The key that was to be replaced is not the newest.
    #[error("the keys were rotated at the same moment")]
    KeyReplaced,
    /// There is such a key.
    #[error("there is a key of this name")]
    KeyInUse,
    /// Nobody is signed in in this browser.
    #[error("nobody is signed in in this browser")]
    NotSignedIn,
    /// The person has not agreed.
    #[error("the person has to be asked")]
    ConsentNeeded,
    /// The code, or the token, is unknown, has run out or is another client's.
    #[error("the code or token is unknown, has run out, or was given to another client")]
    InvalidGrant,
    /// The redirect URI or the verifier is not that of the code.
    #[error(
        "the redirect URI or the code verifier is not the one that the code was asked for with"
    )]
    Mismatch,
    /// The tokens are bound to another key.
    #[error("the tokens are bound to another key")]
    OtherKey,
    /// Too many devices wait.
    #[error("too many devices wait to be let in; try again later")]
    TooManyDevices,
    /// What the person typed is no code of a device that waits.
    #[error("there is no device with this code")]
    NoSuchUserCode,
    /// The code has run out.
    #[error("the code has run out; begin again")]
    CodeExpired,
    /// It was used before, or is good no more.
    #[error("it was used before")]
    Spent,
}
