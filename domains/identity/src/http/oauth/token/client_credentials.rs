//! Tokens for the client itself (RFC 6749, section 4.4). Nothing is written: the token says all there is.

use super::{Asking, TokenForm};
use crate::http::oauth::error::{ErrorCode, OauthError};
use crate::provider::scope::{Scope, Scopes};
use crate::provider::tokens::TokenAnswer;

pub fn grant(asking: &Asking, form: TokenForm) -> Result<TokenAnswer, OauthError> {
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
    let answer = asking
        .provider
        .own_answer(&asking.keys, client, (&allowed, asking.jkt))?;
    Ok(answer)
}
