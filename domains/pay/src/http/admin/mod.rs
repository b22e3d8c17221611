//! Administering money over HTTP, under `/admin/v1/pay`. Whoever serves these routes puts a gate before them.

mod audit;
mod bank;
mod disputes;
mod merchants;
mod proof;
mod reconcile;
mod reviews;
mod statement;
mod wallets;
mod webhooks;

pub(super) use reconcile::Bounds;

use super::Api;
use crate::command::{Accepted, Act, Administer, Command, Rejected};
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::admin::{Done, Operator, Problem, Routes};
use http::StatusCode;
use utoipa::OpenApi;

/// The routes.
#[must_use]
pub fn routes() -> Routes<Api> {
    Routes::default()
        .get("/admin/v1/pay/merchants", merchants::list)
        .post("/admin/v1/pay/merchants", merchants::add)
        .get("/admin/v1/pay/merchants/{merchant}", merchants::show)
        .post(
            "/admin/v1/pay/merchants/{merchant}/rotate",
            merchants::rotate,
        )
        .post(
            "/admin/v1/pay/merchants/{merchant}/freeze",
            merchants::freeze,
        )
        .post(
            "/admin/v1/pay/merchants/{merchant}/unfreeze",
            merchants::unfreeze,
        )
        .post(
            "/admin/v1/pay/merchants/{merchant}/settle",
            merchants::settle,
        )
        .post("/admin/v1/pay/merchants/{merchant}/webhook", webhooks::set)
        .post(
            "/admin/v1/pay/merchants/{merchant}/webhook/rotate",
            webhooks::rotate,
        )
        .post(
            "/admin/v1/pay/merchants/{merchant}/webhook/remove",
            webhooks::remove,
        )
        .get("/admin/v1/pay/wallets/{owner}", wallets::show)
        .post("/admin/v1/pay/wallets/{owner}/freeze", wallets::freeze)
        .post("/admin/v1/pay/wallets/{owner}/unfreeze", wallets::unfreeze)
        .post("/admin/v1/pay/wallets/{owner}/level", wallets::level)
        .post("/admin/v1/pay/limits", wallets::limits)
        .post("/admin/v1/pay/top-up-limits", wallets::top_up_limits)
        .get("/admin/v1/pay/rules", reviews::rules)
        .post("/admin/v1/pay/rules", reviews::set_rule)
        .post("/admin/v1/pay/rules/remove", reviews::remove_rule)
        .get("/admin/v1/pay/reviews", reviews::list)
        .post("/admin/v1/pay/reviews/{payment}/release", reviews::release)
        .post("/admin/v1/pay/reviews/{payment}/refuse", reviews::refuse)
        .get("/admin/v1/pay/disputes", disputes::list)
        .post("/admin/v1/pay/disputes/{payment}/refund", disputes::refund)
        .post("/admin/v1/pay/disputes/{payment}/reject", disputes::reject)
        .post("/admin/v1/pay/bank-said", bank::said)
        .get("/admin/v1/pay/proof", proof::proof)
        .get("/admin/v1/pay/statement", statement::statement)
        .get("/admin/v1/pay/reconcile", reconcile::with_bank)
        .post("/admin/v1/pay/reconcile", reconcile::with_file)
        .get("/admin/v1/audit/pay", audit::page)
        .get("/admin/v1/audit/pay/check", audit::check)
}

/// What the routes are, for OpenAPI.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    merchants::list,
    merchants::add,
    merchants::show,
    merchants::rotate,
    merchants::freeze,
    merchants::unfreeze,
    merchants::settle,
    webhooks::set,
    webhooks::rotate,
    webhooks::remove,
    wallets::show,
    wallets::freeze,
    wallets::unfreeze,
    wallets::level,
    wallets::limits,
    wallets::top_up_limits,
    reviews::rules,
    reviews::set_rule,
    reviews::remove_rule,
    reviews::list,
    reviews::release,
    reviews::refuse,
    disputes::list,
    disputes::refund,
    disputes::reject,
    bank::said,
    proof::proof,
    statement::statement,
    reconcile::with_bank,
    reconcile::with_file,
    audit::page,
    audit::check
))]
struct Description;

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let detail = rejected.to_string();
        match rejected {
            Rejected::Refused(refused) => {
                let status = StatusCode::from_u16(refused.status());
                let status = status.expect("refusals have statuses");
                // What is out of range is a bad request to the administration.
                let bad = status == StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(if bad { StatusCode::BAD_REQUEST } else { status }, detail)
            }
            Rejected::UnknownKey | Rejected::NotAllowed => Self::forbidden(detail),
        }
    }
}

impl Api {
    /// Does what an operator does.
    async fn administer(
        &self,
        operator: Operator,
        reason: Option<String>,
        act: Act,
    ) -> Result<Done, Problem> {
        let actor = operator.actor();
        let by = operator.by;
        let command = Command::Administer(Administer { by, reason, act });
        self.operate(actor, command).await?;
        Ok(Done::default())
    }

    async fn operate(&self, actor: Actor, command: Command) -> Result<(), Problem> {
        let request = self.lane.request(actor, Priority::Vital, command);
        match self.lane.submit(request).await?.outcome? {
            Accepted::Done => Ok(()),
            other => Err(Problem::internal(format!(
                "another answer than was asked for: {other:?}"
            ))),
        }
    }
}
