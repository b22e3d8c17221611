//! The server's end of the control socket.

use super::{MadeUser, NewUser, Refused};
use anyhow::{Context, Result};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bongsu_identity::{AccountError, Accounts};
use http::StatusCode;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::net::UnixListener;

/// Begins to listen at `path`; what a process before left there is removed. Only for who has the data
/// folder's lock.
pub fn listen(path: &Path) -> Result<UnixListener> {
    let failed = || format!("the control socket {} cannot be made", path.display());
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(failed);
        }
        _ => {}
    }
    let listener = UnixListener::bind(path).with_context(failed)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).with_context(failed)?;
    Ok(listener)
}

/// What can be asked through the socket.
pub fn router(accounts: Accounts) -> Router {
    Router::new()
        .route("/control/v1/users", post(add_user))
        .with_state(accounts)
}

/// Make an account as the operator.
#[utoipa::path(post, path = "/control/v1/users", tag = "control", request_body = NewUser, responses(
    (status = 201, description = "The account was made", body = MadeUser),
    (status = 400, description = "The name or the password is not one, or the request is not JSON of that form", body = Refused),
    (status = 409, description = "The name is taken or otherwise refused", body = Refused),
    (status = 503, description = "Not now; whether the account was made is unknown", body = Refused)))]
pub async fn add_user(
    State(accounts): State<Accounts>,
    asked: Result<Json<NewUser>, JsonRejection>,
) -> Response {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, error.body_text()),
    };
    match accounts
        .create(&asked.name, &asked.password, asked.admin)
        .await
    {
        Ok(user) => (
            StatusCode::CREATED,
            Json(MadeUser {
                user_id: user.to_string(),
            }),
        )
            .into_response(),
        Err(error) => refuse(status(&error), error.to_string()),
    }
}

fn status(error: &AccountError) -> StatusCode {
    match error {
        AccountError::NameCharacters | AccountError::Name(_) | AccountError::Password => {
            StatusCode::BAD_REQUEST
        }
        AccountError::Rejected(_) => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refuse(status: StatusCode, error: String) -> Response {
    (status, Json(Refused { error })).into_response()
}
