//! Everything that may be asked of identity.
//!
//! These types stand in the log, encoded with postcard. A released one is never changed: a variant is
//! only ever appended, and a struct that needs another field becomes another struct in a new variant.

pub mod oauth;

use crate::secret::{PasswordHash, TokenHash};
use bongsu_base::{DeviceId, Millis, UserId};
use serde::{Deserialize, Serialize};

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Make an account.
    CreateAccount(CreateAccount),
    /// Begin a session with a password.
    SignIn(SignIn),
    /// Replace a session's tokens.
    Refresh(Refresh),
    /// End one session.
    SignOut(SignOut),
    /// End all sessions of an account.
    SignOutEverywhere(SignOutEverywhere),
    /// Change a password.
    SetPassword(SetPassword),
    /// End an account for good.
    Deactivate(Deactivate),
    /// Set or remove one field of a profile.
    SetProfile(SetProfile),
    /// Rename a device.
    RenameDevice(RenameDevice),
    /// End the sessions on some devices.
    DeleteDevices(DeleteDevices),
    /// What an operator does.
    Administer(Administer),
    /// What is asked of the OpenID provider.
    Oauth(Box<oauth::Oauth>),
    /// Let whoever has a token sign in once.
    PermitSignIn(PermitSignIn),
    /// Begin a session with such a token.
    SignInByToken(SignInByToken),
    /// Write down that the tokens of a refresh have arrived.
    ConfirmRefresh(ConfirmRefresh),
}

/// What an operator does. It is written into the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administer {
    /// Which administrator; `None` is whoever runs the installation.
    pub by: Option<UserId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// What.
    pub act: Act,
}

/// What an operator can do. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Make an account.
    CreateAccount {
        /// Its id.
        user: UserId,
        /// Its password.
        password: PasswordHash,
        /// Whether it may administer the installation.
        admin: bool,
    },
    /// Give an account a new password.
    SetPassword {
        /// Whose.
        user: UserId,
        /// The new one.
        password: PasswordHash,
        /// Whether its sessions end.
        sign_out: bool,
    },
    /// End all sessions of an account.
    SignOut(UserId),
    /// Lock an account, or unlock it.
    Lock {
        /// Whose.
        user: UserId,
        /// Whether it is locked.
        locked: bool,
    },
    /// Suspend an account, or lift that.
    Suspend {
        /// Whose.
        user: UserId,
        /// Whether it is suspended.
        suspended: bool,
    },
    /// End an account for good.
    Deactivate {
        /// Whose.
        user: UserId,
        /// Whether what the person wrote is taken away too.
        erase: bool,
    },
    /// Let an account administer the installation, or no longer.
    SetAdmin {
        /// Whose.
        user: UserId,
        /// Whether it may.
        admin: bool,
    },
}

/// A session to begin. The tokens themselves stay with the gateway, which gives them to the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSession {
    /// The device. One that exists is used again, and its earlier tokens end.
    pub device: DeviceId,
    /// The name of a device that does not exist yet.
    pub display_name: Option<String>,
    /// The access token.
    pub access: TokenHash,
    /// How long the access token lasts; for ever where this is `None`.
    pub access_lifetime: Option<Millis>,
    /// The refresh token, where the client asked for one.
    pub refresh: Option<TokenHash>,
    /// The network that the client comes from.
    pub address: String,
}

/// What a gateway found when it verified a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which of the account's passwords it was verified against; 0 where there is no account.
    pub generation: u32,
    /// Whether it was the right one.
    pub matched: bool,
    /// The network that the client comes from.
    pub address: String,
}

/// Make an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateAccount {
    /// Its id.
    pub user: UserId,
    /// Its password; without one nobody can sign in with a password.
    pub password: Option<PasswordHash>,
    /// Its first session.
    pub session: Option<NewSession>,
    /// Whether it may administer the installation. For the operator to give.
    pub admin: bool,
}

/// Begin a session with a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Whose.
    pub user: UserId,
    /// What the gateway found. The address is that of the session.
    pub proof: Proof,
    /// The session.
    pub session: NewSession,
}

/// Let whoever has a token sign in once, for two minutes ([`LOGIN_TOKEN_LASTS`]) and for as long as the password stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitSignIn {
    /// Whose account it opens.
    pub user: UserId,
    /// That the person knows the password.
    pub proof: Proof,
    /// The token.
    pub token: TokenHash,
}

/// How long a token lasts that lets somebody sign in.
pub const LOGIN_TOKEN_LASTS: Millis = Millis::minutes(2);

