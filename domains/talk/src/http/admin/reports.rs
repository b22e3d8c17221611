//! What people reported.

use super::Api;
use crate::command::Act;
use crate::state::reports::{self, Kept};
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A report.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Its number.
    pub report: i64,
    /// Who reported.
    pub reporter: String,
    /// The room it is about, or is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// The event it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The person it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// What became of it; missing while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
}

/// What became of a report.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Resolution {
    /// Who closed it.
    pub who: String,
    /// What they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
}

impl From<Kept> for Report {
    fn from(kept: Kept) -> Self {
        Self {
            report: kept.n,
            reporter: kept.reporter,
            room_id: kept.room,
            event_id: kept.event,
            user_id: kept.user,
            reason: kept.reason,
            time_ms: kept.time.0,
            resolved: kept.resolved.map(|resolved| Resolution {
                who: resolved.who,
                note: resolved.note,
                time_ms: resolved.time.0,
            }),
        }
    }
}

/// Which reports are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Whether those that were resolved are wanted too.
    all: bool,
}

/// List reports, newest first.
#[utoipa::path(get, path = "/admin/v1/reports", tag = "administration: reports",
    params(PageQuery, Wanted), responses((status = 200, body = Page<Report>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Report>>, Problem> {
    let limit = page.limit();
    let before = page.number()?.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| reports::list(view.db(), before, wanted.all, limit as u32 + 1));
    let found: Vec<Report> = look.await?.into_iter().map(Report::from).collect();
    Ok(Json(Page::of(found, limit, |report| {
        report.report.to_string()
    })))
}

/// Close a report; the reason says what became of it.
#[utoipa::path(post, path = "/admin/v1/reports/{report}/resolve", tag = "administration: reports",
    params(("report" = i64, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn resolve(
    State(api): State<Api>,
    operator: Operator,
    Path(report): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let none = |_| Problem::not_found(format!("there is no report `{report}`"));
    let report = report.parse().map_err(none)?;
    let act = Act::ResolveReport { report };
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}
