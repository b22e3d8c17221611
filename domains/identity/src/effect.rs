//! What identity asks of the outside.

use crate::command::oauth::ClientId;
use bongsu_base::{DeviceId, LogTime, UserId};
use serde::{Deserialize, Serialize};

/// Something that others have to learn. Encoded with postcard: variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// A person shows themselves differently.
    ProfileChanged {
        /// The person.
        user: UserId,
        /// The name to be shown from now on.
        displayname: Option<String>,
        /// The picture from now on, an `mxc://` URI.
        avatar_url: Option<String>,
    },
    /// An account is no more.
    Deactivated {
        /// Whose.
        user: UserId,
        /// Whether what the person wrote should be hidden as far as possible.
        erase: bool,
    },
    /// A client wants to know that somebody signed out (OpenID Connect Back-Channel Logout 1.0).
    SignedOut {
        /// The client.
        client: ClientId,
        /// Where it is told.
        to: String,
        /// Who.
        user: UserId,
        /// The device of the browser in which they had signed in.
        browser: Option<DeviceId>,
        /// When.
        at: LogTime,
    },
}