/// Begin a session with a token of [`PermitSignIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInByToken {
    /// The token presented.
    pub presented: TokenHash,
    /// The session.
    pub session: NewSession,
}

/// Replace a session's tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The refresh token presented.
    pub presented: TokenHash,
    /// The access token from now on.
    pub access: TokenHash,
    /// How long it lasts.
    pub access_lifetime: Millis,
    /// The refresh token from now on.
    pub refresh: TokenHash,
    /// The network that the client comes from.
    pub address: String,
}

/// Write down that the tokens of a refresh have arrived: the access token is used for the first time. The refresh
/// token that they were made from is worth nothing from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmRefresh {
    /// The access token.
    pub access: TokenHash,
}

/// End one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
}

/// End all sessions of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOutEverywhere {
    /// Whose.
    pub user: UserId,
}

/// Change a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPassword {
    /// Whose.
    pub user: UserId,
    /// That the person knows the old one. The operator needs none.
    pub proof: Option<Proof>,
    /// The new one.
    pub password: PasswordHash,
    /// Whether the sessions on all devices but the one that asks end.
    pub logout_devices: bool,
}

/// End an account for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deactivate {
    /// Whose.
    pub user: UserId,
    /// That the person knows the password. The operator needs none.
    pub proof: Option<Proof>,
    /// Whether what the person wrote should be hidden as far as possible.
    pub erase: bool,
}

/// Set or remove one field of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProfile {
    /// Whose.
    pub user: UserId,
    /// The field's name.
    pub field: String,
    /// The value as JSON text; `None` removes the field.
    pub value: Option<String>,
}

/// Rename a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameDevice {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// Its name from now on.
    pub display_name: Option<String>,
}

/// End the sessions on some devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteDevices {
    /// Whose.
    pub user: UserId,
    /// Which; unknown ones are passed over.
    pub devices: Vec<DeviceId>,
    /// That the person knows the password. The operator needs none.
    pub proof: Option<Proof>,
}

/// What an accepted command answers. A denial is one: it leaves its trace in the counters, which a
/// rejection would undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accepted {
    /// It was done.
    Done,
    /// The password did not open the account; nothing but the counters changed.
    Denied(Denial),
    /// A refresh token that was spent long ago was presented, and the session ended, as it did before behaviour 3.
    Reused,
    /// What the OpenID provider answers.
    Oauth(oauth::Done),
    /// The session of this account has begun.
    SignedIn(UserId),
}

/// Why a password did not open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Denial {
    /// It is not the account's, or there is no such account.
    WrongPassword,
    /// Too many wrong ones were tried. The right one is refused too.
    Locked {
        /// How long this lasts.
        retry_after: Millis,
    },
    /// It was verified against a password that is no longer the account's.
    Stale,
}

/// Why a command was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Rejected {
    /// The name is taken, now or by an account that was deactivated.
    #[error("this user name is taken")]
    UserInUse,
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The account was deactivated.
    #[error("this account has been deactivated")]
    Deactivated,
    /// The session ended before the command was applied.
    #[error("this session has ended; sign in again")]
    SessionEnded,
    /// The access token expired before the command was applied.
    #[error("the access token has expired; refresh it")]
    SessionExpired,
    /// Not for whoever asked.
    #[error("this is not yours to change")]
    NotAllowed,
    /// The refresh token is unknown or was revoked.
    #[error("the refresh token is unknown or was revoked; sign in again")]
    UnknownRefreshToken,
    /// The account has no such device.
    #[error("there is no such device")]
    NoSuchDevice,
    /// A profile field's name is longer than 255 bytes, or empty.
    #[error("a profile field's name has 1 to 255 bytes")]
    FieldName,
    /// A display name or avatar is too long.
    #[error("a display name or an avatar's address has at most 1,024 bytes")]
    FieldTooLong,
    /// The profile would be longer than 64 KiB.
    #[error("a profile has at most 65,536 bytes in all")]
    ProfileTooLarge,
    /// The device's name is too long.
    #[error("a device's name has at most 255 bytes")]
    DeviceName,
    /// The account is locked.
    #[error("this account is locked; whoever runs this server can unlock it")]
    Locked,
    /// An administrator would do it to themselves or to another one.
    #[error("an administrator cannot do this to themselves or another one; the operator can")]
    Administrator,
    /// What the OpenID provider's rules say.
    #[error(transparent)]
    Oauth(#[from] oauth::Refused),
    /// The token to sign in with is unknown, was used, has expired, or the password has changed since.
    #[error("the login token is unknown, was used or has expired; ask for another one")]
    UnknownLoginToken,
}
