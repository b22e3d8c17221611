//! Disputes, as an operator sees and decides them.

use super::Api;
use crate::answer::Refused;
use crate::command::{Act, Rejected};
use crate::http::disputes::DisputeBody;
use crate::id::PaymentId;
use crate::query::{self, Whose};
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};

fn id(name: &str) -> Result<PaymentId, Problem> {
    name.parse()
        .map_err(|_| Rejected::Refused(Refused::NoSuchDispute).into())
}

/// List disputes, newest first.
#[utoipa::path(get, path = "/admin/v1/pay/disputes", tag = "administration: pay",
    params(PageQuery), responses((status = 200, body = Page<DisputeBody>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DisputeBody>>, Problem> {
    let limit = page.limit();
    let before = page.number()?.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| query::disputes(view, Whose::All, before, limit + 1));
    let found = look.await?;
    let page = Page::of(found, limit, |(n, _)| n.to_string());
    Ok(Json(page.map(|(_, found)| (&found).into())))
}

async fn decide(
    api: &Api,
    (operator, name, asked): (Operator, String, Acting),
    refund: bool,
) -> Result<Done, Problem> {
    let payment = id(&name)?;
    let act = Act::Decide { payment, refund };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Give the payer back what is left of a disputed payment.
#[utoipa::path(post, path = "/admin/v1/pay/disputes/{payment}/refund", tag = "administration: pay",
    params(("payment" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn refund(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    decide(&api, (operator, name, asked), true).await
}

/// Leave a disputed payment as it is.
#[utoipa::path(post, path = "/admin/v1/pay/disputes/{payment}/reject", tag = "administration: pay",
    params(("payment" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn reject(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    decide(&api, (operator, name, asked), false).await
}
