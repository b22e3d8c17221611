//! What other domains may ask about people. Identity knows; they ask through this trait.

use bongsu_base::UserId;
use bongsu_lane::ReadError;

/// How a person shows themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The name to be shown.
    pub displayname: Option<String>,
    /// The picture, an `mxc://` URI.
    pub avatar_url: Option<String>,
}

/// Tells about people who have an account here.
#[async_trait::async_trait]
pub trait People: Send + Sync + 'static {
    /// The person's profile; `None` when there is no such account or it was deactivated.
    ///
    /// # Errors
    /// When it could not be looked up now.
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>, ReadError>;
}
