//! Telling a running server things, through a socket in its data folder that the owner alone may use.

pub mod client;
pub mod server;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What stands between `@` and `:`.
    pub name: String,
    /// The password.
    pub password: String,
    /// Whether it may administer the installation.
    #[serde(default)]
    pub admin: bool,
}

/// An account that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeUser {
    /// Its Matrix id.
    pub user_id: String,
}

/// Why something was not done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// For a person.
    pub error: String,
}
