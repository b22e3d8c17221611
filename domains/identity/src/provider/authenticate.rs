//! The messenger's door: it takes its own tokens, and those of the provider's clients that people let in as messengers
//! (Matrix v1.19, client-server API, OAuth 2.0 API).

use super::Provider;
use super::scope::Scopes;
use super::tokens::seconds;
use crate::query;
use async_trait::async_trait;
use bongsu_base::UserId;
use bongsu_lane::{ReadError, ReadView};
use bongsu_web_kit::{AuthError, Authenticate, Caller, Standing};
use std::time::Duration;

/// When to come back while tokens cannot be looked up.
const SOON: Duration = Duration::from_secs(1);

fn unavailable(error: &ReadError) -> AuthError {
    tracing::warn!(%error, "a token cannot be looked up");
    AuthError::Unavailable { retry_after: SOON }
}

#[async_trait]
impl Authenticate for Provider {
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        if Self::is_access_token(token) {
            self.admit(token, false).await
        } else {
            self.accounts.authenticate(token).await
        }
    }

    async fn authenticate_locked(&self, token: &str) -> Result<Caller, AuthError> {
        if Self::is_access_token(token) {
            self.admit(token, true).await
        } else {
            self.accounts.authenticate_locked(token).await
        }
    }

    async fn standing(&self, user: &UserId) -> Result<Standing, AuthError> {
        self.accounts.standing(user).await
    }
}

impl Provider {
    /// On which device a client is that was let in as a messenger.
    async fn admit(&self, token: &str, locked: bool) -> Result<Caller, AuthError> {
        let said = self.said_by(token).await;
        let claims = said.map_err(|error| unavailable(&error))?;
        let claims = claims.ok_or(AuthError::Unknown)?;
        if claims.iss != self.config().issuer {
            return Err(AuthError::Unknown);
        }
        let messenger = Scopes::parse(&claims.scope).is_ok_and(|scopes| scopes.matrix_api());
        // A token that is bound to a key would have to come with a proof, of which Matrix knows nothing.
        let (Some(n), true, None) = (claims.session, messenger, &claims.cnf) else {
            return Err(AuthError::Unknown);
        };
        let look = |view: &ReadView<'_>| {
            let Some(session) = query::session(view, n)? else {
                return Ok(None);
            };
            let restricted = query::restricted(view, &session.user)?;
            Ok(Some((session, restricted)))
        };
        let found = self.accounts.read(look).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let found = found.filter(|(session, _)| session.client == claims.client_id);
        let (session, restricted) = found.ok_or(AuthError::Unknown)?;
        if claims.exp <= seconds(self.now()) {
            return Err(AuthError::Expired);
        }
        if restricted.locked && !locked {
            return Err(AuthError::Locked);
        }
        Ok(Caller {
            user: session.user,
            device: session.device,
        })
    }
}
