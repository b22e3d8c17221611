//! `POST /login`: beginning a session with a password, or with a token that another session asked for.

use super::address::Address;
use super::open::Open;
use super::{Api, ids};
use crate::accounts::{Tokens, Wanted};
use crate::command::{Accepted, Command, Denial, SignIn, SignInByToken};
use crate::secret::TokenHash;
use axum::extract::State;
use bongsu_base::{DeviceId, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::session::login::v3::{LoginInfo, Password, Request, Response};
use ruma::api::client::uiaa::UserIdentifier;
use ruma::api::error::ErrorKind;
use std::time::Duration;

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Open(request),
        ..
    }: Matrix<Open<Request>>,
) -> Answer<Response> {
    let wanted = Wanted {
        device: request.device_id.as_deref().map(ids::device).transpose()?,
        display_name: request.initial_device_display_name,
        refresh: request.refresh_token,
    };
    match request.login_info {
        LoginInfo::Password(password) => with_password(&api, password, wanted, &address).await,
        LoginInfo::Token(token) => with_token(&api, &token.token, wanted, &address).await,
        _ => {
            let message =
                "unknown login type; this server knows m.login.password and m.login.token";
            Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::Unknown,
                message,
            ))
        }
    }
}

async fn with_password(
    api: &Api,
    password: Password,
    wanted: Wanted,
    address: &str,
) -> Answer<Response> {
    let name = name(&password)?;
    // A name that no account here can have tells nothing that its form did not tell before.
    let user = api.accounts.meant(name).ok_or(Denial::WrongPassword)?;
    let proof = api
        .accounts
        .prove(&user, password.password, address)
        .await?;
    let (tokens, session) = api.accounts.begin(wanted, address);
    let device = session.device.clone();
    let command = Command::SignIn(SignIn {
        user: user.clone(),
        proof,
        session,
    });
    match ask(api, command).await? {
        Accepted::Done => begun(api, &user, &device, &tokens),
        Accepted::Denied(denial) => Err(denial.into()),
        Accepted::Reused | Accepted::Oauth(_) | Accepted::SignedIn(_) => {
            Err(MatrixError::internal("a sign-in is no refresh"))
        }
    }
}

async fn with_token(api: &Api, token: &str, wanted: Wanted, address: &str) -> Answer<Response> {
    let (tokens, session) = api.accounts.begin(wanted, address);
    let device = session.device.clone();
    let command = Command::SignInByToken(SignInByToken {
        presented: TokenHash::of(token),
        session,
    });
    match ask(api, command).await? {
        Accepted::SignedIn(user) => begun(api, &user, &device, &tokens),
        other => Err(MatrixError::internal(format!("no sign-in: {other:?}"))),
    }
}

async fn ask(api: &Api, command: Command) -> Result<Accepted, MatrixError> {
    let asked = api.accounts.ask(Actor::Nobody, Priority::Vital, command);
    Ok(asked.await?)
}

/// What a client is told of its session.
fn begun(api: &Api, user: &UserId, device: &DeviceId, tokens: &Tokens) -> Answer<Response> {
    let access = tokens.access.reveal().to_owned();
    let mut response = Response::new(ids::user_out(user)?, access, ids::device_out(device));
    #[expect(
        deprecated,
        reason = "the first versions told it, and it is still read"
    )]
    {
        response.home_server = Some(ids::server_out(api)?);
    }
    response.refresh_token = tokens
        .refresh
        .as_ref()
        .map(|token| token.reveal().to_owned());
    response.expires_in = tokens
        .lifetime
        .and_then(|span| u64::try_from(span.0).ok())
        .map(Duration::from_millis);
    Ok(Reply(response))
}

/// The name that the person gave, in the form of today or of the first versions.
/// Identifiers that there are, though nobody signs in with them here (Matrix v1.19, identifier types).
const KNOWN: [&str; 2] = ["m.id.thirdparty", "m.id.phone"];

fn name(password: &Password) -> Result<&str, MatrixError> {
    #[expect(deprecated, reason = "clients of the first versions still send it")]
    let first_form = password.user.as_deref();
    match (&password.identifier, first_form) {
        (Some(UserIdentifier::Matrix(id)), _) => Ok(&id.user),
        (Some(other), _) if KNOWN.contains(&other.identifier_type()) => Err(
            MatrixError::forbidden("people sign in here with their user name"),
        ),
        (Some(other), _) => {
            let kind = other.identifier_type();
            let message = format!("`{kind}` is no type of `identifier`; `m.id.user` is");
            let unknown = ErrorKind::Unknown;
            Err(MatrixError::new(StatusCode::BAD_REQUEST, unknown, message))
        }
        (None, Some(user)) => Ok(user),
        (None, None) => {
            let message = "`identifier` is missing: who is signing in?";
            Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::MissingParam,
                message,
            ))
        }
    }
}
