//! User-interactive authentication (Matrix v1.19, client-server API). Every flow here has one stage, so
//! that a stage presented completes its flow. A session is for what it was begun for.

use super::Api;
use crate::command::{Accepted, Denial, Proof};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use bongsu_web_kit::stands_for;
use http::StatusCode;
use ruma::api::IncomingRequest;
use ruma::api::client::uiaa::{AuthData, AuthFlow, AuthType, UiaaInfo, UserIdentifier};
use ruma::api::error::{DeserializationError, ErrorKind, StandardErrorBody};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Asks for `stage` before `operation` is done as `wishes` say; `error` says what was wrong with what was
/// presented.
pub fn challenge(
    api: &Api,
    (operation, wishes): (&str, &Map<String, Value>),
    stage: AuthType,
    session: Option<&str>,
    error: Option<(ErrorKind, &str)>,
) -> MatrixError {
    let session = match session.map_or_else(|| api.begin(operation, wishes), |it| Ok(it.to_owned()))
    {
        Ok(session) => session,
        Err(error) => return error,
    };
    let mut info = UiaaInfo::new(vec![AuthFlow::new(vec![stage])]);
    info.session = Some(session);
    info.params = serde_json::value::to_raw_value(&json!({})).ok();
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
    operation: String,
    session: Option<String>,
}

impl<'a> PasswordStage<'a> {
    /// Verifies what the client presents before `operation` is done, or asks for it. A session that it presents is
    /// to have begun for the same operation, on the same device. A wrong password is a proof too: it has to
    /// reach the rules, which count it.
    pub async fn verify(
        api: &'a Api,
        caller: &Caller,
        operation: &str,
        auth: Option<AuthData>,
        address: &str,
    ) -> Result<(Self, Proof), MatrixError> {
        let name = auth.as_ref().and_then(AuthData::session).map(str::to_owned);
        let stage = Self {
            api,
            operation: format!("{} {} {operation}", caller.user, caller.device),
            session: name,
        };
        if let Some(session) = &stage.session {
            api.began(&stage.operation, session)?;
        }
        let password = match auth {
            None | Some(AuthData::FallbackAcknowledgement(_)) => return Err(stage.again(None)),
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
            Accepted::Reused | Accepted::Oauth(_) | Accepted::SignedIn(_) => {
                Err(MatrixError::internal("a password is no refresh token"))
            }
        }
    }

    fn again(&self, error: Option<(ErrorKind, &str)>) -> MatrixError {
        let wanted = (self.operation.as_str(), &Map::new());
        let stage = AuthType::Password;
        challenge(self.api, wanted, stage, self.session.as_deref(), error)
    }
}

/// `ruma`'s request of an endpoint that asks for the password, also in the form of the first versions.
pub struct Asking<R>(pub R);

stands_for!(Asking<R>, R, R::Authentication; R);

impl<R: IncomingRequest> IncomingRequest for Asking<R> {
    type EndpointError = R::EndpointError;
    type OutgoingResponse = R::OutgoingResponse;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path_args: &[&str],
    ) -> Result<Self, DeserializationError> {
        let (parts, body) = request.into_parts();
        let body = of_today(body);
        let request = http::Request::from_parts(parts, &*body);
        R::try_from_http_request_inner(request, path_args).map(Self)
    }
}

/// A body in whose `auth` the user is named as today. In the first versions their name stood beside the
/// password.
fn of_today(raw: &[u8]) -> Cow<'_, [u8]> {
    let renamed = || {
        let mut body: Value = serde_json::from_slice(raw).ok()?;
        let auth = body.get_mut("auth")?.as_object_mut()?;
        let user = auth.get("user")?.as_str()?.to_owned();
        if auth.contains_key("identifier") {
            return None;
        }
        auth.insert(
            "identifier".to_owned(),
            json!({ "type": "m.id.user", "user": user }),
        );
        serde_json::to_vec(&body).ok()
    };
    renamed().map_or(Cow::Borrowed(raw), Cow::Owned)
}
