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
    /// It could not be looked up now.
    #[error("tokens cannot be checked at the moment; try again")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// Tells to whom an access token belongs.
#[async_trait::async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// The person and device that `token` was given to.
    ///
    /// # Errors
    /// See [`AuthError`].
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError>;
}
