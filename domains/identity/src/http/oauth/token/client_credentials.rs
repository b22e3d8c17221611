//! Tokens for the client itself (RFC 6749, section 4.4). The token says all there is; an assertion is noted in the log, so
//! that it is good for one token, whichever data centres it is shown to.

use super::{Asking, TokenForm};
use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::{Oauth, Refused};
use crate::http::oauth::error::{ErrorCode, OauthError};
use crate::provider::scope::{Scope, Scopes};
use crate::provider::tokens::TokenAnswer;
use bongsu_lane::Priority;

pub async fn grant(asking: &Asking, form: TokenForm) -> Result<TokenAnswer, OauthError> {
    let client = &asking.client;
    let scopes = match form.scope.as_deref() {
        None => client.scopes.clone(),
        Some(text) => Scopes::parse(text)
            .map_err(|error| OauthError::new(ErrorCode::InvalidScope, error.to_string()))?,
    };
    // What is a person's is not the client's own.
    let own = |scope: &Scope| matches!(scope, Scope::Other(_)) && client.scopes.has(scope);
    let asked = form.scope.is_some();
    let allowed = scopes.clone().only(own);
    if asked && allowed != scopes {
        let why = "the client may not have all of these scopes for itself";
        return Err(OauthError::new(ErrorCode::InvalidScope, why));
    }
    if allowed.is_empty() {
        let why = "the client has no scope for itself: a token would be good for nothing";
        return Err(OauthError::new(ErrorCode::InvalidScope, why));
    }
    if let Some(assertion) = &asking.assertion {
        let command = Oauth::Spend(assertion.clone());
        asking
            .provider
            .ask(Priority::Vital, command)
            .await
            .map_err(used)?;
    }
    let answer = asking
        .provider
        .own_answer(&asking.keys, client, (&allowed, asking.jkt))?;
    Ok(answer)
}

fn used(error: AccountError) -> OauthError {
    match error {
        AccountError::Rejected(Rejected::Oauth(Refused::Spent)) => {
            OauthError::client("the client assertion was presented before")
        }
        other => other.into(),
    }
}
