//! Pay's own protocol under `/pay/v1`, JSON over HTTP. Wire types stop here.

pub mod admin;
mod amount;
mod ask;
mod bills;
mod disputes;
mod gate;
mod merchant;
mod people;
mod problem;
mod qr;
mod rates;
mod requests;
mod signing;
mod statement;
mod subscriptions;
mod sweeper;
mod teller;
mod watch;
mod webhooks;
mod wire;

pub use rates::Rates;
pub use signing::Signing;
pub use teller::TellerMetrics;
pub use watch::Invariants;

use crate::Pay;
use crate::bank::BankMetrics;
use axum::response::{IntoResponse, Response};
use bongsu_bank_rail::Bank;
use bongsu_fetch::Fetcher;
use bongsu_lane::Lane;
use bongsu_web_kit::admin::Routes;
use bongsu_web_kit::{Authenticate, Clock};
use http::StatusCode;
use problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What the endpoints work with.
#[derive(Clone)]
pub struct Api {
    /// Where money is.
    pub lane: Lane<Pay>,
    /// Who tells to whom a token belongs.
    pub authenticator: Arc<dyn Authenticate>,
    /// Of which the codes of links are made; the same in every data centre.
    pub secret: [u8; 32],
    /// The time of day.
    pub clock: Clock,
    /// How much each merchant may ask.
    pub rates: Rates,
    /// Of which the secrets are made that sign what merchants are told; the same in every data centre.
    pub signing: Signing,
    /// With what merchants are told what happened.
    pub fetcher: Fetcher,
    /// How that goes.
    pub told: TellerMetrics,
    /// The bank, if there is one that can be asked.
    pub bank: AtBank,
    /// Whether the books are in order.
    pub invariants: Invariants,
}

/// The bank as the endpoints see it.
#[derive(Debug, Clone, Default)]
pub struct AtBank {
    /// Whoever carries out orders; `None` where an operator tells what the bank said.
    pub asked: Option<Arc<dyn Bank>>,
    /// How that goes.
    pub metrics: BankMetrics,
}

/// The routes.
#[must_use]
pub fn routes() -> Routes<Api> {
    Routes::default()
        .get("/pay/v1/wallet", people::wallets)
        .post("/pay/v1/wallet", people::open)
        .get("/pay/v1/wallet/statement", people::statement)
        .post("/pay/v1/wallet/bank-account", people::link_bank)
        .post("/pay/v1/topups", people::top_up)
        .post("/pay/v1/withdrawals", people::withdraw)
        .post("/pay/v1/transfers", people::transfer)
        .post("/pay/v1/links", people::make_link)
        .post("/pay/v1/links/{code}/claim", people::claim_link)
        .post("/pay/v1/links/{code}/cancel", people::cancel_link)
        .get("/pay/v1/payments/{payment}", people::payment)
        .get("/pay/v1/approvals/{payment}", people::asked)
        .post("/pay/v1/approvals/{payment}/approve", people::accept)
        .post("/pay/v1/approvals/{payment}/decline", people::decline)
        .post("/pay/v1/code", people::show_code)
        .post("/pay/v1/qr", qr::look)
        .post("/pay/v1/merchants/{merchant}/pay", qr::pay)
        .get("/pay/v1/merchant/qr", qr::of_shop)
        .get("/pay/v1/bills", bills::list)
        .post("/pay/v1/bills", bills::make)
        .get("/pay/v1/bills/{bill}", bills::show)
        .post("/pay/v1/bills/{bill}/pay", bills::pay)
        .post("/pay/v1/bills/{bill}/decline", bills::decline)
        .post("/pay/v1/bills/{bill}/cancel", bills::cancel)
        .get("/pay/v1/requests/{key}", requests::look)
        .post("/pay/v1/requests/{key}/close", requests::close)
        .post("/pay/v1/payments/{payment}/dispute", disputes::open)
        .get("/pay/v1/disputes", disputes::list)
        .get("/pay/v1/merchant/disputes", disputes::of_shop)
        .post(
            "/pay/v1/merchant/disputes/{payment}/answer",
            disputes::answer,
        )
        .get("/pay/v1/subscriptions", subscriptions::list)
        .get("/pay/v1/subscriptions/{subscription}", subscriptions::show)
        .post(
            "/pay/v1/subscriptions/{subscription}/revoke",
            subscriptions::revoke,
        )
        .get("/pay/v1/merchant/subscriptions", subscriptions::of_shop)
        .get(
            "/pay/v1/merchant/subscriptions/{subscription}",
            subscriptions::show_shop,
        )
        .post(
            "/pay/v1/merchant/subscriptions/{subscription}/charge",
            subscriptions::charge,
        )
        .post(
            "/pay/v1/merchant/subscriptions/{subscription}/end",
            subscriptions::end,
        )
        .post("/pay/v1/merchant/ready", merchant::ready)
        .post("/pay/v1/merchant/approve", merchant::approve)
        .post("/pay/v1/merchant/charge-code", merchant::charge_code)
        .post("/pay/v1/merchant/cancel", merchant::cancel)
        .get("/pay/v1/merchant/order/{payment}", merchant::order)
        .get("/pay/v1/merchant/payments", merchant::payments)
        .get("/pay/v1/merchant/statement", merchant::statement)
        .get("/pay/v1/merchant/settlements", merchant::settlements)
        .get("/pay/v1/merchant/webhook", webhooks::show)
        .post("/pay/v1/merchant/webhook", webhooks::set)
        .post("/pay/v1/merchant/webhook/rotate", webhooks::rotate)
        .post("/pay/v1/merchant/webhook/remove", webhooks::remove)
        .get("/pay/v1/merchant/deliveries", webhooks::deliveries)
        .post("/pay/v1/merchant/deliveries/{event}/again", webhooks::again)
}

