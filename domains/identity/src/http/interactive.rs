//! User-interactive authentication (Matrix v1.19, client-server API). Every flow here has one stage, so
//! that a stage presented completes its flow and nothing has to be remembered between requests: the
//! session is a name that the client gets back.

use super::Api;
use crate::command::{Accepted, Denial, Proof};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use data_encoding::HEXLOWER;
use http::StatusCode;
use ruma::api::client::uiaa::{AuthData, AuthFlow, AuthType, UiaaInfo, UserIdentifier};
use ruma::api::error::{ErrorKind, StandardErrorBody};

/// Asks for `stage`; `error` says what was wrong with what was presented.
pub fn challenge(
    api: &Api,
    stage: AuthType,
    session: Option<&str>,
    error: Option<(ErrorKind, &str)>,
) -> MatrixError {
    let fresh = || HEXLOWER.encode(&api.accounts.lane().random::<16>());
    let mut info = UiaaInfo::new(vec![AuthFlow::new(vec![stage])]);
    info.session = Some(session.map_or_else(fresh, str::to_owned));
    info.params = serde_json::value::to_raw_value(&serde_json::json!({})).ok();
    info.auth_error =
        error.map(|(kind, text)| Box::new(StandardErrorBody::new(kind, text.to_owned())));
    MatrixError::Interactive(Box::new(info))
}

/// The caller, where an endpoint also serves those who are not signed in, which this server does not.
pub fn signed_in(caller: Option<Caller>) -> Result<Caller, MatrixError> {
    let message = "this needs an access token in the Authorization header";
    caller
        .ok_or_else(|| MatrixError::new(StatusCode::UNAUTHORIZED, ErrorKind::MissingToken, message))
}

/// One stage of an endpoint that asks for the caller's password.
pub struct PasswordStage<'a> {
    api: &'a Api,
    session: Option<String>,
}

impl<'a> PasswordStage<'a> {
    /// Verifies what the client presents, or asks for it. A wrong password is a proof too: it has to
    /// reach the rules, which count it.
    pub async fn verify(
        api: &'a Api,
        caller: &Caller,
        auth: Option<AuthData>,
        address: &str,
    ) -> Result<(Self, Proof), MatrixError> {
        let session = auth.as_ref().and_then(AuthData::session).map(str::to_owned);
        let stage = Self { api, session };
        let password = match auth {
            None => return Err(stage.again(None)),
            Some(AuthData::Password(password)) => password,
            Some(_) => {
                let text = "the password is the only stage here";
                return Err(stage.again(Some((ErrorKind::Unrecognized, text))));
            }
        };
        let meant = match &password.identifier {
            UserIdentifier::Matrix(id) => api.accounts.meant(&id.user),
            _ => None,
        };
        if meant.as_ref() != Some(&caller.user) {
            let text = "this is not the account that is signed in";
            return Err(stage.again(Some((ErrorKind::Forbidden, text))));
        }
        let proof = api
            .accounts
            .prove(&caller.user, password.password, address)
            .await?;
        Ok((stage, proof))
    }

    /// What the rules made of it.
    pub fn settle(&self, accepted: Accepted) -> Result<(), MatrixError> {
        match accepted {
            Accepted::Done => Ok(()),
            Accepted::Denied(Denial::WrongPassword) => {
                Err(self.again(Some((ErrorKind::Forbidden, "the password is wrong"))))
            }
            Accepted::Denied(denial) => Err(denial.into()),
            Accepted::Reused | Accepted::Oauth(_) => {
                Err(MatrixError::internal("a password is no refresh token"))
            }
        }
    }

    fn again(&self, error: Option<(ErrorKind, &str)>) -> MatrixError {
        challenge(self.api, AuthType::Password, self.session.as_deref(), error)
    }
}
