//! Making accounts, giving them new passwords, ending their sessions.

use super::meant;
use crate::{Accounts, Act};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use bongsu_web_kit::admin::{Acting, Body, Done, Operator, Problem, Reason, Refusals};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What stands between `@` and `:`.
    pub name: String,
    /// The password.
    pub password: String,
    /// Whether it may administer the installation.
    #[serde(default)]
    pub admin: bool,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// An account that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeUser {
    /// Its Matrix id.
    pub user_id: String,
}

/// A password to give to an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password.
    pub password: String,
    /// Whether the account's sessions end; they do where nobody says.
    #[serde(default = "yes")]
    pub sign_out: bool,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

const fn yes() -> bool {
    true
}

impl Reason for NewUser {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for NewPassword {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

/// Make an account.
#[utoipa::path(post, path = "/admin/v1/users", tag = "administration: accounts",
    request_body = NewUser, responses((status = 201, body = MadeUser), Refusals))]
pub async fn create(
    State(accounts): State<Accounts>,
    operator: Operator,
    Body(asked): Body<NewUser>,
) -> Result<impl IntoResponse, Problem> {
    let reason = asked.kept_reason()?;
    let user = accounts.new_user(&asked.name)?;
    let act = Act::CreateAccount {
        user: user.clone(),
        password: accounts.hash(&asked.password).await?,
        admin: asked.admin,
    };
    accounts.administer(operator, reason, act).await?;
    let user_id = user.to_string();
    Ok((StatusCode::CREATED, Json(MadeUser { user_id })))
}

/// Give an account a new password.
#[utoipa::path(post, path = "/admin/v1/users/{user}/reset-password", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = NewPassword,
    responses((status = 200, body = Done), Refusals))]
pub async fn reset_password(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<NewPassword>,
) -> Result<Done, Problem> {
    let reason = asked.kept_reason()?;
    let act = Act::SetPassword {
        user: meant(&accounts, &name)?,
        password: accounts.hash(&asked.password).await?,
        sign_out: asked.sign_out,
    };
    accounts.administer(operator, reason, act).await?;
    Ok(Done {})
}

/// End all sessions of an account.
#[utoipa::path(post, path = "/admin/v1/users/{user}/sign-out", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn sign_out(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::SignOut(meant(&accounts, &name)?);
    let reason = asked.kept_reason()?;
    accounts.administer(operator, reason, act).await?;
    Ok(Done {})
}