/// The refusal of a request that cannot be answered here now, for whoever stands before the routes.
#[must_use]
pub fn unavailable(retry_after: Duration, detail: &'static str) -> Response {
    Problem::later(StatusCode::SERVICE_UNAVAILABLE, retry_after, detail).into_response()
}

/// The answer where nothing is.
#[must_use]
pub fn no_such_path() -> Response {
    let detail = "there is nothing here; /openapi.json says what there is";
    Problem::new(StatusCode::NOT_FOUND, "no-such-path", detail).into_response()
}

/// The refusal of a request whose body did not arrive, for the same.
#[must_use]
pub fn no_body() -> Response {
    Problem::bad("invalid-body", "the body did not arrive").into_response()
}

/// What the routes are, for OpenAPI.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    let mut all = Description::openapi();
    all.merge(admin::description());
    all
}

#[derive(OpenApi)]
#[openapi(
    modifiers(&Schemes),
    paths(
        people::wallets,
        people::open,
        people::statement,
        people::link_bank,
        people::top_up,
        people::withdraw,
        people::transfer,
        people::make_link,
        people::claim_link,
        people::cancel_link,
        people::payment,
        people::asked,
        people::accept,
        people::decline,
        people::show_code,
        qr::look,
        qr::pay,
        qr::of_shop,
        bills::make,
        bills::list,
        bills::show,
        bills::pay,
        bills::decline,
        bills::cancel,
        requests::look,
        requests::close,
        disputes::open,
        disputes::list,
        disputes::of_shop,
        disputes::answer,
        subscriptions::list,
        subscriptions::show,
        subscriptions::revoke,
        subscriptions::of_shop,
        subscriptions::show_shop,
        subscriptions::charge,
        subscriptions::end,
        merchant::ready,
        merchant::approve,
        merchant::cancel,
        merchant::charge_code,
        merchant::order,
        merchant::payments,
        merchant::statement,
        merchant::settlements,
        webhooks::show,
        webhooks::set,
        webhooks::rotate,
        webhooks::remove,
        webhooks::deliveries,
        webhooks::again
    ),
    components(schemas(wire::EventBody, gate::Format))
)]
struct Description;

/// How callers show who they are.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = |description: &str| {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            SecurityScheme::Http(scheme)
        };
        let person = "The token of a session here, or one of a service with the scope `pay`, or `pay:read` for reading.";
        components.add_security_scheme("person", bearer(person));
        components.add_security_scheme("merchant", bearer("A merchant's secret key, `bgm_…`."));
    }
}
