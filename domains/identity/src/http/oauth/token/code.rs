//! Tokens for an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).

use super::{Asking, TokenForm};
use crate::command::oauth::{Done, Oauth, Redeem};
use crate::http::oauth::error::{ErrorCode, OauthError};
use crate::provider::tokens::TokenAnswer;
use crate::secret::TokenHash;
use bongsu_lane::Priority;
use ring::digest::{SHA256, digest};

pub async fn grant(asking: &Asking, form: TokenForm) -> Result<TokenAnswer, OauthError> {
    let code = form.code;
    let code = code.ok_or_else(|| OauthError::invalid("code is missing"))?;
    let verifier = form.code_verifier;
    let verifier = verifier.ok_or_else(|| OauthError::invalid("code_verifier is missing"))?;
    if !is_verifier(&verifier) {
        let why = "code_verifier has 43 to 128 letters, digits, `-`, `.`, `_` and `~`";
        return Err(OauthError::invalid(why));
    }
    asking.can_sign()?;
    let hash = digest(&SHA256, verifier.as_bytes());
    let command = Redeem {
        client: asking.client.id.clone(),
        code: TokenHash::of(&code),
        redirect_uri: form.redirect_uri,
        challenge: hash.as_ref().try_into().expect("SHA-256 has 32 bytes"),
        begin: asking.beginning(),
    };
    let command = Oauth::Redeem(command);
    match asking.provider.done(Priority::Vital, command).await? {
        Done::Begun(begun) => asking.begun(&begun).await,
        Done::Reused => {
            let why = "the code was used before; the session that was begun with it has ended";
            Err(OauthError::new(ErrorCode::InvalidGrant, why))
        }
        _ => Err(OauthError::defect("a code begins a session or none")),
    }
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    (43..=128).contains(&text.len()) && text.chars().all(allowed)
}
