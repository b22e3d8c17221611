//! What merchants do: prepare a payment, take it, give it back, and look at what they have earned.

use super::Api;
use super::amount::Asking;
use super::ask::Said;
use super::gate::{Asked, Key, Named, Paged, Paging, Shop};
use super::people::{id, text};
use super::problem::{Problem, Refusals};
use super::statement::Whose;
use super::subscriptions::Recurring;
use super::wire::{LineBody, PageBody, PaymentBody, SettlementBody};
use crate::answer::{Answer, Payment, Refused};
use crate::command::Verb;
use crate::id::Hash;
use crate::query::{self, Settlement};
use crate::subscription::NewSubscription;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bongsu_base::UserId;
use serde::Deserialize;
use utoipa::ToSchema;

/// A payment to prepare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// The merchant's own number of the order.
    #[serde(default)]
    #[schema(max_length = 200)]
    order: String,
    /// Who alone may pay: a user id; whoever has the id of the payment, where nobody says.
    #[serde(default)]
    payer: Option<String>,
    /// What the payer consents to by approving this payment, which is that of the first period.
    #[serde(default)]
    recurring: Option<Recurring>,
}

/// A payment to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Which.
    id: String,
}

/// A payment to call off or give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Which.
    id: String,
    /// How much; all that is left where nobody says.
    #[serde(default)]
    amount: Option<Asking>,
}

/// A code to charge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeCode {
    /// What the payer showed.
    code: String,
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// The merchant's own number of the order.
    #[serde(default)]
    #[schema(max_length = 200)]
    order: String,
}

/// Prepare a payment. The payer has a quarter of an hour. With `recurring`, the payer consents to being charged again.
#[utoipa::path(post, path = "/pay/v1/merchant/ready", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = Ready,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn ready(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(asked): Asked<Ready>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let order = text("order", asked.order)?;
    let wrong = |_| {
        Problem::bad(
            "invalid-user",
            "`payer` is a user id, as in @mina:example.org",
        )
    };
    let payer = asked
        .payer
        .map(|payer| payer.parse::<UserId>())
        .transpose()
        .map_err(wrong)?;
    let recurring = asked.recurring.map(|recurring| recurring.read());
    let verb = match recurring.transpose()? {
        None => Verb::Ready {
            money,
            order,
            payer,
        },
        Some((max, period, until)) => Verb::ReadyRecurring(NewSubscription {
            money,
            order,
            payer,
            max,
            period,
            until,
        }),
    };
    let (payment, consent) = match api.ask(shop, key, verb).await? {
        Answer::Payment(payment) => (payment, None),
        Answer::Prepared {
            payment,
            subscription,
        } => (payment, Some(subscription)),
        other => {
            let why = format!("no payment was answered: {other:?}");
            return Err(Problem::internal(why));
        }
    };
    let body = PaymentBody::with(&payment, consent.as_deref());
    api.with_qr(&payment, body).await.map(Json)
}

/// Take a payment that the payer let be: the money moves now.
#[utoipa::path(post, path = "/pay/v1/merchant/approve", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = Approve,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn approve(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(asked): Asked<Approve>,
) -> Said<PaymentBody> {
    let id = id(&asked.id)?;
    api.pay(shop, key, Verb::Capture(id)).await
}

/// Call a payment off, or give it back, whole or in part.
#[utoipa::path(post, path = "/pay/v1/merchant/cancel", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = Cancel,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn cancel(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(asked): Asked<Cancel>,
) -> Said<PaymentBody> {
    let payment = id(&asked.id)?;
    let amount = asked.amount.map(|amount| amount.amount()).transpose()?;
    api.pay(shop, key, Verb::Cancel { payment, amount }).await
}

/// Charge whoever showed you a code: the money moves now.
#[utoipa::path(post, path = "/pay/v1/merchant/charge-code", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = ChargeCode,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn charge_code(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(asked): Asked<ChargeCode>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let order = text("order", asked.order)?;
    let code = Hash::of_secret(&asked.code);
    api.pay(shop, key, Verb::Charge { code, money, order })
        .await
}

/// A payment of yours.
#[utoipa::path(get, path = "/pay/v1/merchant/order/{payment}", tag = "pay: merchants", security(("merchant" = [])),
    params(("payment" = String, Path)), responses((status = 200, body = PaymentBody), Refusals))]
pub async fn order(State(api): State<Api>, shop: Shop, Named(name): Named) -> Said<PaymentBody> {
    let id = id(&name)?;
    let look = api.lane.read(|view| {
        let found = query::payment(view, shop.id.as_str(), id)?;
        Ok((found, query::consent(view, id)?))
    });
    let (found, consent) = look.await?;
    let found = found.ok_or(Refused::NoSuchPayment)?;
    let body = PaymentBody::with(&found, consent.as_ref());
    api.with_qr(&found, body).await.map(Json)
}

/// Your payments, newest first.
#[utoipa::path(get, path = "/pay/v1/merchant/payments", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, body = PageBody<PaymentBody>), Refusals))]
pub async fn payments(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Said<PageBody<PaymentBody>> {
    let before = paged.cursor.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| query::payments_to(view, shop.id.as_str(), before, paged.limit + 1));
    let found = look.await?;
    let shown = |(n, payment): &(i64, Payment)| (*n, payment.into());
    Ok(Json(PageBody::of(&found, paged.limit, shown)))
}

/// What happened to what you have earned, newest first.
#[utoipa::path(get, path = "/pay/v1/merchant/statement", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, content((PageBody<LineBody> = "application/json"), (String = "text/csv"),
        (String = "application/xml"))), Refusals))]
pub async fn statement(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Result<Response, Problem> {
    let whose = Whose::Merchant(shop.id.as_str().to_owned());
    Ok(api.statement(whose, &paged).await?)
}

/// What was paid to your bank, newest first.
#[utoipa::path(get, path = "/pay/v1/merchant/settlements", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, body = PageBody<SettlementBody>), Refusals))]
pub async fn settlements(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Said<PageBody<SettlementBody>> {
    let before = paged.cursor.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| query::settlements(view, shop.id.as_str(), before, paged.limit + 1));
    let found = look.await?;
    let shown = |found: &Settlement| (found.n, found.into());
    Ok(Json(PageBody::of(&found, paged.limit, shown)))
}
