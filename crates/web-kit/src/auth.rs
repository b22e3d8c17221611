//! Who is calling. Identity knows; every other domain asks through this trait.

use bongsu_base::{DeviceId, UserId};
use bongsu_lane::Actor;
use std::time::Duration;

/// A signed-in person, on one of their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// The device whose token was presented.
    pub device: DeviceId,
}

impl Caller {
    /// The caller as the actor of a record.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User {
            user: self.user.clone(),
            device: self.device.clone(),
        }
    }
}

/// Why a token names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no such token, or it was revoked.
    #[error("the access token is unknown or was revoked; sign in again")]
    Unknown,
    /// It has run out; a refresh token gives a new one.
    #[error("the access token has expired; refresh it")]
    Expired,
    /// The account is locked: nothing can be done with it until an operator unlocks it.
    #[error("this account is locked; whoever runs this server can unlock it")]
    Locked,
    /// It is good, but not for this.
    #[error("the access token does not have the scope that this needs")]
    Scope,
    /// It could not be looked up now.
    #[error("tokens cannot be checked at the moment; try again")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// What an account may do beyond what every account may, and less than that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it may administer the installation.
    pub admin: bool,
    /// Whether it is suspended: it may read and leave, and say nothing.
    pub suspended: bool,
    /// Whether it is a guest's: it has no password, and rooms say whether they let guests in.
    pub guest: bool,
}

/// Tells to whom an access token belongs.
#[async_trait::async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// The person and device that `token` was given to.
    ///
    /// # Errors
    /// See [`AuthError`].
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError>;

    /// The person and device of a token whose account may be locked: for signing out.
    ///
    /// # Errors
    /// See [`AuthError`]; never [`AuthError::Locked`].
    async fn authenticate_locked(&self, token: &str) -> Result<Caller, AuthError> {
        self.authenticate(token).await
    }

    /// The person and device of a token that is good for one of `scopes`: those of a session here are good for all.
    ///
    /// # Errors
    /// See [`AuthError`].
    async fn authenticate_for(&self, token: &str, _scopes: &[&str]) -> Result<Caller, AuthError> {
        self.authenticate(token).await
    }

    /// How the account of `user` stands.
    ///
    /// # Errors
    /// When it could not be looked up now.
    async fn standing(&self, _user: &UserId) -> Result<Standing, AuthError> {
        Ok(Standing::default())
    }
}
