//! Tokens for a device that was let in (RFC 8628, section 3.4).

use super::{Asking, TokenForm};
use crate::command::oauth::{Done, Oauth, RedeemDevice};
use crate::http::oauth::error::{ErrorCode, OauthError};
use crate::provider::tokens::TokenAnswer;
use crate::secret::TokenHash;
use bongsu_lane::Priority;

pub async fn grant(asking: &Asking, form: TokenForm) -> Result<TokenAnswer, OauthError> {
    let code = form.device_code;
    let code = code.ok_or_else(|| OauthError::invalid("device_code is missing"))?;
    asking.can_sign()?;
    let command = RedeemDevice {
        client: asking.client.id.clone(),
        code: TokenHash::of(&code),
        begin: asking.beginning(),
    };
    let command = Oauth::RedeemDevice(command);
    let refused = |code, why: &str| Err(OauthError::new(code, why));
    match asking.provider.done(Priority::Normal, command).await? {
        Done::Begun(begun) => asking.begun(&begun).await,
        Done::Waiting => refused(ErrorCode::AuthorizationPending, "nobody has answered yet"),
        Done::TooSoon => refused(
            ErrorCode::SlowDown,
            "wait five seconds longer between two questions",
        ),
        Done::TurnedAway => refused(ErrorCode::AccessDenied, "the device was turned away"),
        _ => Err(OauthError::defect("a device waits or is answered")),
    }
}
