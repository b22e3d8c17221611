//! What identity asks of the outside.

use bongsu_base::UserId;
use serde::{Deserialize, Serialize};

/// Something that other domains have to learn. Encoded with postcard: variants are only appended.
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
}
