//! What an account may do: locking, suspending, administering.

use super::meant;
use crate::{Accounts, Act};
use axum::extract::{Path, State};
use bongsu_base::UserId;
use bongsu_web_kit::admin::{Acting, Body, Done, Operator, Problem, Reason, Refusals};

/// Does `act` to the account that is meant by `name`.
async fn restrict(
    accounts: &Accounts,
    (operator, name, asked): (Operator, String, Acting),
    act: impl FnOnce(UserId) -> Act,
) -> Result<Done, Problem> {
    let act = act(meant(accounts, &name)?);
    let reason = asked.kept_reason()?;
    accounts.administer(operator, reason, act).await?;
    Ok(Done {})
}

/// Lock an account: it can do nothing but sign out, and keeps its sessions.
#[utoipa::path(post, path = "/admin/v1/users/{user}/lock", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn lock(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::Lock { user, locked: true }).await
}

/// Unlock an account.
#[utoipa::path(post, path = "/admin/v1/users/{user}/unlock", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unlock(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::Lock {
        user,
        locked: false,
    })
    .await
}

/// Suspend an account: it can read and leave rooms, and say nothing.
#[utoipa::path(post, path = "/admin/v1/users/{user}/suspend", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn suspend(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::Suspend {
        user,
        suspended: true,
    })
    .await
}

/// Lift an account's suspension.
#[utoipa::path(post, path = "/admin/v1/users/{user}/unsuspend", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unsuspend(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::Suspend {
        user,
        suspended: false,
    })
    .await
}

/// Let an account administer the installation.
#[utoipa::path(post, path = "/admin/v1/users/{user}/make-admin", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn make_admin(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::SetAdmin { user, admin: true }).await
}

/// Let an account administer the installation no longer.
#[utoipa::path(post, path = "/admin/v1/users/{user}/unmake-admin", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unmake_admin(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let asked = (operator, name, asked);
    restrict(&accounts, asked, |user| Act::SetAdmin {
        user,
        admin: false,
    })
    .await
}
