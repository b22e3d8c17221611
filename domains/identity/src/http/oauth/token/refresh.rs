//! Tokens for a refresh token (RFC 6749, section 6).

use super::{Asking, TokenForm};
use crate::command::oauth::{Done, Oauth, RefreshTokens, SessionNo};
use crate::http::oauth::error::{ErrorCode, OauthError};
use crate::provider::scope::Scopes;
use crate::provider::tokens::TokenAnswer;
use crate::query;
use bongsu_lane::Priority;

pub async fn grant(asking: &Asking, form: TokenForm) -> Result<TokenAnswer, OauthError> {
    let token = form.refresh_token;
    let token = token.ok_or_else(|| OauthError::invalid("refresh_token is missing"))?;
    let invalid = |why: &str| OauthError::new(ErrorCode::InvalidGrant, why);
    let Some(says) = asking.keys.read(&token) else {
        return Err(invalid("the refresh token is unknown or was revoked"));
    };
    let narrowed = match form.scope.as_deref() {
        None => None,
        Some(scope) => Some(narrowed(asking, scope, says.session).await?),
    };
    let config = asking.provider.config();
    let command = RefreshTokens {
        client: asking.client.id.clone(),
        session: says.session,
        generation: says.generation,
        jkt: asking.jkt,
        lasts: config.access_token,
        idle: config.session_idle,
        address: asking.address.clone(),
    };
    // The refresh token of a client that can show nothing else is bound to the key (RFC 9449, section 5).
    let command = if asking.client.is_public() {
        Oauth::RefreshTokens(command)
    } else {
        Oauth::RefreshAsItself(command)
    };
    match asking.provider.done(Priority::Vital, command).await? {
        Done::Issued(mut issued) => {
            if let Some(scopes) = narrowed {
                issued.scope = scopes.to_string();
            }
            Ok(asking
                .provider
                .answer(&asking.keys, &asking.client, &issued)?)
        }
        Done::Reused => {
            let why = "the refresh token was used before; its session has ended";
            Err(invalid(why))
        }
        _ => Err(OauthError::defect("a refresh issues tokens or none")),
    }
}

/// The scopes that are asked for, which the session has to have (section 6).
async fn narrowed(asking: &Asking, scope: &str, n: SessionNo) -> Result<Scopes, OauthError> {
    let invalid = |why: &str| OauthError::new(ErrorCode::InvalidScope, why);
    let asked = Scopes::parse(scope).map_err(|error| invalid(&error.to_string()))?;
    let found = asking
        .provider
        .accounts()
        .read(|view| query::session(view, n))
        .await?;
    let Some(session) = found.filter(|session| session.client == asking.client.id) else {
        let why = "the refresh token is unknown or was revoked";
        return Err(OauthError::new(ErrorCode::InvalidGrant, why));
    };
    let has = Scopes::parse(&session.scope).map_err(OauthError::defect)?;
    if has.cover(&asked) {
        Ok(asked)
    } else {
        Err(invalid("the session has not all of these scopes"))
    }
}
