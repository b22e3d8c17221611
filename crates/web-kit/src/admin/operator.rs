//! Who administers.

use super::problem::Problem;
use crate::auth::Authenticate;
use crate::matrix::bearer;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bongsu_base::UserId;
use bongsu_lane::{Actor, SystemAccount};
use http::StatusCode;
use http::request::Parts;
use std::sync::Arc;

/// An operator who passed the gate. The default is whoever runs the installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operator {
    /// The account; `None` is whoever runs the installation, at its control socket.
    pub by: Option<UserId>,
    /// The machine's account that was used at the control socket, where that is known.
    pub account: Option<SystemAccount>,
}

impl Operator {
    /// The administrator `by`.
    #[must_use]
    pub const fn administrator(by: UserId) -> Self {
        Self {
            by: Some(by),
            account: None,
        }
    }

    /// As whom commands are given.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let account = self.account.clone();
        account.map_or(Actor::Operator, Actor::OperatorAs)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::internal("an administrative route has no gate before it"))
    }
}

/// Lets those in whose token is that of an account that may administer.
pub async fn admit_by_token(
    State(authenticator): State<Arc<dyn Authenticate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = bearer(request.headers()).map(str::to_owned);
    match known(&*authenticator, token.as_deref()).await {
        Ok(operator) => {
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn known(authenticator: &dyn Authenticate, token: Option<&str>) -> Result<Operator, Problem> {
    let token = token.ok_or_else(|| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "this needs the access token of an administrator in the Authorization header",
        )
    })?;
    let caller = authenticator.authenticate(token).await?;
    let standing = authenticator.standing(&caller.user).await?;
    if !standing.admin {
        return Err(Problem::forbidden(
            "this is for administrators; the operator makes one with `bongsu user make-admin`",
        ));
    }
    Ok(Operator::administrator(caller.user))
}

/// Lets everybody in, as whoever runs the installation: only they may open the control socket. With which account of
/// the machine, whoever serves the socket says by an extension of the request.
pub async fn admit_by_socket(mut request: Request, next: Next) -> Response {
    let account = request.extensions().get::<SystemAccount>().cloned();
    let operator = Operator { by: None, account };
    request.extensions_mut().insert(operator);
    next.run(request).await
}
