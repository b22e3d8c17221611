//! The audit log of pay.

use super::Api;
use axum::Json;
use axum::extract::{Query, State};
use bongsu_web_kit::admin::{AuditCheck, AuditLine, Page, PageQuery, Problem, Refusals};

/// Read what operators did, newest first.
#[utoipa::path(get, path = "/admin/v1/audit/pay", tag = "administration: audit",
    params(PageQuery), responses((status = 200, body = Page<AuditLine>), Refusals))]
pub async fn page(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditLine>>, Problem> {
    let limit = page.limit();
    let before = page.number()?.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| bongsu_audit::page(view.db(), before, limit + 1));
    let lines: Vec<AuditLine> = look.await?.into_iter().map(AuditLine::from).collect();
    Ok(Json(Page::of(lines, limit, |line| line.n.to_string())))
}

/// Read the whole audit log and tell whether it is what was written.
#[utoipa::path(get, path = "/admin/v1/audit/pay/check", tag = "administration: audit",
    responses((status = 200, body = AuditCheck), Refusals))]
pub async fn check(State(api): State<Api>) -> Result<Json<AuditCheck>, Problem> {
    let look = api.lane.read_long(|view| bongsu_audit::check(view.db()));
    Ok(Json(look.await?.into()))
}
