//! The messenger's door: it takes its own tokens, and those of the provider's clients that people let in as messengers
//! (Matrix v1.19, client-server API, OAuth 2.0 API).

use super::Provider;
use super::scope::{Scope, Scopes};
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
            self.admit(token, false, &Door::Messenger).await
        } else {
            self.accounts.authenticate(token).await
        }
    }

    async fn authenticate_locked(&self, token: &str) -> Result<Caller, AuthError> {
        if Self::is_access_token(token) {
            self.admit(token, true, &Door::Messenger).await
        } else {
            self.accounts.authenticate_locked(token).await
        }
    }

    async fn authenticate_for(&self, token: &str, scopes: &[&str]) -> Result<Caller, AuthError> {
        if Self::is_access_token(token) {
            self.admit(token, false, &Door::OneOf(scopes)).await
        } else {
            self.accounts.authenticate(token).await
        }
    }

    async fn standing(&self, user: &UserId) -> Result<Standing, AuthError> {
        self.accounts.standing(user).await
    }
}

/// What a token has to be good for.
enum Door<'a> {
    /// The messenger, as the person.
    Messenger,
    /// One of these scopes.
    OneOf(&'a [&'a str]),
}

impl Door<'_> {
    /// How whoever has these scopes is refused, if at all.
    fn refuses(&self, scopes: &Scopes) -> Option<AuthError> {
        match self {
            Self::Messenger => (!scopes.matrix_api()).then_some(AuthError::Unknown),
            Self::OneOf(names) => {
                let mut has = names
                    .iter()
                    .map(|name| scopes.has(&Scope::Other((*name).to_owned())));
                (!has.any(|has| has)).then_some(AuthError::Scope)
            }
        }
    }
}

impl Provider {
    /// On which device a client is that was let in for what `door` opens.
    async fn admit(&self, token: &str, locked: bool, door: &Door<'_>) -> Result<Caller, AuthError> {
        let said = self.said_by(token).await;
        let claims = said.map_err(|error| unavailable(&error))?;
        let claims = claims.ok_or(AuthError::Unknown)?;
        if claims.iss != self.config().issuer {
            return Err(AuthError::Unknown);
        }
        let scopes = Scopes::parse(&claims.scope).map_err(|_| AuthError::Unknown)?;
        // A token that is bound to a key would have to come with a proof, of which the adapters know nothing.
        let (Some(n), None) = (claims.session, &claims.cnf) else {
            return Err(AuthError::Unknown);
        };
        if let Some(refusal) = door.refuses(&scopes) {
            return Err(refusal);
        }
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
