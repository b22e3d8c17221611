//! Ending an account for good.

use super::meant;
use crate::{Accounts, Act};
use axum::extract::{Path, State};
use bongsu_web_kit::admin::{Body, Done, Operator, Problem, Reason, Refusals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an account is ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ending {
    /// Whether what the person wrote and uploaded is taken away too.
    pub erase: bool,
    /// Why, for the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Reason for Ending {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

/// End an account for good. Its name stays taken; nothing brings it back.
#[utoipa::path(post, path = "/admin/v1/users/{user}/deactivate", tag = "administration: accounts",
    params(("user" = String, Path)), request_body = Ending,
    responses((status = 200, body = Done), Refusals))]
pub async fn deactivate(
    State(accounts): State<Accounts>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Ending>,
) -> Result<Done, Problem> {
    let reason = asked.kept_reason()?;
    let act = Act::Deactivate {
        user: meant(&accounts, &name)?,
        erase: asked.erase,
    };
    accounts.administer(operator, reason, act).await?;
    Ok(Done {})
}
