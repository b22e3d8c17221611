//! `GET` and `PUT /admin/lock/{userId}` and `/admin/suspend/{userId}`: what accounts may do, for
//! administrators (Matrix v1.19, administration capabilities).

use super::{Api, ids};
use crate::command::{Act, Rejected};
use crate::query::{self, Listed};
use axum::extract::State;
use bongsu_base::UserId;
use bongsu_web_kit::admin::Operator;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use bongsu_web_kit::{Authenticate, Caller};
use ruma::api::client::admin::{is_user_locked, is_user_suspended, lock_user, suspend_user};

/// Sees that the caller may administer; before anything is said of anybody.
pub async fn need_admin(api: &Api, caller: &Caller) -> Result<(), MatrixError> {
    if api.accounts.standing(&caller.user).await?.admin {
        Ok(())
    } else {
        Err(MatrixError::forbidden("this is for administrators"))
    }
}

async fn look(
    api: &Api,
    caller: &Caller,
    user: &ruma::UserId,
) -> Result<(UserId, Listed), MatrixError> {
    need_admin(api, caller).await?;
    let user = ids::user(user)?;
    if user.server() != api.accounts.config().server_name.as_str() {
        return Err(MatrixError::invalid_param(format!(
            "{user} is of another server"
        )));
    }
    let found = api
        .accounts
        .read(|view| query::listed(view, &user))
        .await?
        .filter(|account| account.deactivated.is_none());
    let found = found.ok_or(Rejected::NoSuchAccount)?;
    if found.admin && user != caller.user {
        return Err(Rejected::Administrator.into());
    }
    Ok((user, found))
}

async fn act(api: &Api, caller: Caller, act: Act) -> Result<(), MatrixError> {
    let operator = Operator::administrator(caller.user);
    Ok(api.accounts.administer(operator, None, act).await?)
}

pub async fn is_locked(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<is_user_locked::v1::Request>,
) -> Answer<is_user_locked::v1::Response> {
    let (_, found) = look(&api, &caller, &request.user_id).await?;
    Ok(Reply(is_user_locked::v1::Response::new(found.locked)))
}

pub async fn lock(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<lock_user::v1::Request>,
) -> Answer<lock_user::v1::Response> {
    let (user, _) = look(&api, &caller, &request.user_id).await?;
    let locked = request.locked;
    act(&api, caller, Act::Lock { user, locked }).await?;
    Ok(Reply(lock_user::v1::Response::new(locked)))
}

pub async fn is_suspended(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<is_user_suspended::v1::Request>,
) -> Answer<is_user_suspended::v1::Response> {
    let (_, found) = look(&api, &caller, &request.user_id).await?;
    let response = is_user_suspended::v1::Response::new(found.suspended);
    Ok(Reply(response))
}

pub async fn suspend(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<suspend_user::v1::Request>,
) -> Answer<suspend_user::v1::Response> {
    let (user, _) = look(&api, &caller, &request.user_id).await?;
    let suspended = request.suspended;
    act(&api, caller, Act::Suspend { user, suspended }).await?;
    Ok(Reply(suspend_user::v1::Response::new(suspended)))
}
