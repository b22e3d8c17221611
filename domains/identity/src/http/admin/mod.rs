//! Administering accounts over HTTP, under `/admin/v1/`. Whoever serves these routes puts a gate before
//! them.

#![expect(
    unused_qualifications,
    reason = "the macro that describes the routes writes them"
)]

mod audit;
mod clients;
mod deactivate;
mod keys;
mod read;
mod restrict;
mod write;

use crate::Accounts;
use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::Refused;
use crate::provider::Provider;
use bongsu_base::UserId;
use bongsu_web_kit::admin::{Problem, Routes};
use http::StatusCode;
use std::time::Duration;
use utoipa::OpenApi;

/// The routes.
#[must_use]
pub fn routes() -> Routes<Accounts> {
    Routes::default()
        .get("/admin/v1/users", read::list)
        .post("/admin/v1/users", write::create)
        .get("/admin/v1/users/{user}", read::show)
        .post(
            "/admin/v1/users/{user}/reset-password",
            write::reset_password,
        )
        .post("/admin/v1/users/{user}/sign-out", write::sign_out)
        .post("/admin/v1/users/{user}/lock", restrict::lock)
        .post("/admin/v1/users/{user}/unlock", restrict::unlock)
        .post("/admin/v1/users/{user}/suspend", restrict::suspend)
        .post("/admin/v1/users/{user}/unsuspend", restrict::unsuspend)
        .post("/admin/v1/users/{user}/deactivate", deactivate::deactivate)
        .post("/admin/v1/users/{user}/make-admin", restrict::make_admin)
        .post(
            "/admin/v1/users/{user}/unmake-admin",
            restrict::unmake_admin,
        )
        .get("/admin/v1/audit/identity", audit::page)
        .get("/admin/v1/audit/identity/check", audit::check)
}

/// The routes about the OpenID provider.
#[must_use]
pub fn provider_routes() -> Routes<Provider> {
    Routes::default()
        .get("/admin/v1/clients", clients::list)
        .post("/admin/v1/clients", clients::add)
        .get("/admin/v1/clients/{client}", clients::show)
        .post("/admin/v1/clients/{client}/rotate", clients::rotate)
        .post("/admin/v1/clients/{client}/remove", clients::remove)
        .get("/admin/v1/keys", keys::list)
        .post("/admin/v1/keys/rotate", keys::rotate)
}

/// What the routes are, for OpenAPI.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    read::list,
    write::create,
    read::show,
    write::reset_password,
    write::sign_out,
    restrict::lock,
    restrict::unlock,
    restrict::suspend,
    restrict::unsuspend,
    deactivate::deactivate,
    restrict::make_admin,
    restrict::unmake_admin,
    audit::page,
    audit::check,
    clients::list,
    clients::show,
    clients::add,
    clients::rotate,
    clients::remove,
    keys::list,
    keys::rotate
))]
struct Description;

/// The account that is meant by `name`, a user id or its localpart.
fn meant(accounts: &Accounts, name: &str) -> Result<UserId, Problem> {
    let meant = accounts.meant(name);
    meant.ok_or_else(|| Problem::not_found(format!("`{name}` is no account of this installation")))
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let detail = error.to_string();
        match error {
            AccountError::Rejected(rejected) => refused(&rejected, detail),
            AccountError::Submit(error) => error.into(),
            AccountError::Read(error) => error.into(),
            AccountError::Busy | AccountError::Locked { .. } => Self::later(
                StatusCode::TOO_MANY_REQUESTS,
                Duration::from_secs(2),
                detail,
            ),
            AccountError::NameCharacters | AccountError::Name(_) | AccountError::Password => {
                Self::bad_request(detail)
            }
            AccountError::Defect => Self::internal(detail),
        }
    }
}

fn refused(rejected: &Rejected, detail: String) -> Problem {
    match rejected {
        Rejected::NoSuchAccount | Rejected::NoSuchDevice => Problem::not_found(detail),
        Rejected::NotAllowed | Rejected::Administrator => Problem::forbidden(detail),
        Rejected::Oauth(Refused::NoSuchClient) => Problem::not_found(detail),
        _ => Problem::conflict(detail),
    }
}
