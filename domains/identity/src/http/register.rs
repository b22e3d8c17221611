//! `POST /register`: making an account.

use super::address::Address;
use super::interactive::challenge;
use super::open::Open;
use super::{Api, ids};
use crate::accounts::Wanted;
use crate::command::{Accepted, Command, CreateAccount, Rejected};
use crate::config::Registration;
use crate::query;
use axum::extract::State;
use bongsu_base::UserId;
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use data_encoding::HEXLOWER;
use http::StatusCode;
use ruma::api::client::account::register::RegistrationKind;
use ruma::api::client::account::register::v3::{Request, Response};
use ruma::api::client::uiaa::{AuthData, AuthType};
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
    admit(&api, &request)?;
    let user = free_name(&api, request.username.as_deref()).await?;
    confirm(&api, request.auth.as_ref())?;
    let Some(password) = request.password else {
        let message = "`password` is missing";
        return Err(MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::MissingParam,
            message,
        ));
    };
    let begun = if request.inhibit_login {
        None
    } else {
        let wanted = Wanted {
            device: request.device_id.as_deref().map(ids::device).transpose()?,
            display_name: request.initial_device_display_name,
            refresh: request.refresh_token,
        };
        Some(api.accounts.begin(wanted, &address))
    };
    let (tokens, session) = begun.unzip();
    let mut response = Response::new(ids::user_out(&user)?);
    response.device_id = session
        .as_ref()
        .map(|session| ids::device_out(&session.device));
    let password = Some(api.accounts.hash(&password).await?);
    let command = CreateAccount {
        user,
        password,
        session,
        admin: false,
    };
    let command = Command::CreateAccount(command);
    let Accepted::Done = api
        .accounts
        .ask(Actor::Nobody, Priority::Vital, command)
        .await?
    else {
        return Err(MatrixError::internal(
            "an account was neither made nor refused",
        ));
    };
    if let Some(tokens) = tokens {
        let span = tokens.lifetime.and_then(|span| u64::try_from(span.0).ok());
        response.access_token = Some(tokens.access.reveal().to_owned());
        response.refresh_token = tokens.refresh.map(|token| token.reveal().to_owned());
        response.expires_in = span.map(Duration::from_millis);
    }
    Ok(Reply(response))
}

/// Whether such an account can be made at all.
fn admit(api: &Api, request: &Request) -> Result<(), MatrixError> {
    if request.kind != RegistrationKind::User {
        return Err(MatrixError::forbidden("this server has no guest accounts"));
    }
    if request.login_type.is_some() {
        return Err(MatrixError::forbidden(
            "this server has no application services",
        ));
    }
    if api.accounts.config().registration == Registration::Closed {
        return Err(MatrixError::forbidden(
            "accounts are made by the operator of this server",
        ));
    }
    Ok(())
}

/// The id that the account will have, whether the person named one or not.
async fn free_name(api: &Api, username: Option<&str>) -> Result<UserId, MatrixError> {
    let name = match username {
        // Upper and lower case are one: people type either.
        Some(name) => name.to_ascii_lowercase(),
        None => HEXLOWER.encode(&api.accounts.lane().random::<8>()),
    };
    let user = api.accounts.new_user(&name)?;
    if !api
        .accounts
        .read(|view| query::is_free(view, &user))
        .await?
    {
        return Err(Rejected::UserInUse.into());
    }
    Ok(user)
}

/// The one stage of registering: none to speak of where it is open, the token where it needs one.
fn confirm(api: &Api, auth: Option<&AuthData>) -> Result<(), MatrixError> {
    let (stage, complete) = match (&api.accounts.config().registration, auth) {
        (Registration::Token(expected), auth) => {
            let complete = matches!(auth, Some(AuthData::RegistrationToken(presented))
                if same(&presented.token, expected));
            (AuthType::RegistrationToken, complete)
        }
        (Registration::Open | Registration::Closed, auth) => {
            (AuthType::Dummy, matches!(auth, Some(AuthData::Dummy(_))))
        }
    };
    if complete {
        return Ok(());
    }
    let wrong = auth.map(|_| (ErrorKind::Forbidden, "this does not complete the stage"));
    Err(challenge(
        api,
        stage,
        auth.and_then(AuthData::session),
        wrong,
    ))
}

/// Compares by hash, so that the time does not tell how much of it was right.
pub fn same(presented: &str, expected: &str) -> bool {
    blake3::hash(presented.as_bytes()) == blake3::hash(expected.as_bytes())
}
